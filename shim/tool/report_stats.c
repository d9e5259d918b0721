// SPDX-License-Identifier: MIT
/* report_stats.c - see report_stats.h: percentiles, and one side in figures. */
#include "shim/tool/report_stats.h"

#include <stdlib.h>
#include <string.h>

uint64_t report_percentile(const uint64_t *sorted, size_t n, unsigned percent)
{
	size_t rank = (n * percent + 99) / 100;

	return n ? sorted[rank ? rank - 1 : 0] : 0;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t count_waits(const struct report *r, enum report_side side)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nruns; i++)
		n += r->runs[i].side == side ? r->runs[i].nwaits : 0;
	return n;
}

static void add_wait(struct report_times *t, const struct report_wait *w, uint64_t *values)
{
	values[t->n++] = w->ns;
	t->total_ns += w->ns;
	t->failed += *w->result != '\0';
	if (w->ns >= t->longest_ns) {
		t->longest_ns = w->ns;
		t->longest_name = w->name;
	}
}

static void measure_kind(const struct report *r, enum report_side side, enum report_kind kind,
			 uint64_t *values, struct report_times *ret)
{
	*ret = (struct report_times){.longest_name = ""};
	for (size_t i = 0; i < r->nruns; i++)
		for (size_t k = 0; r->runs[i].side == side && k < r->runs[i].nwaits; k++)
			if (r->runs[i].waits[k].kind == kind)
				add_wait(ret, &r->runs[i].waits[k], values);
	qsort(values, ret->n, sizeof(*values), compare_ns);
	ret->p50_ns = report_percentile(values, ret->n, 50);
	ret->p95_ns = report_percentile(values, ret->n, 95);
	ret->p99_ns = report_percentile(values, ret->n, 99);
}

static void add_stalls(const struct report_run *run, struct report_summary *s)
{
	s->stalls += run->nstalls;
	for (size_t i = 0; i < run->nstalls; i++) {
		const struct report_stall *stall = &run->stalls[i];

		s->stalled_ns += stall->ns;
		if (stall->ns <= s->stall_ns)
			continue;
		s->stall_ns = stall->ns;
		s->stall_name = run->waits[stall->longest_wait].name;
		s->stall_kind = run->waits[stall->longest_wait].kind;
	}
}

static void add_turns(const struct report_run *run, struct report_summary *s)
{
	for (size_t i = 0; i < run->nthreads; i++)
		s->turns += run->threads[i].turns;
	for (size_t i = 0; i < run->nturns; i++) {
		const struct report_turn *turn = &run->turns[i];

		if (turn->ns <= s->turn_ns)
			continue;
		s->turn_ns = turn->ns;
		memcpy(s->turn_blocked_ns, turn->blocked_ns, sizeof(s->turn_blocked_ns));
		s->turn_name = turn->longest_wait == REPORT_NONE
				       ? ""
				       : run->waits[turn->longest_wait].name;
	}
}

static uint64_t median_wall(const struct report *r, enum report_side side, uint64_t *values)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nruns; i++)
		if (r->runs[i].side == side)
			values[n++] = r->runs[i].wall_ns;
	qsort(values, n, sizeof(*values), compare_ns);
	return report_percentile(values, n, 50);
}

void report_summarise(struct report *r, enum report_side side, struct report_summary *ret)
{
	uint64_t *values = calloc(count_waits(r, side) + r->nruns + 1, sizeof(*values));

	*ret = (struct report_summary){.stall_name = "", .turn_name = ""};
	for (unsigned kind = 0; kind < REPORT_KINDS; kind++)
		ret->times[kind].longest_name = "";
	if (values == NULL) {
		r->no_memory = true;
		return;
	}
	ret->wall_ns = median_wall(r, side, values);
	for (unsigned kind = 0; kind < REPORT_KINDS; kind++)
		measure_kind(r, side, kind, values, &ret->times[kind]);
	for (size_t i = 0; i < r->nruns; i++) {
		const struct report_run *run = &r->runs[i];

		if (run->side != side)
			continue;
		ret->runs++;
		ret->processes += run->nprocesses;
		ret->threads += run->nthreads;
		ret->lost += run->lost;
		add_stalls(run, ret);
		add_turns(run, ret);
	}
	free(values);
}

bool report_exceeds(const struct report *r, const struct report_summary *with)
{
	return with->stall_ns > r->max_stall_ns;
}

/* ---- does CMD do the same? ---- */

static bool same_end(const struct report_run *a, const struct report_run *b)
{
	return a->end.status == b->end.status && a->end.signal == b->end.signal;
}

static bool same_output(const struct report_run *a, const struct report_run *b)
{
	return a->out_bytes == b->out_bytes && a->out_hash == b->out_hash;
}

/* All are held to the first run without the shim. What was stopped is no result. */
static enum report_same compare(const struct report *r,
				bool (*same)(const struct report_run *, const struct report_run *))
{
	const struct report_run *first = NULL;
	bool seen = false, differs[REPORT_SIDES] = {false, false};

	for (size_t i = 0; i < r->nruns && first == NULL; i++)
		if (r->runs[i].side == REPORT_WITHOUT && !r->runs[i].end.stopped)
			first = &r->runs[i];
	for (size_t i = 0; first && i < r->nruns; i++) {
		const struct report_run *run = &r->runs[i];

		if (run->end.stopped)
			continue;
		seen |= run->side == REPORT_WITH;
		differs[run->side] |= !same(first, run);
	}
	if (!seen)
		return REPORT_UNKNOWN;
	if (differs[REPORT_WITHOUT])
		return REPORT_VARIES;
	return differs[REPORT_WITH] ? REPORT_DIFFERS : REPORT_SAME;
}

enum report_same report_same_end(const struct report *r)
{
	return compare(r, same_end);
}

enum report_same report_same_output(const struct report *r)
{
	return compare(r, same_output);
}

const char *report_same_to_str(enum report_same same)
{
	switch (same) {
	case REPORT_SAME:
		return "same";
	case REPORT_DIFFERS:
		return "differs";
	case REPORT_VARIES:
		return "varies";
	case REPORT_UNKNOWN:
		return "unknown";
	}
	return "unknown";
}
