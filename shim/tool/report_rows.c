// SPDX-License-Identifier: MIT
/* report_rows.c - see report_rows.h. */
#include "shim/tool/report_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Less than that is noise, whatever the percentage says. */
#define NOISE_NS      1000000u
#define NOISE_PERCENT 5

static struct report_row *add(struct report_view *v, const char *label, bool detail)
{
	struct report_row *row = &v->rows[v->nrows++];

	*row = (struct report_row){.label = label, .detail = detail};
	return row;
}

static enum report_mark judge(uint64_t before, uint64_t after)
{
	uint64_t apart = before > after ? before - after : after - before;

	if (apart < NOISE_NS || apart * 100 < before * NOISE_PERCENT)
		return REPORT_NEUTRAL;
	return after < before ? REPORT_BETTER : REPORT_WORSE;
}

static void set_change(struct report_row *row, uint64_t before, uint64_t after)
{
	(void)report_format_change(before, after, row->change);
	row->mark = judge(before, after);
}

/* Without a run on a side there is nothing to say of it. */
static void set_value(const struct report_view *v, struct report_row *row, enum report_side side,
		      const char *text)
{
	(void)snprintf(row->value[side], sizeof(row->value[side]), "%s",
		       v->side[side].runs ? text : "-");
}

static void add_ns(struct report_view *v, const char *label, bool detail, uint64_t without,
		   uint64_t with)
{
	struct report_row *row = add(v, label, detail);
	char word[REPORT_WORD];

	set_value(v, row, REPORT_WITHOUT, report_format_ns(without, word));
	set_value(v, row, REPORT_WITH, report_format_ns(with, word));
	if (v->side[REPORT_WITHOUT].runs && v->side[REPORT_WITH].runs)
		set_change(row, without, with);
}

static void add_count(struct report_view *v, const char *label, uint64_t without, uint64_t with)
{
	struct report_row *row = add(v, label, false);
	char word[REPORT_WORD];

	set_value(v, row, REPORT_WITHOUT,
		  report_format_mean(without, v->side[REPORT_WITHOUT].runs, word));
	set_value(v, row, REPORT_WITH, report_format_mean(with, v->side[REPORT_WITH].runs, word));
}

static void add_names(struct report_view *v, const char *label, const char *without,
		      const char *with)
{
	struct report_row *row = add(v, label, true);

	set_value(v, row, REPORT_WITHOUT, without);
	set_value(v, row, REPORT_WITH, with);
}

static uint64_t a_run(uint64_t total, unsigned runs)
{
	return runs ? total / runs : 0;
}

static void add_times(struct report_view *v, enum report_kind kind)
{
	const struct report_summary *s = v->side;
	const struct report_times *without = &s[REPORT_WITHOUT].times[kind];
	const struct report_times *with = &s[REPORT_WITH].times[kind];
	bool lookup = kind == REPORT_LOOKUP;

	add_count(v, lookup ? "lookups, a run" : "connects, a run", without->n, with->n);
	if (without->n + with->n == 0)
		return;
	add_ns(v, lookup ? "blocked in lookups, a run" : "blocked in connects, a run", false,
	       a_run(without->total_ns, s[REPORT_WITHOUT].runs),
	       a_run(with->total_ns, s[REPORT_WITH].runs));
	add_ns(v, "p50", true, without->p50_ns, with->p50_ns);
	add_ns(v, "p95", true, without->p95_ns, with->p95_ns);
	add_ns(v, "p99", true, without->p99_ns, with->p99_ns);
	add_ns(v, "longest", true, without->longest_ns, with->longest_ns);
	if (*without->longest_name || *with->longest_name)
		add_names(v, "of", without->longest_name, with->longest_name);
}

static void add_stalls(struct report_view *v)
{
	const struct report_summary *without = &v->side[REPORT_WITHOUT];
	const struct report_summary *with = &v->side[REPORT_WITH];
	struct report_row *row;

	add_count(v, "stalls of 10 ms or more, a run", without->stalls, with->stalls);
	row = &v->rows[v->nrows - 1];
	if (without->runs && with->runs && without->stalls + with->stalls > 0) {
		uint64_t before = without->stalls * with->runs,
			 after = with->stalls * without->runs;

		(void)report_format_change(before, after, row->change);
		row->mark = after < before   ? REPORT_BETTER
			    : after > before ? REPORT_WORSE
					     : REPORT_NEUTRAL;
	}
	if (without->stalls + with->stalls == 0)
		return;
	add_ns(v, "longest", true, without->stall_ns, with->stall_ns);
	add_names(v, "waiting for", without->stall_name, with->stall_name);
}

