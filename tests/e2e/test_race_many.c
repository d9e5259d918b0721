// SPDX-License-Identifier: MIT
/*
 * test_race_many.c - 1,000 connects of one process, in turn and at once: scenario 16. Descriptors
 * are as before, one thread serves all races, and each socket ends right.
 */
#include "tests/e2e/race_run.h"
#include "tests/lab/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 1000

static const struct race_case networks[] = {
	{.nv6 = 1, .nv4 = 1},
	{.nv6 = 1, .nv4 = 1, .net = "to 6 drop;in to 4 delay 20"},
};

enum { FAST, DEAD_IPV6 };

static struct lab_proc_result got;

/* The number behind `key=` in what the program said. */
static int value(const char *key)
{
	char wanted[32];
	const char *at;

	snprintf(wanted, sizeof wanted, "%s=", key);
	at = strstr(got.out, wanted);
	return at != NULL ? atoi(at + strlen(wanted)) : -1;
}

static void run_many(const char *how, unsigned network, bool shim, char *line, size_t size)
{
	char host[64];
	const char *const argv[] = {"clients/race_many", how, host, "8000", "1000", NULL};
	const char *const env[] = {"NOBLOCKDNS_CACHE=private", NULL};

	snprintf(host, sizeof host, "%s-%d.c%u.test", how, shim, network + 1);
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = argv, .env = env, .preload = shim},
		     &got);
	lab_assert_str(got.err, "");
	lab_assert(got.status == 0, "(%s: status %d, signal %d: %s)", how, got.status, got.signal,
		   got.out);
	snprintf(line, size, "%d connected in %d ms, %d fds left", value("connected"), value("ms"),
		 value("fds"));
}

static void run_row(struct lab_world *w, const char *how, unsigned network, const char *expected)
{
	char libc[96], shim[96], what[64];
	struct race_net net;

	race_net_start(w, networks, 2, NULL, &net);
	run_many(how, network, false, libc, sizeof libc);
	run_many(how, network, true, shim, sizeof shim);
	snprintf(what, sizeof what, "1000 connects, %s", network == FAST ? "in turn" : "IPv6 dead");
	race_table_add(16, what, how, expected, shim, libc);
	lab_assert_int(value("connected"), N);
	lab_assert(value("fds") <= 0, "(%d descriptors left)", value("fds"));
	if (network == DEAD_IPV6)
		lab_assert_int(value("v4"), N);
}

/* The program's thread, and ours; thread sanitizer's runtime has another one. */
static void one_io_thread(void)
{
	if (lab_sanitizer() == NULL)
		lab_assert_int(value("threads"), 2);
}

LabTest(race, row_16_connects_in_turn, RACE_WORLD)
{
	run_row(w, "in-turn", FAST, "1000 connected, 0 fds left");
}

LabTest(race, row_16_threads_at_once, RACE_WORLD)
{
	run_row(w, "threads", DEAD_IPV6, "1000 connected, 0 fds left");
}

/* The rest are plain connects, to a black hole; libc's all are. */
LabTest(race, row_16_few_descriptors, RACE_WORLD)
{
	char host[] = "poll-1.c2.test";
	const char *const argv[] = {"clients/race_many", "poll", host, "8000", "180", "256", NULL};
	const char *const env[] = {"NOBLOCKDNS_CACHE=private", NULL};
	struct race_net net;

	race_net_start(w, networks, 2, NULL, &net);
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = argv, .env = env, .preload = true},
		     &got);
	lab_assert_str(got.err, "");
	lab_assert(got.status == 0, "(status %d, signal %d: %s)", got.status, got.signal, got.out);
	lab_assert_int(value("connected"), 18);
	lab_assert_int(value("v4"), 18);
	lab_assert(value("fds") <= 0, "(%d descriptors left)", value("fds"));
}

LabTest(race, row_16_poll_at_once, RACE_WORLD)
{
	run_row(w, "poll", DEAD_IPV6, "1000 connected, 0 fds left");
	lab_assert_int(value("events"), N);
	one_io_thread();
}

LabTest(race, row_16_epoll_at_once, RACE_WORLD)
{
	run_row(w, "epoll-et", DEAD_IPV6, "1000 connected, 0 fds left");
	lab_assert_int(value("events"), N);
	one_io_thread();
}
