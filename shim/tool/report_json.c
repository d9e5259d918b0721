// SPDX-License-Identifier: MIT
/*
 * report_json.c - see report_write.h: all there is, for other programs. Times are nanoseconds;
 * those of a run count from its start.
 */
#include "shim/tool/json.h"
#include "shim/tool/report_write.h"

static void write_times(struct json *j, const char *key, const struct report_times *t)
{
	json_object(j, key);
	json_uint(j, "count", t->n);
	json_uint(j, "failed", t->failed);
	json_uint(j, "blocked_ns", t->total_ns);
	json_uint(j, "p50_ns", t->p50_ns);
	json_uint(j, "p95_ns", t->p95_ns);
	json_uint(j, "p99_ns", t->p99_ns);
	json_uint(j, "longest_ns", t->longest_ns);
	json_text(j, "longest_name", t->longest_name);
	json_end(j);
}

static void write_summary(struct json *j, const char *key, const struct report_summary *s)
{
	json_object(j, key);
	json_uint(j, "runs", s->runs);
	json_uint(j, "median_ns", s->wall_ns);
	json_uint(j, "processes", s->processes);
	json_uint(j, "threads", s->threads);
	write_times(j, "lookups", &s->times[REPORT_LOOKUP]);
	write_times(j, "connects", &s->times[REPORT_CONNECT]);
	json_object(j, "stalls");
	json_uint(j, "count", s->stalls);
	json_uint(j, "blocked_ns", s->stalled_ns);
	json_uint(j, "longest_ns", s->stall_ns);
	json_text(j, "longest_kind", s->stalls ? report_kind_to_str(s->stall_kind) : NULL);
	json_text(j, "longest_name", s->stall_name);
	json_end(j);
	json_object(j, "turns");
	json_uint(j, "count", s->turns);
	json_uint(j, "longest_ns", s->turn_ns);
	json_uint(j, "longest_in_lookups_ns", s->turn_blocked_ns[REPORT_LOOKUP]);
	json_uint(j, "longest_in_connects_ns", s->turn_blocked_ns[REPORT_CONNECT]);
	json_text(j, "longest_name", s->turn_name);
	json_end(j);
	json_uint(j, "records_lost", s->lost);
	json_end(j);
}

static void write_group_side(struct json *j, const struct report_group *g, enum report_side side)
{
	json_object(j, report_side_to_str(side));
	json_uint(j, "processes", g->processes[side]);
	json_uint(j, "lookups", g->n[side][REPORT_LOOKUP]);
	json_uint(j, "lookups_blocked_ns", g->blocked_ns[side][REPORT_LOOKUP]);
	json_uint(j, "connects", g->n[side][REPORT_CONNECT]);
	json_uint(j, "connects_blocked_ns", g->blocked_ns[side][REPORT_CONNECT]);
	json_uint(j, "longest_ns", g->longest_ns[side]);
	json_end(j);
}

static void write_groups(struct json *j, const char *key, const char *member,
			 const struct report_group *groups, size_t n)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_text(j, member, groups[i].key);
		write_group_side(j, &groups[i], REPORT_WITHOUT);
		write_group_side(j, &groups[i], REPORT_WITH);
		json_end(j);
	}
	json_end(j);
}

static void write_thread(struct json *j, const struct report_run *run, size_t thread)
{
	json_uint(j, "pid", run->processes[run->threads[thread].process].pid);
	json_uint(j, "tid", run->threads[thread].tid);
}

/* What a thread did from then on: how waits, turns and stalls begin. */
static void open_record(struct json *j, const struct report_run *run, size_t thread,
			uint64_t start_ns)
{
	json_object(j, NULL);
	write_thread(j, run, thread);
	json_uint(j, "start_ns", start_ns);
}

static void write_shares(struct json *j, const uint64_t blocked_ns[REPORT_KINDS])
{
	json_uint(j, "in_lookups_ns", blocked_ns[REPORT_LOOKUP]);
	json_uint(j, "in_connects_ns", blocked_ns[REPORT_CONNECT]);
}

