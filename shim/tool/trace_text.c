// SPDX-License-Identifier: MIT
/* trace_text.c - traces as text: a line for each record, with the time since the file was begun. */
#include "shim/tool/terminal.h"
#include "shim/tool/text.h"
#include "shim/tool/trace_print.h"

#include <inttypes.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

#define SLOW_NS	     10000000u
#define VERY_SLOW_NS 100000000u

const char *trace_program(const struct trace_info *info)
{
	const char *slash = strrchr(info->exe, '/');

	return slash ? slash + 1 : info->exe;
}

double trace_unix_time(const struct trace_info *info, uint64_t boot_ns)
{
	return ((double)info->start_real_ns + ((double)boot_ns - (double)info->start_boot_ns)) /
	       1e9;
}

const char *trace_error(const struct trace_record *r)
{
	if (r->result == 0)
		return NULL;
	return r->type == TRACE_LOOKUP ? gai_strerror(r->result) : strerror(r->result);
}

/* A stranger's text. */
static void write_text(FILE *out, const char *text)
{
	char shown[4 * TRACE_NAME_MAX + 1];

	text_escape(text, strlen(text), shown, sizeof(shown));
	(void)fputs(shown, out);
}

static void write_argv(FILE *out, const struct trace_info *info)
{
	for (const char *const *arg = info->argv; *arg; arg++) {
		(void)fputc(' ', out);
		write_text(out, *arg);
	}
}

static void text_begin(struct trace_printer *p, const char *path, const struct trace_info *info)
{
	time_t seconds = (time_t)(info->start_real_ns / 1000000000u);
	char when[32] = "?";
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	write_text(p->out, path);
	(void)fprintf(p->out, ": process %u,%s since %s:", info->pid,
		      info->observe ? " observed" : "", when);
	write_argv(p->out, info);
	(void)fputc('\n', p->out);
}

static void write_duration(FILE *out, const struct trace_record *r)
{
	uint64_t ns = r->duration_ns;
	char text[32];

	if (r->under_way) {
		terminal_write(out, TERMINAL_BAD, "     not over");
		return;
	}
	(void)snprintf(text, sizeof(text), "%10.3f ms", (double)ns / 1e6);
	terminal_write(out,
		       ns >= VERY_SLOW_NS ? TERMINAL_BAD
		       : ns >= SLOW_NS	  ? TERMINAL_WARN
					  : TERMINAL_PLAIN,
		       text);
}

static void write_lookup(FILE *out, const struct trace_record *r)
{
	char addr[INET6_ADDRSTRLEN];

	write_text(out, r->name);
	if (r->under_way)
		return;
	(void)fprintf(out, " (%s, %s)", trace_function_to_str(r->function),
		      trace_source_to_str(r->source));
	for (unsigned i = 0; i < r->n_kept; i++)
		(void)fprintf(out, "%s %s", i ? "," : ":", trace_addr_to_str(&r->addrs[i], addr));
	if (r->naddrs > r->n_kept)
		(void)fprintf(out, " and %u more", r->naddrs - r->n_kept);
}

static void write_destination(FILE *out, const struct trace_record *r)
{
	char addr[INET6_ADDRSTRLEN];

	(void)fprintf(out, "%s port %u", trace_addr_to_str(&r->addrs[0], addr), r->port);
	if (*r->name == '\0')
		return;
	(void)fputs(" (", out);
	write_text(out, r->name);
	(void)fputc(')', out);
}

static void write_race(FILE *out, const struct trace_record *r)
{
	char addr[INET6_ADDRSTRLEN];

	write_destination(out, r);
	(void)fprintf(out, ": %s after %u attempt%s", trace_race_end_to_str(r->end), r->attempts,
		      r->attempts == 1 ? "" : "s");
	if (r->winner_family != 0)
		(void)fprintf(out, ", by %s", trace_addr_to_str(&r->winner, addr));
}

static void write_turn(FILE *out, const struct trace_record *r)
{
	(void)fprintf(out, "%.3f ms of it in %u lookup%s and %u connect%s",
		      (double)r->blocked_ns / 1e6, r->lookups, r->lookups == 1 ? "" : "s",
		      r->connects, r->connects == 1 ? "" : "s");
}

static void write_thread(FILE *out, const struct trace_record *r)
{
	write_text(out, r->name);
	if (r->turns == 0)
		return;
	(void)fprintf(out, ": %" PRIu64 " turns, %.3f ms in all, longest %.3f ms", r->turns,
		      (double)r->busy_ns / 1e6, (double)r->longest_ns / 1e6);
}

static void write_type(FILE *out, const struct trace_record *r)
{
	switch (r->type) {
	case TRACE_LOOKUP:
		write_lookup(out, r);
		break;
	case TRACE_CONNECT:
		write_destination(out, r);
		break;
	case TRACE_RACE:
		write_race(out, r);
		break;
	case TRACE_TURN:
		write_turn(out, r);
		break;
	case TRACE_THREAD:
		write_thread(out, r);
		break;
	}
}

static void text_record(struct trace_printer *p, const struct trace_info *info,
			const struct trace_record *r)
{
	double since_ms = ((double)r->start_ns - (double)info->start_boot_ns) / 1e6;

	(void)fprintf(p->out, "%12.3f ", since_ms);
	write_duration(p->out, r);
	(void)fprintf(p->out, "  %7u %-8s", r->tid, trace_type_to_str(r->type));
	write_type(p->out, r);
	if (trace_error(r) && r->type != TRACE_TURN && r->type != TRACE_THREAD)
		(void)fprintf(p->out, ": %s", trace_error(r));
	(void)fputc('\n', p->out);
}

static void write_count(FILE *out, uint64_t n, const char *what)
{
	if (n != 0)
		(void)fprintf(out, ", %" PRIu64 " %s", n, what);
}

static void text_end(struct trace_printer *p, const struct trace_info *info)
{
	(void)fprintf(p->out, "%" PRIu64 " records", info->records);
	write_count(p->out, info->unfinished, "unfinished");
	write_count(p->out, info->damaged, "damaged");
	write_count(p->out, info->dropped, "dropped for want of room");
	(void)fprintf(p->out, "%s\n", info->truncated ? "; the file is cut off" : "");
}

static void text_nothing(struct trace_printer *p)
{
	(void)p;
}

const struct trace_form trace_text = {
	.open = text_nothing,
	.begin = text_begin,
	.record = text_record,
	.end = text_end,
	.close = text_nothing,
};
