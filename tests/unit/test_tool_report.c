// SPDX-License-Identifier: MIT
/*
 * test_tool_report.c - a comparison's figures, made of runs that stand here.
 */
#include "shim/tool/report_html.h"
#include "shim/tool/report_rows.h"
#include "tests/unit/report_rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* ---- percentiles ---- */

Test(tool_report, percentile_is_of_the_nearest_rank)
{
	static const struct {
		size_t n;
		unsigned percent;
		uint64_t expected;
	} cases[] = {
		{0, 50, 0},    {1, 1, 1},   {1, 99, 1},	     {2, 50, 1},     {2, 51, 2},
		{3, 50, 2},    {4, 50, 2},  {20, 95, 19},    {21, 95, 20},   {99, 99, 99},
		{100, 99, 99}, {100, 1, 1}, {100, 100, 100}, {200, 99, 198},
	};
	uint64_t values[200];

	for (size_t i = 0; i < 200; i++)
		values[i] = i + 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(report_percentile(values, cases[i].n, cases[i].percent),
			     cases[i].expected, "case %zu", i);
}

Test(tool_report, percentiles_are_of_all_runs_of_a_side)
{
	struct report_summary s;
	struct report r;

	report_open(&r);
	for (unsigned run = 1; run <= 2; run++) {
		add_run(&r, REPORT_WITHOUT, run);
		for (uint64_t i = 0; i < 50; i++)
			add_wait(&r, REPORT_LOOKUP, i * 50, i * 2 + run, "www.test");
		settle(&r);
	}
	add_run(&r, REPORT_WITH, 1);
	add_wait(&r, REPORT_LOOKUP, 0, 1000, "other.test");
	settle(&r);
	report_summarise(&r, REPORT_WITHOUT, &s);
	cr_assert_eq(s.runs, 2);
	cr_assert_eq(s.times[REPORT_LOOKUP].n, 100);
	cr_assert_eq(s.times[REPORT_LOOKUP].p50_ns, 50 * MS);
	cr_assert_eq(s.times[REPORT_LOOKUP].p95_ns, 95 * MS);
	cr_assert_eq(s.times[REPORT_LOOKUP].p99_ns, 99 * MS);
	cr_assert_eq(s.times[REPORT_LOOKUP].longest_ns, 100 * MS);
	cr_assert_eq(s.times[REPORT_CONNECT].n, 0);
	report_free(&r);
}

/* ---- stalls ---- */

Test(tool_report, waits_of_one_turn_are_one_stall)
{
	struct report_summary s;
	struct report r;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	add_turn(&r, 1000, 20);
	add_turn(&r, 100, 500);
	add_wait(&r, REPORT_CONNECT, 320, 250, "b.test");
	add_wait(&r, REPORT_LOOKUP, 110, 200, "a.test");
	settle(&r);
	cr_assert_eq(r.runs[0].nstalls, 1);
	cr_assert_eq(r.runs[0].stalls[0].ns, 450 * MS);
	cr_assert_eq(r.runs[0].stalls[0].start_ns, 110 * MS);
	cr_assert_eq(r.runs[0].stalls[0].waits, 2);
	cr_assert(r.runs[0].stalls[0].in_loop);
	report_summarise(&r, REPORT_WITHOUT, &s);
	cr_assert_eq(s.turn_ns, 500 * MS);
	cr_assert_eq(s.turn_blocked_ns[REPORT_LOOKUP], 200 * MS);
	cr_assert_eq(s.turn_blocked_ns[REPORT_CONNECT], 250 * MS);
	cr_assert_str_eq(s.turn_name, "b.test");
	cr_assert_str_eq(s.stall_name, "b.test");
	cr_assert_eq(s.turns, 7);
	report_free(&r);
}

Test(tool_report, waits_outside_of_a_loop_are_a_stall_each)
{
	struct report r;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	add_wait(&r, REPORT_LOOKUP, 0, 10, "a.test");
	add_wait(&r, REPORT_LOOKUP, 10, 9, "too-short.test");
	add_wait(&r, REPORT_LOOKUP, 20, 30, "b.test");
	settle(&r);
	cr_assert_eq(r.runs[0].nstalls, 2);
	cr_assert(!r.runs[0].stalls[0].in_loop);
	report_free(&r);
}

