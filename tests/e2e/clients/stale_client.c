// SPDX-License-Identifier: MIT
/*
 * stale_client [-p PROCESSES] [-t TIMES] [-w US] [-c COUNT] NAME - PROCESSES processes begin at the
 * same moment and look NAME up, TIMES times, with US microseconds in between; with a COUNT, so many
 * names: 0.NAME, 1.NAME and so on. Prints what came of it, and exits with 1 where there were
 * errors:
 *
 *	errors 0 slow 8 crawling 0 longest 301
 *
 * Slow are lookups of more than 100 ms; crawling are processes with more than one of those; the
 * longest is in milliseconds. Times are those of the wall: a machine with other work adds to them.
 */
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "client.h"

#define SLOW_MS 100

static unsigned processes = 1, times = 1, wait_us, count;
static const char *suffix;

static struct shared {
	_Atomic unsigned errors, slow, crawling;
	_Atomic unsigned longest_ms; /* one writer at a time loses nothing that matters */
} * shared;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* True: it was slow. */
static bool look_up(unsigned number)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	double start = now_ms();
	unsigned ms;
	char name[256];
	int r;

	if (count > 0)
		snprintf(name, sizeof name, "%u.%s", number, suffix);
	else
		snprintf(name, sizeof name, "%s", suffix);
	r = getaddrinfo(name, "80", &hints, &list);
	ms = (unsigned)(now_ms() - start);
	if (r != 0 || list == NULL)
		atomic_fetch_add(&shared->errors, 1);
	if (list != NULL)
		freeaddrinfo(list);
	if (ms > atomic_load(&shared->longest_ms))
		atomic_store(&shared->longest_ms, ms);
	return ms > SLOW_MS;
}

static void work(void)
{
	unsigned slow = 0, names = count > 0 ? count : 1;

	for (unsigned i = 0; i < times * names; i++) {
		slow += look_up(i % names);
		if (wait_us > 0)
			usleep(wait_us);
	}
	atomic_fetch_add(&shared->slow, slow);
	atomic_fetch_add(&shared->crawling, slow > 1);
}

/* Each process waits for the end of a pipe that nobody has but the parent. */
static void start(int go[2])
{
	pid_t pid = fork();
	char c;

	must(pid >= 0);
	if (pid > 0)
		return;
	close(go[1]);
	must(read(go[0], &c, 1) == 0);
	close(go[0]);
	work();
	_exit(0);
}

int main(int argc, char **argv)
{
	int c, go[2];

	while ((c = getopt(argc, argv, "p:t:w:c:")) != -1) {
		unsigned *to = c == 'p'	  ? &processes
			       : c == 't' ? &times
			       : c == 'w' ? &wait_us
			       : c == 'c' ? &count
					  : NULL;

		if (to == NULL)
			return 2;
		*to = (unsigned)atoi(optarg);
	}
	if (optind != argc - 1)
		return 2;
	suffix = argv[optind];
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	must(shared != MAP_FAILED && pipe(go) == 0);
	for (unsigned i = 0; i < processes; i++)
		start(go);
	close(go[1]);
	for (unsigned i = 0; i < processes; i++) {
		int status = -1;

		must(wait(&status) > 0 && status == 0);
	}
	printf("errors %u slow %u crawling %u longest %u\n", shared->errors, shared->slow,
	       shared->crawling, shared->longest_ms);
	return shared->errors > 0;
}