static void add_turns(struct report_view *v)
{
	const struct report_summary *without = &v->side[REPORT_WITHOUT];
	const struct report_summary *with = &v->side[REPORT_WITH];

	if (without->turns + with->turns == 0)
		return;
	add_ns(v, "longest loop turn", false, without->turn_ns, with->turn_ns);
	for (unsigned kind = 0; kind < REPORT_KINDS; kind++)
		if (without->turn_blocked_ns[kind] + with->turn_blocked_ns[kind] > 0)
			add_ns(v, kind == REPORT_LOOKUP ? "of it in lookups" : "of it in connects",
			       true, without->turn_blocked_ns[kind], with->turn_blocked_ns[kind]);
	if (*without->turn_name || *with->turn_name)
		add_names(v, "waiting for", without->turn_name, with->turn_name);
}

static bool has_ended_so_before(const struct report *r, size_t run)
{
	char end[REPORT_WORD], earlier[REPORT_WORD];

	(void)report_format_end(&r->runs[run].end, end);
	for (size_t i = 0; i < run; i++)
		if (r->runs[i].side == r->runs[run].side &&
		    strcmp(report_format_end(&r->runs[i].end, earlier), end) == 0)
			return true;
	return false;
}

/* The ends of all runs of a side, each once: "exit 0", "exit 0, killed by SIGSEGV". */
static void list_ends(const struct report *r, enum report_side side, char *buf, size_t size)
{
	char word[REPORT_WORD];
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < r->nruns; i++) {
		if (r->runs[i].side != side || has_ended_so_before(r, i))
			continue;
		(void)report_format_end(&r->runs[i].end, word);
		if (len + strlen(word) + 3 < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
						word);
	}
}

static void set_same(struct report_row *row, enum report_same same)
{
	(void)snprintf(row->change, sizeof(row->change), "%s", report_same_to_str(same));
	row->mark = same == REPORT_DIFFERS ? REPORT_WORSE : REPORT_NEUTRAL;
}

static void add_result(struct report_view *v)
{
	struct report_row *row = add(v, "CMD ended with", false);
	char ends[256], bytes[REPORT_WORD];

	for (unsigned side = 0; side < REPORT_SIDES; side++) {
		list_ends(v->report, side, ends, sizeof(ends));
		set_value(v, row, side, ends);
	}
	set_same(row, v->end);
	row = add(v, "its output", false);
	for (size_t i = v->report->nruns; i-- > 0;) {
		const struct report_run *run = &v->report->runs[i];

		(void)snprintf(bytes, sizeof(bytes), "%llu bytes",
			       (unsigned long long)run->out_bytes);
		set_value(v, row, run->side, bytes);
	}
	set_same(row, v->output);
}

void report_view_open(struct report *r, struct report_view *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->report = r;
	for (unsigned side = 0; side < REPORT_SIDES; side++)
		report_summarise(r, side, &ret->side[side]);
	ret->names = report_by_name(r, &ret->nnames);
	ret->programs = report_by_program(r, &ret->nprograms);
	ret->end = report_same_end(r);
	ret->output = report_same_output(r);
	ret->unseen = r->guarded && ret->side[REPORT_WITH].runs > 0 &&
		      (ret->side[REPORT_WITH].processes == 0 || ret->side[REPORT_WITH].lost > 0);
	ret->exceeds = report_exceeds(r, &ret->side[REPORT_WITH]);
	add_ns(ret, "time, median", false, ret->side[REPORT_WITHOUT].wall_ns,
	       ret->side[REPORT_WITH].wall_ns);
	add_stalls(ret);
	add_turns(ret);
	add_times(ret, REPORT_LOOKUP);
	add_times(ret, REPORT_CONNECT);
	add_result(ret);
}

void report_view_free(struct report_view *v)
{
	free(v->names);
	free(v->programs);
}

void report_verdict(const struct report_view *v, char *buf, size_t size)
{
	const struct report_summary *without = &v->side[REPORT_WITHOUT];
	const struct report_summary *with = &v->side[REPORT_WITH];
	char before[REPORT_WORD], after[REPORT_WORD];

	if (without->runs == 0 || with->runs == 0)
		(void)snprintf(buf, size, "there is nothing to compare");
	else if (without->stalls + with->stalls == 0)
		(void)snprintf(buf, size, "no stalls, neither without the shim nor with it");
	else if (with->stalls == 0)
		(void)snprintf(buf, size, "the longest stall was %s; with the shim there is none",
			       report_format_ns(without->stall_ns, before));
	else if (without->stalls == 0)
		(void)snprintf(buf, size, "no stalls without the shim; with it, of up to %s",
			       report_format_ns(with->stall_ns, after));
	else
		(void)snprintf(buf, size, "the longest stall was %s; with the shim it is %s",
			       report_format_ns(without->stall_ns, before),
			       report_format_ns(with->stall_ns, after));
}
