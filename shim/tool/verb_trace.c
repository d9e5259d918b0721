// SPDX-License-Identifier: MIT
/*
 * verb_trace.c - `noblockdns trace`: prints what processes under NOBLOCKDNS_TRACE have written. A
 * folder stands for all trace files in it. 125 where a file could not be read; the others are
 * printed all the same.
 */
#include "shim/tool/say.h"
#include "shim/tool/trace_folder.h"
#include "shim/tool/trace_print.h"
#include "shim/tool/verb.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct values {
	bool json, chrome;
	uint64_t slow_ms;
	const char *name;
};

static const struct option_spec options[] = {
	{.name = "json",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, json),
	 .help = "print JSON, a line for each record"},
	{.name = "chrome",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, chrome),
	 .help = "print the trace-event format, for chrome://tracing or ui.perfetto.dev"},
	{.name = "slow",
	 .kind = OPTION_NUMBER,
	 .argument = "MS",
	 .max = 86400000,
	 .offset = offsetof(struct values, slow_ms),
	 .help = "only what took at least so many milliseconds"},
	{.name = "name",
	 .kind = OPTION_TEXT,
	 .argument = "NAME",
	 .offset = offsetof(struct values, name),
	 .help = "only lookups of this name, and connects to its addresses"},
	{0},
};

/* Names in DNS have no case, and a dot at the end changes nothing that matters here. */
static bool is_same_name(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	a_len -= a_len > 1 && a[a_len - 1] == '.';
	b_len -= b_len > 1 && b[b_len - 1] == '.';
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* Of the form's own need: names of threads. */
static bool is_wanted(const struct values *values, const struct trace_record *r)
{
	if (r->type == TRACE_THREAD)
		return values->chrome || (values->slow_ms == 0 && values->name == NULL);
	if (!r->under_way && r->duration_ns / 1000000 < values->slow_ms)
		return false;
	return values->name == NULL ||
	       (r->type != TRACE_TURN && is_same_name(r->name, values->name));
}

static int print_file(struct trace_printer *p, const struct values *values, const char *path)
{
	struct trace_file *file;
	struct trace_record record;
	int r = trace_open(path, &file);

	if (r < 0)
		return say_trouble("trace: %s: %s", path, trace_open_why(r));
	p->form->begin(p, path, trace_info(file));
	while (trace_next(file, &record))
		if (is_wanted(values, &record))
			p->form->record(p, trace_info(file), &record);
	p->form->end(p, trace_info(file));
	trace_close(file);
	return TOOL_FINE;
}

/* What print_file() gets, and has come to. */
struct folder_job {
	struct trace_printer *printer;
	const struct values *values;
	int status;
};

static void print_one(void *ctx, const char *path)
{
	struct folder_job *job = ctx;

	if (print_file(job->printer, job->values, path) != TOOL_FINE)
		job->status = TOOL_TROUBLE;
}

static int print_folder(struct trace_printer *p, const struct values *values, const char *path)
{
	struct folder_job job = {.printer = p, .values = values, .status = TOOL_FINE};
	int n = trace_folder_each(path, print_one, &job);

	if (n < 0)
		return say_trouble("trace: %s: %s", path, strerror(-n));
	return n > 0 ? job.status : say_trouble("trace: %s: no trace file is in it", path);
}

static int print(struct trace_printer *p, const struct values *values, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return print_folder(p, values, path);
	return print_file(p, values, path);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct trace_printer printer = {.form = &trace_text, .out = stdout};
	struct values values = {0};
	int first, status = options_parse(verb, argc, argv, &values, &first);

	if (status >= 0)
		return status;
	if (values.json && values.chrome)
		return say_usage("trace: --json and --chrome are two different forms");
	if (first == argc)
		return say_usage("trace: which file? (noblockdns trace [OPTION...] FILE...)");
	if (values.json || values.chrome)
		printer.form = values.json ? &trace_json : &trace_chrome;
	status = TOOL_FINE;
	printer.form->open(&printer);
	for (int i = first; i < argc; i++)
		if (print(&printer, &values, argv[i]) != TOOL_FINE)
			status = TOOL_TROUBLE;
	printer.form->close(&printer);
	return status;
}

const struct verb verb_trace = {
	.name = "trace",
	.summary = "print what a program's lookups, connects and loop turns took",
	.synopsis = "[OPTION...] FILE...",
	.more = "Reads the files that processes with NOBLOCKDNS_TRACE have written; a folder "
		"stands "
		"for all of them in it. Of a damaged file what is readable is printed, and the "
		"rest counted.",
	.options = options,
	.run = run,
};
