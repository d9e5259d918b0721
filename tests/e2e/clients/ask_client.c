// SPDX-License-Identifier: MIT
/*
 * ask_client - looks up each line of its standard input and prints what came, and what it holds:
 *
 *	www.test
 *	www.test: 192.0.2.1 fds 5 ms 12 heap 123456
 *	nope.test
 *	nope.test: EAI_NONAME fds 5 ms 1 heap 123456
 *
 * A line "NAME*N" asks for n0.NAME to n(N-1).NAME, and prints the last. An empty line ends it: a
 * server that was started later has the pipe's end as well, so that there may be no end of file.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <malloc.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eai.h"

static unsigned long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long long)ts.tv_sec * 1000 + (unsigned long long)ts.tv_nsec / 1000000;
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		closedir(dir);
	return n;
}

/* Bytes that malloc() has given out. */
static size_t heap_size(void)
{
	struct mallinfo2 heap = mallinfo2();

	return heap.uordblks + heap.hblkhd;
}

static void look_up(const char *name, int report)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	unsigned long long start = now_ms();
	int eai = getaddrinfo(name, NULL, &hints, &list);
	unsigned long long took = now_ms() - start;
	char text[INET_ADDRSTRLEN];

	if (eai == 0)
		inet_ntop(AF_INET, &((struct sockaddr_in *)list->ai_addr)->sin_addr, text,
			  sizeof text);
	if (eai == 0)
		freeaddrinfo(list);
	if (report)
		printf("%s: %s fds %u ms %llu heap %zu\n", name, eai == 0 ? text : eai_to_str(eai),
		       count_fds(), took, heap_size());
}

int main(void)
{
	char line[300], name[320];

	while (fgets(line, sizeof line, stdin) != NULL && line[0] != '\n') {
		char *star = strchr(line, '*');
		unsigned n = star != NULL ? (unsigned)atoi(star + 1) : 0;

		line[strcspn(line, "*\n")] = '\0';
		for (unsigned i = 0; i < n; i++) {
			snprintf(name, sizeof name, "n%u.%s", i, line);
			look_up(name, i + 1 == n);
		}
		if (n == 0)
			look_up(line, 1);
		fflush(stdout);
	}
	return 0;
}