static void write_wait(struct json *j, const struct report_run *run, const struct report_wait *w)
{
	open_record(j, run, w->thread, w->start_ns);
	json_text(j, "kind", report_kind_to_str(w->kind));
	json_uint(j, "blocked_ns", w->ns);
	json_text(j, "name", w->name);
	json_text(j, "detail", w->detail);
	json_text(j, "error", *w->result ? w->result : NULL);
	json_end(j);
}

static void write_turn(struct json *j, const struct report_run *run, const struct report_turn *t)
{
	open_record(j, run, t->thread, t->start_ns);
	json_uint(j, "duration_ns", t->ns);
	write_shares(j, t->blocked_ns);
	json_end(j);
}

static void write_stall(struct json *j, const struct report_run *run, const struct report_stall *s)
{
	open_record(j, run, s->thread, s->start_ns);
	json_uint(j, "blocked_ns", s->ns);
	write_shares(j, s->blocked_ns);
	json_uint(j, "waits", s->waits);
	json_text(j, "name", run->waits[s->longest_wait].name);
	json_bool(j, "in_loop", s->in_loop);
	json_end(j);
}

static void write_threads(struct json *j, const struct report_run *run)
{
	json_array(j, "threads");
	for (size_t i = 0; i < run->nthreads; i++) {
		json_object(j, NULL);
		write_thread(j, run, i);
		json_text(j, "program", run->processes[run->threads[i].process].program);
		json_text(j, "name", run->threads[i].name);
		json_uint(j, "turns", run->threads[i].turns);
		json_end(j);
	}
	json_end(j);
}

static void write_run(struct json *j, const struct report_run *run)
{
	json_object(j, NULL);
	json_text(j, "side", report_side_to_str(run->side));
	json_uint(j, "number", run->number);
	json_uint(j, "duration_ns", run->wall_ns);
	json_int(j, "status", run->end.status);
	json_int(j, "signal", run->end.signal);
	json_bool(j, "stopped", run->end.stopped);
	json_uint(j, "output_bytes", run->out_bytes);
	json_text(j, "complaint", run->complaint);
	write_threads(j, run);
	json_array(j, "waits");
	for (size_t i = 0; i < run->nwaits; i++)
		write_wait(j, run, &run->waits[i]);
	json_end(j);
	json_array(j, "turns");
	for (size_t i = 0; i < run->nturns; i++)
		write_turn(j, run, &run->turns[i]);
	json_end(j);
	json_array(j, "stalls");
	for (size_t i = 0; i < run->nstalls; i++)
		write_stall(j, run, &run->stalls[i]);
	json_end(j);
	json_end(j);
}

void report_write_json(const struct report_view *v, FILE *out)
{
	const struct report *r = v->report;
	struct json j;
	char remark[1024];

	json_open(&j, out);
	json_object(&j, NULL);
	json_text(&j, "command", r->command);
	json_int(&j, "time", r->when);
	json_text(&j, "cache", r->cache == REPORT_WARM ? "warm" : "cold");
	json_bool(&j, "interrupted", r->interrupted);
	if (r->max_stall_ns != UINT64_MAX)
		json_uint(&j, "max_stall_ns", r->max_stall_ns);
	json_bool(&j, "exceeds", v->exceeds);
	json_text(&j, "end", report_same_to_str(v->end));
	json_text(&j, "output", report_same_to_str(v->output));
	json_array(&j, "remarks");
	for (size_t i = 0; report_remark(v, i, remark, sizeof(remark)); i++)
		json_text(&j, NULL, remark);
	json_end(&j);
	write_summary(&j, "without", &v->side[REPORT_WITHOUT]);
	write_summary(&j, "with", &v->side[REPORT_WITH]);
	write_groups(&j, "names", "name", v->names, v->nnames);
	write_groups(&j, "programs", "program", v->programs, v->nprograms);
	json_array(&j, "runs");
	for (size_t i = 0; i < r->nruns; i++)
		write_run(&j, &r->runs[i]);
	json_end(&j);
	json_end(&j);
}
