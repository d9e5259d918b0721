// SPDX-License-Identifier: MIT
/*
 * lookup [-4 | -6] [-c] [-n TIMES] [-j THREADS] [-w MS] [-v] NAME... - looks names up and
 * prints what came, one line a name and time:
 *
 *	www.test: 192.0.2.1 2001:db8::1
 *	nope.test: EAI_NONAME
 *
 * -c asks for the canonical name and prints it in parentheses; -n repeats, -w waits in between; -j
 * does all that in so many threads at once and prints the lines of the first; -v adds the
 * milliseconds that each lookup took.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "eai.h"

static struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
static unsigned times = 1, threads = 1, wait_ms;
static bool verbose;
static char **names;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void print(const char *name, int eai, const struct addrinfo *list, double ms)
{
	char text[INET6_ADDRSTRLEN];

	flockfile(stdout);
	printf("%s:", name);
	if (eai != 0)
		printf(" %s", eai_to_str(eai));
	for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		getnameinfo(ai->ai_addr, ai->ai_addrlen, text, sizeof text, NULL, 0,
			    NI_NUMERICHOST);
		printf(" %s", text);
	}
	if (list != NULL && list->ai_canonname != NULL)
		printf(" (%s)", list->ai_canonname);
	if (verbose)
		printf(" %.1f", ms);
	printf("\n");
	funlockfile(stdout);
}

static void look_up(const char *name, bool report)
{
	struct addrinfo *list = NULL;
	double start = now_ms();
	int eai = getaddrinfo(name, "80", &hints, &list);

	if (report)
		print(name, eai, list, now_ms() - start);
	if (list != NULL)
		freeaddrinfo(list);
}

static void *work(void *first)
{
	for (unsigned i = 0; i < times; i++) {
		if (i > 0 && wait_ms > 0)
			usleep(wait_ms * 1000);
		for (char **name = names; *name != NULL; name++)
			look_up(*name, first != NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t others[256];
	int c;

	while ((c = getopt(argc, argv, "46cn:j:w:v")) != -1) {
		switch (c) {
		case '4':
			hints.ai_family = AF_INET;
			break;
		case '6':
			hints.ai_family = AF_INET6;
			break;
		case 'c':
			hints.ai_flags |= AI_CANONNAME;
			break;
		case 'n':
			times = (unsigned)atoi(optarg);
			break;
		case 'j':
			threads = (unsigned)atoi(optarg);
			break;
		case 'w':
			wait_ms = (unsigned)atoi(optarg);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	}
	names = argv + optind;
	if (threads < 1 || threads > 256)
		return 2;
	for (unsigned i = 1; i < threads; i++)
		if (pthread_create(&others[i], NULL, work, NULL) != 0)
			return 1;
	work(&names);
	for (unsigned i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	return 0;
}
