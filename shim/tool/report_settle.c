// SPDX-License-Identifier: MIT
/*
 * report_settle.c - which wait was in which turn of a thread's loop, and what stalls they make.
 *
 * Waits and turns are sorted by thread and start; then one pass over the waits goes along the
 * turns. Turns of one thread do not overlap, nor do waits: a thread does one thing at a time.
 */
#include "shim/tool/report.h"

#include <stdlib.h>

static int by_place(size_t a_thread, uint64_t a_ns, size_t b_thread, uint64_t b_ns)
{
	if (a_thread != b_thread)
		return a_thread < b_thread ? -1 : 1;
	return (a_ns > b_ns) - (a_ns < b_ns);
}

static int compare_waits(const void *a, const void *b)
{
	const struct report_wait *x = a, *y = b;

	return by_place(x->thread, x->start_ns, y->thread, y->start_ns);
}

static int compare_turns(const void *a, const void *b)
{
	const struct report_turn *x = a, *y = b;

	return by_place(x->thread, x->start_ns, y->thread, y->start_ns);
}

/* Is the turn over before the wait begins? */
static bool is_before(const struct report_turn *turn, const struct report_wait *wait)
{
	return turn->thread < wait->thread ||
	       (turn->thread == wait->thread && turn->start_ns + turn->ns <= wait->start_ns);
}

static void put_into(struct report_run *run, size_t wait, size_t turn)
{
	struct report_wait *w = &run->waits[wait];
	struct report_turn *t = &run->turns[turn];

	w->turn = turn;
	t->blocked_ns[w->kind] += w->ns;
	if (t->longest_wait == REPORT_NONE || run->waits[t->longest_wait].ns < w->ns)
		t->longest_wait = wait;
}

static void put_waits_into_turns(struct report_run *run)
{
	size_t turn = 0;

	for (size_t i = 0; i < run->nwaits; i++) {
		const struct report_wait *w = &run->waits[i];

		while (turn < run->nturns && is_before(&run->turns[turn], w))
			turn++;
		if (turn < run->nturns && run->turns[turn].thread == w->thread &&
		    run->turns[turn].start_ns <= w->start_ns)
			put_into(run, i, turn);
	}
}

static struct report_stall *stall_add(struct report *r, struct report_run *run)
{
	struct report_stall *stalls = run->stalls;

	if ((run->nstalls & (run->nstalls - 1)) == 0) {
		stalls = reallocarray(stalls, run->nstalls ? run->nstalls * 2 : 1, sizeof(*stalls));
		if (stalls == NULL) {
			r->no_memory = true;
			return NULL;
		}
		run->stalls = stalls;
	}
	return &run->stalls[run->nstalls++];
}

/* All waits of one turn together, waits[first] to waits[last - 1]; or one alone. */
static void make_stall(struct report *r, struct report_run *run, size_t first, size_t last)
{
	struct report_stall stall = {
		.thread = run->waits[first].thread,
		.start_ns = run->waits[first].start_ns,
		.longest_wait = first,
		.waits = last - first,
		.in_loop = run->waits[first].turn != REPORT_NONE,
	};
	struct report_stall *added;

	for (size_t i = first; i < last; i++) {
		const struct report_wait *w = &run->waits[i];

		stall.ns += w->ns;
		stall.blocked_ns[w->kind] += w->ns;
		if (run->waits[stall.longest_wait].ns < w->ns)
			stall.longest_wait = i;
	}
	if (stall.ns < REPORT_STALL_NS)
		return;
	added = stall_add(r, run);
	if (added)
		*added = stall;
}

static void make_stalls(struct report *r, struct report_run *run)
{
	size_t last;

	for (size_t first = 0; first < run->nwaits; first = last) {
		last = first + 1;
		while (run->waits[first].turn != REPORT_NONE && last < run->nwaits &&
		       run->waits[last].turn == run->waits[first].turn)
			last++;
		make_stall(r, run, first, last);
	}
}

void report_run_settle(struct report *r, struct report_run *run)
{
	if (run->nwaits > 0)
		qsort(run->waits, run->nwaits, sizeof(*run->waits), compare_waits);
	if (run->nturns > 0)
		qsort(run->turns, run->nturns, sizeof(*run->turns), compare_turns);
	put_waits_into_turns(run);
	make_stalls(r, run);
}