Test(tool_report, short_waits_of_one_turn_add_up)
{
	struct report r;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	add_turn(&r, 0, 100);
	for (uint64_t i = 0; i < 10; i++)
		add_wait(&r, REPORT_LOOKUP, i * 5, 4, "a.test");
	settle(&r);
	cr_assert_eq(r.runs[0].nstalls, 1);
	cr_assert_eq(r.runs[0].stalls[0].ns, 40 * MS);
	report_free(&r);
}

Test(tool_report, another_threads_turn_is_not_held_up)
{
	struct report_thread *thread;
	struct report r;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	thread = report_thread_add(&r, &r.runs[0]);
	thread->tid = 101;
	add_turn(&r, 0, 1000);
	add_wait(&r, REPORT_LOOKUP, 100, 300, "a.test");
	r.runs[0].waits[0].thread = 1;
	settle(&r);
	cr_assert_eq(r.runs[0].waits[0].turn, REPORT_NONE);
	cr_assert_eq(r.runs[0].turns[0].blocked_ns[REPORT_LOOKUP], 0);
	report_free(&r);
}

Test(tool_report, limit_is_for_stalls_with_the_shim)
{
	struct report_view v;
	struct report r;

	report_open(&r);
	r.guarded = true;
	r.max_stall_ns = 100 * MS;
	add_run(&r, REPORT_WITHOUT, 1);
	add_wait(&r, REPORT_LOOKUP, 0, 300, "a.test");
	settle(&r);
	add_run(&r, REPORT_WITH, 1);
	add_wait(&r, REPORT_LOOKUP, 0, 100, "a.test");
	settle(&r);
	report_view_open(&r, &v);
	cr_assert(!v.exceeds);
	report_view_free(&v);
	r.max_stall_ns = 99 * MS;
	report_view_open(&r, &v);
	cr_assert(v.exceeds);
	report_view_free(&v);
	report_free(&r);
}

static bool is_unseen(struct report *r)
{
	struct report_view v;
	bool unseen;

	report_view_open(r, &v);
	unseen = v.unseen;
	report_view_free(&v);
	return unseen;
}

/* What was not read may have been a stall: a guard that cannot see must not say that all is well.
 */
Test(tool_report, limit_is_not_kept_where_records_are_lost)
{
	struct report r;

	report_open(&r);
	r.guarded = true;
	r.max_stall_ns = 100 * MS;
	add_run(&r, REPORT_WITHOUT, 1)->lost = 1;
	settle(&r);
	add_run(&r, REPORT_WITH, 1);
	settle(&r);
	cr_assert(!is_unseen(&r), "what is lost without the shim does not matter");
	r.runs[1].lost = 1;
	cr_assert(is_unseen(&r));
	r.guarded = false;
	cr_assert(!is_unseen(&r));
	report_free(&r);
}

/* ---- groups ---- */

Test(tool_report, names_that_block_longest_come_first)
{
	struct report_group *groups;
	struct report r;
	size_t n;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	add_wait(&r, REPORT_LOOKUP, 0, 20, "a.test");
	add_wait(&r, REPORT_LOOKUP, 20, 300, "b.test");
	add_wait(&r, REPORT_CONNECT, 400, 50, "a.test");
	settle(&r);
	add_run(&r, REPORT_WITH, 1);
	add_wait(&r, REPORT_LOOKUP, 0, 1, "a.test");
	settle(&r);
	groups = report_by_name(&r, &n);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(groups[0].key, "b.test");
	cr_assert_str_eq(groups[1].key, "a.test");
	cr_assert_eq(groups[1].n[REPORT_WITHOUT][REPORT_CONNECT], 1);
	cr_assert_eq(groups[1].blocked_ns[REPORT_WITHOUT][REPORT_LOOKUP], 20 * MS);
	cr_assert_eq(groups[1].longest_ns[REPORT_WITHOUT], 50 * MS);
	cr_assert_eq(groups[1].blocked_ns[REPORT_WITH][REPORT_LOOKUP], 1 * MS);
	free(groups);
	groups = report_by_program(&r, &n);
	cr_assert_eq(n, 1);
	cr_assert_eq(groups[0].processes[REPORT_WITH], 1);
	free(groups);
	report_free(&r);
}

/* ---- does CMD do the same? ---- */

