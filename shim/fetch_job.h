// SPDX-License-Identifier: MIT
/*
 * fetch_job.h - what the two sides of a fetch share: the asker's (fetch.c) and the io thread's
 * (fetch_job.c, fetch_end.c). Nobody else includes it.
 */
#ifndef NOBLOCKDNS_FETCH_JOB_H
#define NOBLOCKDNS_FETCH_JOB_H

#include "shim/fetch.h"
#include "shim/settings.h"

enum fetch_state { FETCH_WAITING, FETCH_DONE, FETCH_ABANDONED };

/* Two references: the asker's and the io thread's. All below `at_deadline` is constant. */
struct fetch {
	struct io_task task; /* first: the io thread gets it back from the task */
	_Atomic uint32_t refs;
	_Atomic uint32_t state; /* enum fetch_state; futex; leaves WAITING once, by the io thread to
				 * DONE or by the asker to ABANDONED */
	struct blob *blob;	/* owns; written before DONE */
	fetch_done_fn done;	/* NULL: somebody sleeps in fetch_wait() */
	void *arg;

	struct fetch *next_waiting; /* in its job; io thread only, like the next two */
	struct job *job;
	struct io_timer at_deadline;

	uint64_t deadline_ms;
	unsigned types;
	struct name name;
	char spelling[RESOLVER_NAME_MAX];
	uint64_t view;
	uint64_t begun_ms; /* when the io thread began with it */
	uint64_t key;	   /* siblings_key() */
	struct lease lease;
	bool refresh;
	bool race; /* a late answer is of use to siblings_extend() */
	struct resolver_conf upstreams;
	uint32_t query_ms; /* a query's longest life */
	bool has_cache;	   /* that an answer which comes too late can go into */
	uint32_t delay_ms; /* resolution delay */
	uint32_t min_ttl_s, max_ttl_s;
	bool guarded;		  /* against rebinding (fetch_guard.h) */
	const char *rebind_allow; /* borrows; as in struct config */
	bool one_at_a_time;	  /* resolv.conf single-request: AAAA after A */
};

void fetch_unref(struct fetch *f);

/* The io thread's side: takes over its reference. */
void fetch_job_run(struct io_task *task, uint64_t now_ms);

/* In a forked child: their memory is the parent's. */
void fetch_job_reset(void);

#endif
