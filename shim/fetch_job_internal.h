// SPDX-License-Identifier: MIT
/* fetch_job_internal.h - a question in flight, between fetch_job.c and fetch_end.c. On the io
 * thread, all of it. */
#ifndef NOBLOCKDNS_FETCH_JOB_INTERNAL_H
#define NOBLOCKDNS_FETCH_JOB_INTERNAL_H

#include "shim/fetch_job.h"
#include "shim/fetch_kept.h"

struct job {
	struct job *next;
	struct fetch *waiting; /* list; owns one reference each */
	/* bit sets of enum fetch_types, each a part of the one before */
	unsigned wanted, asked, known, stored;
	struct fetch_kept kept[ENTRY_NTYPES];
	struct host_view *view;
	struct io_timer delay; /* the resolution delay, once one type has addresses */
	struct io_timer overdue;
	struct lease lease; /* key 0: none */
	bool delay_over;
	bool late;	     /* nobody waits, and nobody joins */
	bool partial;	     /* somebody has gone with one family's addresses */
	struct fetch *first; /* owns one reference: name, view and limits of the job */
};

/* Did a server say what there is, of one type at least? */
bool job_is_answered(const struct job *job);

/* Is there an address among what is known? */
bool job_has_addresses(const struct job *job);

/* Ends a fetch that is in no job's list, and gives its reference back. */
void job_finish_fetch(struct fetch *f, struct blob *blob, uint64_t now_ms);

/* After each change: who has what it wants, and whether the job is over. Frees it then. */
void job_settle(struct job *job, uint64_t now_ms);

void job_free(struct job *job);

/* Timers: `arg` is the job; of the deadline, a fetch in its list. */
void job_on_delay(void *arg, uint64_t now_ms);
void job_on_overdue(void *arg, uint64_t now_ms);
void job_on_deadline(void *arg, uint64_t now_ms);

#endif