static enum report_same same_of(const int (*ends)[2], size_t n)
{
	enum report_same same;
	struct report r;

	report_open(&r);
	for (size_t i = 0; i < n; i++)
		add_run(&r, ends[i][0] ? REPORT_WITH : REPORT_WITHOUT, 1)->end.status = ends[i][1];
	same = report_same_end(&r);
	report_free(&r);
	return same;
}

Test(tool_report, ends_are_held_to_those_without)
{
	cr_assert_eq(same_of((const int[][2]){{0, 0}, {1, 0}, {0, 0}, {1, 0}}, 4), REPORT_SAME);
	cr_assert_eq(same_of((const int[][2]){{0, 0}, {1, 1}, {0, 0}, {1, 0}}, 4), REPORT_DIFFERS);
	cr_assert_eq(same_of((const int[][2]){{0, 0}, {1, 1}, {0, 1}, {1, 0}}, 4), REPORT_VARIES);
	cr_assert_eq(same_of((const int[][2]){{0, 0}}, 1), REPORT_UNKNOWN);
}

Test(tool_report, stopped_runs_are_no_result)
{
	struct report r;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	add_run(&r, REPORT_WITH, 1);
	r.runs[1].end = (struct report_end){.status = -1, .signal = 2, .stopped = true};
	cr_assert_eq(report_same_end(&r), REPORT_UNKNOWN);
	report_free(&r);
}

Test(tool_report, every_end_is_listed_once)
{
	static const int ends[] = {12, 1, 12, 1, 2};
	struct report_view v;
	struct report r;

	report_open(&r);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		add_run(&r, REPORT_WITHOUT, (unsigned)i + 1)->end.status = ends[i];
	report_view_open(&r, &v);
	cr_assert_str_eq(v.rows[v.nrows - 2].label, "CMD ended with");
	cr_assert_str_eq(v.rows[v.nrows - 2].value[REPORT_WITHOUT], "exit 12, exit 1, exit 2");
	report_view_free(&v);
	report_free(&r);
}

/* ---- figures in words ---- */

Test(tool_report, durations_have_three_digits)
{
	static const struct {
		uint64_t ns;
		const char *text, *tick;
	} cases[] = {
		{0, "0 ns", "0 ns"},
		{999, "999 ns", "999 ns"},
		{1000, "1.00 \xc2\xb5s", "1 \xc2\xb5s"},
		{99960, "100 \xc2\xb5s", "100 \xc2\xb5s"},
		{999499, "999 \xc2\xb5s", "999 \xc2\xb5s"},
		{999500, "1.00 ms", "1 ms"},
		{1500000, "1.50 ms", "1.5 ms"},
		{300 * MS, "300 ms", "300 ms"},
		{1520 * MS, "1.52 s", "1.52 s"},
		{59940 * MS, "59.9 s", "59.9 s"},
		{59960 * MS, "1 min 0 s", "1 min 0 s"},
		{130 * 1000 * MS, "2 min 10 s", "2 min 10 s"},
	};
	char got[REPORT_WORD];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_str_eq(report_format_ns(cases[i].ns, got), cases[i].text);
		cr_assert_str_eq(report_format_tick(cases[i].ns, got),
				 cases[i].ns ? cases[i].tick : "0");
	}
}

Test(tool_report, changes_are_in_percent_where_that_says_something)
{
	static const struct {
		uint64_t before, after;
		const char *text;
	} cases[] = {
		{0, 0, ""},	      {0, 5, "new"},	    {5, 0, "-100 %"},
		{1000, 1004, "same"}, {1000, 900, "-10 %"}, {1000, 1250, "+25 %"},
		{100, 450, "4.5 x"},  {1000, 5, "-99.5 %"}, {1000000, 1, "-99.9 %"},
	};
	char got[REPORT_WORD];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_str_eq(report_format_change(cases[i].before, cases[i].after, got),
				 cases[i].text);
}

Test(tool_report, ticks_are_round)
{
	cr_assert_eq(report_round_up(1), 1);
	cr_assert_eq(report_round_up(3), 5);
	cr_assert_eq(report_round_up(11), 20);
	cr_assert_eq(report_round_up(50), 50);
	cr_assert_eq(report_round_up(51), 100);
	cr_assert_eq(report_round_up(100), 100);
}
