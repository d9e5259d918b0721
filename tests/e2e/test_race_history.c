// SPDX-License-Identifier: MIT
/*
 * test_race_history.c - what one process learned about an address is known to the next: scenarios
 * 23 and 24. All processes with the shim share one cache.
 */
#include "tests/e2e/race_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEAD_IPV6 .nv6 = 1, .nv4 = 1, .net = "to 6 drop;in to 4 delay 20"

static const struct race_case network = {DEAD_IPV6};
static const struct race_case first = {.row = 23,
				       .what = "first process, IPv6 dead",
				       .family = 4,
				       .at_ms = 270,
				       .syns = "6@0 4@250",
				       DEAD_IPV6};
static const struct race_case next = {
	.row = 23, .what = "next process", .family = 4, .at_ms = 20, .syns = "4@0", DEAD_IPV6};
static const struct race_case later = {.row = 23,
				       .what = "next process after a route change",
				       .family = 4,
				       .at_ms = 270,
				       .syns = "6@0 4@250",
				       DEAD_IPV6};

static const struct race_case marked = {.row = 23,
					.what = "socket with a mark, before and after",
					.family = 4,
					.at_ms = 270,
					.syns = "6@0 4@250",
					.client = "mark first=6",
					DEAD_IPV6};

static const char *shared_cache(struct lab_world *w)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/cache", lab_world_dir(w));
	return path;
}

/* What the fastest has to reach, in the first round that the machine has time for. */
#define NEXT_MS 25
#define ROUNDS	10

/* One process after the other in each of the modes: the time of the fastest. What was late and
 * finds the same history again is done again. */
static double run_modes(struct race_net *net, unsigned modes, const struct race_case *expected,
			const struct race_job *without, char *failures, size_t size)
{
	double best_ms = 1e9;

	for (enum race_mode mode = 0; mode < RACE_MODES; mode++) {
		struct race_job job;

		if ((modes & RACE_BIT(mode)) == 0)
			continue;
		for (unsigned i = 0; i < (expected == &next ? ROUNDS : 1); i++) {
			race_job_start(net, 0, mode, true, shared_cache(net->w), &job);
			race_job_end(&job);
			if (!race_judge(net, &job, expected).late)
				break;
		}
		race_conclude(net, expected, &job, without, failures, size);
		if (race_took_ms(net, &job) < best_ms)
			best_ms = race_took_ms(net, &job);
	}
	return best_ms;
}

/* The new route leads where the old one led; but what goes there may be another network. */
LabTest(race, row_23_next_process, RACE_WORLD)
{
	char failures[1500] = "";
	struct race_job libc;
	double next_ms = 1e9;
	struct race_net net;

	race_net_start(w, &network, 1, NULL, &net);
	race_job_start(&net, 0, RACE_BLOCK, false, NULL, &libc);
	race_job_end(&libc);
	run_modes(&net, RACE_BIT(RACE_BLOCK), &first, &libc, failures, sizeof failures);
	for (unsigned i = 0; i < ROUNDS && next_ms > NEXT_MS; i++)
		next_ms = run_modes(&net, RACE_FOUR, &next, &libc, failures, sizeof failures);
	lab_ip(w, LAB_NEAR, "route replace ::/0 dev lab0 metric 7\n");
	usleep(1100000); /* a change is seen within a second */
	run_modes(&net, RACE_BIT(RACE_BLOCK), &later, &libc, failures, sizeof failures);
	if (failures[0] != '\0')
		lab_fail("%s", failures);
	lab_assert(next_ms <= NEXT_MS, "(%.1f ms, of which the round trip is 20)", next_ms);
}

/* It may be routed apart: what it meets says nothing to others, nor theirs to it. (getaddrinfo()
 * does not know of the socket, and gives IPv4 first in the end.) */
LabTest(race, row_23_marked_socket, RACE_WORLD)
{
	const struct race_case *const steps[] = {&marked, &first, &marked};
	char failures[1500] = "";
	struct race_job libc;
	struct race_net net;

	race_net_start(w, &network, 1, NULL, &net);
	race_job_start(&net, 0, RACE_BLOCK, false, NULL, &libc);
	race_job_end(&libc);
	for (unsigned i = 0; i < 3; i++) {
		net.cases = steps[i]; /* the words for the client: the network is the same */
		run_modes(&net, RACE_BIT(RACE_BLOCK), steps[i], &libc, failures, sizeof failures);
	}
	if (failures[0] != '\0')
		lab_fail("%s", failures);
}

/*
 * 16 may try an address of which nobody knows (history.h); a few more may while those count
 * themselves. A process that cannot load the resolver within a fraction of a second leaves the
 * lookup to libc (resolver_host.c), and so does not race: on a busy machine that may happen to some
 * of a hundred, which end as without the shim, by the time-out of the one attempt.
 */
enum { PROCESSES = 100, SYNS_MAX = 32, CONNECTED_MIN = 90 };

struct crowd {
	unsigned connected, v6; /* processes; IPv6 attempts of those and all others */
	unsigned as_libc;	/* processes whose one attempt, IPv6, timed out */
	double ms;		/* mean of their connects */
};

static bool is_as_libc(const struct race_job *job, const struct race_capture *capture)
{
	return strcmp(race_text(job, "error"), "ETIMEDOUT") == 0 && capture->n == 1 &&
	       capture->attempts[0].family == 6;
}

static void run_processes(struct race_net *net, bool shim, struct crowd *ret)
{
	static struct race_job jobs[PROCESSES];
	static struct race_capture capture;
	struct crowd crowd = {.connected = 0};

	for (unsigned i = 0; i < PROCESSES; i++) {
		race_job_start(net, 0, RACE_BLOCK, shim, shared_cache(net->w), &jobs[i]);
		usleep(2000);
	}
	for (unsigned i = 0; i < PROCESSES; i++)
		race_job_end(&jobs[i]);
	for (unsigned i = 0; i < PROCESSES; i++) {
		race_capture_read(net->capture, jobs[i].port, &capture);
		for (unsigned k = 0; k < capture.n; k++)
			crowd.v6 += capture.attempts[k].family == 6;
		crowd.ms += race_value(&jobs[i], "connect_ms") / PROCESSES;
		crowd.connected += strcmp(race_text(&jobs[i], "error"), "0") == 0;
		crowd.as_libc += is_as_libc(&jobs[i], &capture);
	}
	*ret = crowd;
}

static void print_crowd(const struct crowd *crowd, char buf[96])
{
	snprintf(buf, 96, "%u IPv6 SYNs, %u connected, %u timed out, %.0f ms each", crowd->v6,
		 crowd->connected, crowd->as_libc, crowd->ms);
}

LabTest(race, row_24_many_processes, RACE_WORLD)
{
	char measured[96], without[96];
	struct crowd libc, shim;
	struct race_net net;

	race_net_start(w, &network, 1, NULL, &net);
	run_processes(&net, false, &libc);
	run_processes(&net, true, &shim);
	print_crowd(&shim, measured);
	print_crowd(&libc, without);
	race_table_add(24, "100 processes at once, IPv6 dead", "block", "at most 32 IPv6 SYNs",
		       measured, without);
	lab_assert_int(libc.v6, PROCESSES);
	lab_assert_int(libc.as_libc, PROCESSES);
	lab_assert(shim.v6 <= SYNS_MAX, "(%s)", measured);
	lab_assert(shim.connected >= CONNECTED_MIN, "(%s)", measured);
	lab_assert(shim.connected + shim.as_libc == PROCESSES, "(%s)", measured);
}
