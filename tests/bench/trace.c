// SPDX-License-Identifier: MIT
/*
 * trace.c - what being observed costs a call: lookups of a name in the hosts file by libc, and
 * poll() of nothing, in short stretches, of which the fastest tenth is told: what else the machine
 * does shall not count.
 *
 * The caller (scripts/bench_trace.sh) runs it without the shim, with it, and with it and a trace.
 * With -l there is no measuring, only the calls: for callgrind.
 */
#include "bench.h"

#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRETCH 50

static void look_up(void)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;

	if (getaddrinfo("bench.hosts.test", NULL, &hints, &list) != 0)
		bench_die("getaddrinfo", "bench.hosts.test");
	freeaddrinfo(list);
}

static void wait_for_nothing(void)
{
	if (poll(NULL, 0, 0) != 0)
		bench_die("poll", strerror(errno));
}

static void measure(void (*call)(void), unsigned calls, const char *subject)
{
	struct bench_samples samples;

	bench_samples_init(&samples, calls / STRETCH);
	for (unsigned i = 0; i < calls / STRETCH; i++) {
		uint64_t start = bench_now_ns();

		for (unsigned k = 0; k < STRETCH; k++)
			call();
		bench_sample(&samples, (bench_now_ns() - start) / STRETCH);
	}
	bench_sort(&samples);
	bench_emit(subject, "p10", (double)bench_percentile(&samples, 100));
	bench_emit(subject, "p50", (double)bench_percentile(&samples, 500));
}

int main(int argc, char **argv)
{
	bool loop_only = argc == 5 && strcmp(argv[4], "-l") == 0;
	void (*call)(void);
	unsigned calls;

	if (argc < 4 || (argc > 4 && !loop_only)) {
		fputs("usage: trace SUBJECT lookup|poll CALLS [-l]\n", stderr);
		return 2;
	}
	call = strcmp(argv[2], "poll") == 0 ? wait_for_nothing : look_up;
	calls = (unsigned)atoi(argv[3]);
	call();
	if (!loop_only)
		measure(call, calls, argv[1]);
	else
		while (calls-- > 0)
			call();
	return 0;
}
