// SPDX-License-Identifier: MIT
/*
 * report.h - what `noblockdns compare` has measured: runs of one command without and with the shim,
 * and in each of them which thread waited when, how long, and for which name.
 *
 * Filled run by run: report_run_add(), then processes, threads, waits and turns in any order, then
 * report_run_settle(), which finds the stalls. What reads it (report_stats.h, report_write.h) takes
 * settled runs. One thread.
 *
 * Terms
 *	wait	one lookup, or one call of connect(), from call to return; of a socket that does not
 *		block that is no more than the call itself
 *	turn	a thread's time between its return from epoll_wait(), poll() or select() and its
 *		next entry: what all other clients of an event loop wait for
 *	stall	what waits cost a thread at a stretch: all of one turn together, or a single wait
 *		where there is no loop; from REPORT_STALL_NS up
 */
#ifndef NOBLOCKDNS_TOOL_REPORT_H
#define NOBLOCKDNS_TOOL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Less than what a frame of an animation or an operator's eye would miss. */
#define REPORT_STALL_NS 10000000u

enum report_side { REPORT_WITHOUT, REPORT_WITH, REPORT_SIDES };
enum report_kind { REPORT_LOOKUP, REPORT_CONNECT, REPORT_KINDS };

#define REPORT_NONE SIZE_MAX /* index of nothing */

struct report_process {
	uint32_t pid;
	const char *program; /* borrows from the report, as all texts below */
};

struct report_thread {
	size_t process; /* index */
	uint32_t tid;
	const char *name;
	uint64_t turns; /* also those too short to be told one by one */
};

struct report_wait {
	enum report_kind kind;
	size_t thread;	       /* index */
	uint64_t start_ns, ns; /* since the run's start */
	const char *name;      /* that was looked up, or connected to */
	const char *detail;    /* the address, or where the answer came from; "" */
	const char *result;    /* "": it succeeded */
	size_t turn;	       /* index; REPORT_NONE: in no turn */
};

struct report_turn {
	size_t thread;
	uint64_t start_ns, ns;
	uint64_t blocked_ns[REPORT_KINDS]; /* of that in waits */
	size_t longest_wait;		   /* index; REPORT_NONE: it has none */
};

struct report_stall {
	size_t thread;
	uint64_t start_ns, ns; /* ns: of waits alone */
	uint64_t blocked_ns[REPORT_KINDS];
	size_t longest_wait;
	size_t waits; /* how many */
	bool in_loop;
};

/* How CMD ended. */
struct report_end {
	int status;   /* exit status; -1 with a signal */
	int signal;   /* 0, or what killed it */
	bool stopped; /* by us: interrupted, or its time was up */
};

struct report_run {
	enum report_side side;
	unsigned number; /* of its side, from 1 */
	uint64_t wall_ns;
	struct report_end end;
	uint64_t out_bytes, out_hash;	  /* of standard output */
	const char *complaint;		  /* the last line on standard error; "" */
	uint64_t lost;			  /* records that could not be read, or had no room */
	struct report_process *processes; /* owns these five */
	struct report_thread *threads;
	struct report_wait *waits;   /* settled: by thread, then start */
	struct report_turn *turns;   /* settled: by thread, then start */
	struct report_stall *stalls; /* settled: by thread, then start */
	size_t nprocesses, nthreads, nwaits, nturns, nstalls;
};

enum report_cache { REPORT_COLD, REPORT_WARM };

struct report {
	const char *command; /* as it would be typed */
	enum report_cache cache;
	unsigned asked;		 /* runs of each side that were wanted */
	bool interrupted;	 /* some of them are missing */
	int64_t when;		 /* seconds since 1970 */
	bool guarded;		 /* a stall that is too long is a finding */
	uint64_t max_stall_ns;	 /* what is allowed; UINT64_MAX: anything */
	struct report_run *runs; /* owns; in the order in which they ran */
	size_t nruns;
	char **texts; /* owns; a hash table */
	size_t ntexts, texts_room;
	bool no_memory; /* something is missing from it */
};

void report_open(struct report *r);
void report_free(struct report *r);

/* A copy of `text` that lives as long as the report, the same for equal texts. NULL is "". */
const char *report_text(struct report *r, const char *text);

/*
 * Each adds one and returns it, zeroed, to be filled in; its index is the count before. Valid until
 * the next of its kind is added. NULL: no memory, and `no_memory` says so.
 */
struct report_run *report_run_add(struct report *r);
struct report_process *report_process_add(struct report *r, struct report_run *run);
struct report_thread *report_thread_add(struct report *r, struct report_run *run);
struct report_wait *report_wait_add(struct report *r, struct report_run *run);
struct report_turn *report_turn_add(struct report *r, struct report_run *run);

/* Sorts, finds out which wait was in which turn, and makes the stalls. */
void report_run_settle(struct report *r, struct report_run *run);

const char *report_side_to_str(enum report_side side); /* "without", "with" */
const char *report_kind_to_str(enum report_kind kind); /* "lookup", "connect" */

#endif
