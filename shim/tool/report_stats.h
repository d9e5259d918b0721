// SPDX-License-Identifier: MIT
/*
 * report_stats.h - figures made of a report's settled runs. Pure.
 */
#ifndef NOBLOCKDNS_TOOL_REPORT_STATS_H
#define NOBLOCKDNS_TOOL_REPORT_STATS_H

#include "shim/tool/report.h"

/*
 * The smallest of `n` values, sorted upwards, that at least `percent` of them do not exceed
 * (nearest rank): always one that was measured. 0 where there is none. percent: 1 to 100.
 */
uint64_t report_percentile(const uint64_t *sorted, size_t n, unsigned percent);

/* Waits of one kind on one side, all its runs together. */
struct report_times {
	size_t n;
	uint64_t total_ns, p50_ns, p95_ns, p99_ns, longest_ns;
	size_t failed;
	const char *longest_name; /* "" */
};

struct report_summary {
	unsigned runs;
	uint64_t wall_ns; /* median */
	struct report_times times[REPORT_KINDS];
	size_t processes, threads;

	size_t stalls;
	uint64_t stalled_ns, stall_ns; /* together; the longest */
	const char *stall_name;	       /* the longest wait's in it */
	enum report_kind stall_kind;

	uint64_t turns;	  /* 0: no thread has a loop */
	uint64_t turn_ns; /* the longest */
	uint64_t turn_blocked_ns[REPORT_KINDS];
	const char *turn_name;
	uint64_t lost;
};

void report_summarise(struct report *r, enum report_side side, struct report_summary *ret);

/* Waits that have something in common. */
struct report_group {
	const char *key;
	size_t processes[REPORT_SIDES];
	size_t n[REPORT_SIDES][REPORT_KINDS];
	uint64_t blocked_ns[REPORT_SIDES][REPORT_KINDS];
	uint64_t longest_ns[REPORT_SIDES];
};

/*
 * By name, and by program, those that blocked longest first. Of malloc(), the caller frees it; NULL
 * where there is none, or no memory (then the report says so).
 */
struct report_group *report_by_name(struct report *r, size_t *ret_n);
struct report_group *report_by_program(struct report *r, size_t *ret_n);

/* Does CMD do the same with the shim? */
enum report_same {
	REPORT_SAME,
	REPORT_DIFFERS,
	REPORT_VARIES,	/* it differs from run to run without the shim, too */
	REPORT_UNKNOWN, /* one of the sides has no whole run */
};

enum report_same report_same_end(const struct report *r);
enum report_same report_same_output(const struct report *r);
const char *report_same_to_str(enum report_same same); /* "same", "differs", ... */

/* Is a stall with the shim longer than is allowed? */
bool report_exceeds(const struct report *r, const struct report_summary *with);

#endif
