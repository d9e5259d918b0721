// SPDX-License-Identifier: MIT
/* trace_json.c - traces as JSON lines: one object for a process, for each record, and for what
 * could not be read. */
#include "shim/tool/trace_print.h"

static void json_begin_file(struct trace_printer *p, const char *path,
			    const struct trace_info *info)
{
	struct json *j = &p->json;

	json_object(j, NULL);
	json_text(j, "type", "process");
	json_text(j, "file", path);
	json_uint(j, "pid", info->pid);
	json_uint(j, "ppid", info->ppid);
	json_text(j, "exe", info->exe);
	json_array(j, "argv");
	for (const char *const *arg = info->argv; *arg; arg++)
		json_text(j, NULL, *arg);
	json_end(j);
	json_text(j, "mode", info->observe ? "observe" : "on");
	json_uint(j, "start_ns", info->start_boot_ns);
	json_real(j, "time", trace_unix_time(info, info->start_boot_ns), 6);
	json_end(j);
}

static void write_addr(struct json *j, const char *key, const struct in6_addr *addr)
{
	char buf[INET6_ADDRSTRLEN];

	json_text(j, key, trace_addr_to_str(addr, buf));
}

static void write_lookup(struct json *j, const struct trace_record *r)
{
	json_text(j, "function", r->under_way ? NULL : trace_function_to_str(r->function));
	json_text(j, "name", r->name);
	json_text(j, "family",
		  r->family == AF_INET	  ? "ipv4"
		  : r->family == AF_INET6 ? "ipv6"
					  : "any");
	json_text(j, "source", trace_source_to_str(r->source));
	json_uint(j, "naddresses", r->naddrs);
	json_array(j, "addresses");
	for (unsigned i = 0; i < r->n_kept; i++)
		write_addr(j, NULL, &r->addrs[i]);
	json_end(j);
}

static void write_destination(struct json *j, const struct trace_record *r)
{
	json_text(j, "name", *r->name ? r->name : NULL);
	write_addr(j, "address", &r->addrs[0]);
	json_uint(j, "port", r->port);
}

static void write_race(struct json *j, const struct trace_record *r)
{
	write_destination(j, r);
	json_text(j, "end", trace_race_end_to_str(r->end));
	json_uint(j, "attempts", r->attempts);
	json_bool(j, "blocking", r->blocking);
	if (r->winner_family == 0) {
		json_null(j, "winner");
		return;
	}
	write_addr(j, "winner", &r->winner);
	json_bool(j, "own_socket", r->own_won);
}

static void write_turn(struct json *j, const struct trace_record *r)
{
	json_uint(j, "blocked_ns", r->blocked_ns);
	json_uint(j, "lookups", r->lookups);
	json_uint(j, "connects", r->connects);
}

static void write_thread(struct json *j, const struct trace_record *r)
{
	json_uint(j, "turns", r->turns);
	json_uint(j, "busy_ns", r->busy_ns);
	json_uint(j, "longest_ns", r->longest_ns);
	json_uint(j, "waits_ns", r->waits_ns);
	json_array(j, "histogram");
	for (unsigned i = 0; i < TRACE_TURN_BUCKETS; i++)
		json_uint(j, NULL, r->histogram[i]);
	json_end(j);
}

static void write_result(struct json *j, const struct trace_record *r)
{
	if (r->under_way)
		json_null(j, "result");
	else
		json_int(j, "result", r->result);
	json_text(j, "error", trace_error(r));
}

static void write_type(struct json *j, const struct trace_record *r)
{
	switch (r->type) {
	case TRACE_LOOKUP:
		write_lookup(j, r);
		write_result(j, r);
		break;
	case TRACE_CONNECT:
		json_int(j, "descriptor", r->fd);
		write_destination(j, r);
		write_result(j, r);
		break;
	case TRACE_RACE:
		write_race(j, r);
		write_result(j, r);
		break;
	case TRACE_TURN:
		write_turn(j, r);
		break;
	case TRACE_THREAD:
		write_thread(j, r);
		break;
	}
}

static void json_record(struct trace_printer *p, const struct trace_info *info,
			const struct trace_record *r)
{
	struct json *j = &p->json;

	json_object(j, NULL);
	json_text(j, "type", trace_type_to_str(r->type));
	json_uint(j, "pid", info->pid);
	json_uint(j, "tid", r->tid);
	json_text(j, "thread", r->thread);
	json_uint(j, "start_ns", r->start_ns);
	if (r->under_way)
		json_null(j, "duration_ns");
	else
		json_uint(j, "duration_ns", r->duration_ns);
	write_type(j, r);
	json_end(j);
}

static void json_end_file(struct trace_printer *p, const struct trace_info *info)
{
	struct json *j = &p->json;

	json_object(j, NULL);
	json_text(j, "type", "end");
	json_uint(j, "pid", info->pid);
	json_uint(j, "records", info->records);
	json_uint(j, "unfinished", info->unfinished);
	json_uint(j, "damaged", info->damaged);
	json_uint(j, "dropped", info->dropped);
	json_bool(j, "truncated", info->truncated);
	json_end(j);
}

static void json_open_lines(struct trace_printer *p)
{
	json_open(&p->json, p->out);
	p->json.lines = true;
}

static void json_close_lines(struct trace_printer *p)
{
	(void)p;
}

const struct trace_form trace_json = {
	.open = json_open_lines,
	.begin = json_begin_file,
	.record = json_record,
	.end = json_end_file,
	.close = json_close_lines,
};
