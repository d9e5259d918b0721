// SPDX-License-Identifier: MIT
/*
 * report_rig.h - runs of a comparison, made by hand: for the tests of shim/tool/report.h.
 */
#ifndef NOBLOCKDNS_TEST_REPORT_RIG_H
#define NOBLOCKDNS_TEST_REPORT_RIG_H

#include "shim/tool/report.h"

#define MS UINT64_C(1000000)

static inline struct report_run *add_run(struct report *r, enum report_side side, unsigned number)
{
	struct report_run *run = report_run_add(r);
	struct report_process *process = report_process_add(r, run);
	struct report_thread *thread = report_thread_add(r, run);

	run->side = side;
	run->number = number;
	run->wall_ns = 5000 * MS;
	process->pid = 100;
	process->program = report_text(r, "feeder");
	thread->tid = 100;
	thread->name = report_text(r, "feeder");
	thread->turns = 7;
	return run;
}

static inline void add_wait(struct report *r, enum report_kind kind, uint64_t start_ms, uint64_t ms,
			    const char *name)
{
	struct report_wait *w = report_wait_add(r, &r->runs[r->nruns - 1]);

	w->kind = kind;
	w->start_ns = start_ms * MS;
	w->ns = ms * MS;
	w->name = report_text(r, name);
}

static inline void add_turn(struct report *r, uint64_t start_ms, uint64_t ms)
{
	struct report_turn *t = report_turn_add(r, &r->runs[r->nruns - 1]);

	t->start_ns = start_ms * MS;
	t->ns = ms * MS;
}

static inline void settle(struct report *r)
{
	report_run_settle(r, &r->runs[r->nruns - 1]);
}

#endif
