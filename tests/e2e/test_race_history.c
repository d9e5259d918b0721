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

static const char *shared_cache(struct lab_world *w)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/cache", lab_world_dir(w));
	return path;
}

/* One process after the other in each of the modes. */
static void run_modes(struct race_net *net, unsigned modes, const struct race_case *expected,
		      const struct race_job *without, char *failures, size_t size)
{
	for (enum race_mode mode = 0; mode < RACE_MODES; mode++) {
		struct race_job job;

		if ((modes & RACE_BIT(mode)) == 0)
			continue;
		race_job_start(net, 0, mode, true, shared_cache(net->w), &job);
		race_job_end(&job);
		race_conclude(net, expected, &job, without, failures, size);
	}
}

/* The new route leads where the old one led; but what goes there may be another network. */
LabTest(race, row_23_next_process, RACE_WORLD)
{
	char failures[1500] = "";
	struct race_job libc;
	struct race_net net;

	race_net_start(w, &network, 1, NULL, &net);
	race_job_start(&net, 0, RACE_BLOCK, false, NULL, &libc);
	race_job_end(&libc);
	run_modes(&net, RACE_BIT(RACE_BLOCK), &first, &libc, failures, sizeof failures);
	run_modes(&net, RACE_FOUR, &next, &libc, failures, sizeof failures);
	lab_ip(w, LAB_NEAR, "route replace ::/0 dev lab0 metric 7\n");
	usleep(1100000); /* a change is seen within a second */
	run_modes(&net, RACE_BIT(RACE_BLOCK), &later, &libc, failures, sizeof failures);
	if (failures[0] != '\0')
		lab_fail("%s", failures);
}

enum { PROCESSES = 100, AT_ONCE = 10 };

/* Starts them in groups, and adds up their IPv6 attempts and how long each took. */
static void run_processes(struct race_net *net, bool shim, unsigned *ret_v6, double *ret_mean_ms)
{
	static struct race_job jobs[PROCESSES];
	static struct race_capture capture;
	const unsigned group = shim ? AT_ONCE : PROCESSES;

	*ret_v6 = 0;
	*ret_mean_ms = 0;
	for (unsigned i = 0; i < PROCESSES; i += group) {
		for (unsigned k = i; k < i + group; k++)
			race_job_start(net, 0, RACE_BLOCK, shim, shared_cache(net->w), &jobs[k]);
		for (unsigned k = i; k < i + group; k++)
			race_job_end(&jobs[k]);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		race_capture_read(net->capture, jobs[i].port, &capture);
		for (unsigned k = 0; k < capture.n; k++)
			*ret_v6 += capture.attempts[k].family == 6;
		*ret_mean_ms += race_value(&jobs[i], "connect_ms") / PROCESSES;
		if (shim)
			lab_assert_int((int)race_value(&jobs[i], "family"), 4);
	}
}

/* The first ones start before anybody knows; what they learn holds for all others. */
LabTest(race, row_24_many_processes, RACE_WORLD)
{
	char measured[96], libc[96];
	unsigned v6_shim, v6_libc;
	double ms_shim, ms_libc;
	struct race_net net;

	race_net_start(w, &network, 1, NULL, &net);
	run_processes(&net, false, &v6_libc, &ms_libc);
	run_processes(&net, true, &v6_shim, &ms_shim);
	snprintf(measured, sizeof measured, "%u IPv6 SYNs, %.0f ms each", v6_shim, ms_shim);
	snprintf(libc, sizeof libc, "%u IPv6 SYNs, %.0f ms each", v6_libc, ms_libc);
	race_table_add(24, "100 processes, 10 at a time, IPv6 dead", "block",
		       "at most 10 + 5 IPv6 SYNs", measured, libc);
	lab_assert_int(v6_libc, PROCESSES);
	lab_assert(v6_shim <= AT_ONCE + 5, "(%u IPv6 SYNs)", v6_shim);
}
