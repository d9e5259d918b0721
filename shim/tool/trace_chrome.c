// SPDX-License-Identifier: MIT
/*
 * trace_chrome.c - traces in the Trace Event Format of Chrome, as one array of events: metadata (M)
 * for the names of processes and threads, complete events (X) for what a thread did, which lie in
 * each other as calls do, asynchronous ones (b, e) for races, which do not, and for what a thread
 * was in at the end, events that begin (B) and do not end. Microseconds of CLOCK_BOOTTIME, so that
 * processes of one machine go together.
 */
#include "shim/tool/trace_print.h"

static double us(uint64_t ns)
{
	return (double)ns / 1000;
}

static void name_event(struct json *j, const char *what, uint32_t pid, uint32_t tid,
		       const char *name)
{
	json_object(j, NULL);
	json_text(j, "ph", "M");
	json_text(j, "name", what);
	json_uint(j, "pid", pid);
	json_uint(j, "tid", tid);
	json_object(j, "args");
	json_text(j, "name", name);
	json_end(j);
	json_end(j);
}

static void chrome_open(struct trace_printer *p)
{
	json_open(&p->json, p->out);
	p->json.lines = true;
	json_array(&p->json, NULL);
}

static void chrome_begin(struct trace_printer *p, const char *path, const struct trace_info *info)
{
	char name[600];

	(void)path;
	(void)snprintf(name, sizeof(name), "%s%s", trace_program(info),
		       info->observe ? " (observe)" : "");
	name_event(&p->json, "process_name", info->pid, info->pid, name);
}

static void write_args(struct json *j, const struct trace_record *r)
{
	char addr[INET6_ADDRSTRLEN];

	json_object(j, "args");
	if (r->type == TRACE_TURN) {
		json_uint(j, "blocked_us", r->blocked_ns / 1000);
		json_uint(j, "lookups", r->lookups);
		json_uint(j, "connects", r->connects);
		json_end(j);
		return;
	}
	json_text(j, "result", trace_error(r) ? trace_error(r) : "success");
	if (r->type == TRACE_LOOKUP) {
		json_text(j, "source", trace_source_to_str(r->source));
		json_uint(j, "addresses", r->naddrs);
	} else {
		json_text(j, "address", trace_addr_to_str(&r->addrs[0], addr));
		json_uint(j, "port", r->port);
	}
	if (r->type == TRACE_RACE) {
		json_text(j, "end", trace_race_end_to_str(r->end));
		json_uint(j, "attempts", r->attempts);
		json_text(j, "winner",
			  r->winner_family ? trace_addr_to_str(&r->winner, addr) : NULL);
	}
	json_end(j);
}

static void title(const struct trace_record *r, char *buf, size_t size)
{
	char addr[INET6_ADDRSTRLEN];
	const char *what = r->type == TRACE_LOOKUP && !r->under_way
				   ? trace_function_to_str(r->function)
				   : trace_type_to_str(r->type);

	if (r->type == TRACE_TURN)
		(void)snprintf(buf, size, "turn");
	else if (r->type == TRACE_LOOKUP || *r->name)
		(void)snprintf(buf, size, "%s %s", what, r->name);
	else
		(void)snprintf(buf, size, "%s %s", what, trace_addr_to_str(&r->addrs[0], addr));
}

static void begin_event(struct json *j, const char *phase, uint32_t pid,
			const struct trace_record *r, uint64_t at_ns)
{
	char name[TRACE_NAME_MAX + 64];

	title(r, name, sizeof(name));
	json_object(j, NULL);
	json_text(j, "ph", phase);
	json_text(j, "name", name);
	json_text(j, "cat", trace_type_to_str(r->type));
	json_uint(j, "pid", pid);
	json_uint(j, "tid", r->tid);
	json_real(j, "ts", us(at_ns), 3);
}

static void race_events(struct trace_printer *p, uint32_t pid, const struct trace_record *r)
{
	struct json *j = &p->json;

	begin_event(j, "b", pid, r, r->start_ns);
	json_uint(j, "id", ++p->nraces);
	write_args(j, r);
	json_end(j);
	begin_event(j, "e", pid, r, r->start_ns + r->duration_ns);
	json_uint(j, "id", p->nraces);
	json_end(j);
}

static void chrome_record(struct trace_printer *p, const struct trace_info *info,
			  const struct trace_record *r)
{
	struct json *j = &p->json;

	if (r->type == TRACE_THREAD) {
		name_event(j, "thread_name", info->pid, r->tid, r->name);
		return;
	}
	if (r->type == TRACE_RACE) {
		race_events(p, info->pid, r);
		return;
	}
	begin_event(j, r->under_way ? "B" : "X", info->pid, r, r->start_ns);
	if (!r->under_way) {
		json_real(j, "dur", us(r->duration_ns), 3);
		write_args(j, r);
	}
	json_end(j);
}

static void chrome_end(struct trace_printer *p, const struct trace_info *info)
{
	(void)p;
	(void)info;
}

static void chrome_close(struct trace_printer *p)
{
	json_end(&p->json);
}

const struct trace_form trace_chrome = {
	.open = chrome_open,
	.begin = chrome_begin,
	.record = chrome_record,
	.end = chrome_end,
	.close = chrome_close,
};
