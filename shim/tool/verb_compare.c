// SPDX-License-Identifier: MIT
/*
 * verb_compare.c - `noblockdns compare`: runs CMD by turns without and with the shim, and reports
 * what it waited for. "Without" is the shim in mode `observe`, which hands every call to libc.
 */
#include "shim/tool/compare.h"
#include "shim/tool/preload.h"
#include "shim/tool/say.h"
#include "shim/tool/variables.h"
#include "shim/tool/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values {
	uint64_t runs, max_stall_ms, duration_s;
	bool warm, cold, show;
	const char *json, *html, *markdown, *traces;
};

#define NO_LIMIT UINT64_MAX

static const struct option_spec options[] = {
	{.name = "runs",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = 1000,
	 .offset = offsetof(struct values, runs),
	 .help = "runs of each kind; 5 by default"},
	{.name = "cold",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, cold),
	 .help = "begin each run with an empty cache, as after a boot; the default"},
	{.name = "warm",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, warm),
	 .help = "one cache for all runs, filled by one that is not counted"},
	{.name = "max-stall",
	 .kind = OPTION_NUMBER,
	 .argument = "MS",
	 .max = 86400000,
	 .offset = offsetof(struct values, max_stall_ms),
	 .help = "exit with 1 if a stall with the shim is longer, or may have been missed"},
	{.name = "duration",
	 .kind = OPTION_NUMBER,
	 .argument = "SECONDS",
	 .min = 1,
	 .max = 86400,
	 .offset = offsetof(struct values, duration_s),
	 .help = "end each run after that long, by SIGTERM: for services"},
	{.name = "json",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .offset = offsetof(struct values, json),
	 .help = "write everything as JSON; -: to standard output"},
	{.name = "html",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .offset = offsetof(struct values, html),
	 .help = "write a page with timelines; -: to standard output"},
	{.name = "markdown",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .offset = offsetof(struct values, markdown),
	 .help = "append a table, for the summary of a CI job; -: to standard output"},
	{.name = "traces",
	 .kind = OPTION_TEXT,
	 .argument = "DIR",
	 .offset = offsetof(struct values, traces),
	 .help = "keep the trace files, in a folder for each run"},
	{.name = "show-output",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, show),
	 .help = "let what CMD writes through, to standard error"},
	{0},
};

/* What compare sets itself must not be set by options. */
static int refuse_own(void)
{
	static const char *const own[] = {"mode", "trace", "cache"};

	for (const struct option_spec *o = variables_options(); o->name; o++)
		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			if (variables_is_set(o) && strcmp(o->name, own[i]) == 0)
				return say_usage(
					"compare: --%s is set for each run by compare itself",
					o->name);
	return TOOL_FINE;
}

static int refuse(const struct values *values)
{
	const char *const outputs[] = {values->json, values->html, values->markdown};
	unsigned to_stdout = 0;

	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
		to_stdout += outputs[i] && strcmp(outputs[i], "-") == 0;
	if (to_stdout > 1)
		return say_usage("compare: only one report can go to standard output");
	if (values->warm && values->cold)
		return say_usage("compare: --warm and --cold exclude each other");
	return refuse_own();
}

/* ---- reports: opened before anything runs, for who wants to hear of it after an hour? ---- */

struct output {
	const char *path; /* NULL: not wanted */
	void (*write)(const struct report_view *v, FILE *out);
	const char *mode;
	FILE *out;
};

static int open_outputs(struct output *outputs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (outputs[i].path == NULL)
			continue;
		if (strcmp(outputs[i].path, "-") == 0)
			outputs[i].out = stdout;
		else
			outputs[i].out = fopen(outputs[i].path, outputs[i].mode);
		if (outputs[i].out == NULL)
			return say_trouble("compare: cannot write %s: %s", outputs[i].path,
					   strerror(errno));
	}
	return TOOL_FINE;
}

static int write_output(const struct output *o, const struct report_view *v)
{
	bool failed;

	if (o->out == NULL)
		return TOOL_FINE;
	o->write(v, o->out);
	if (o->out == stdout)
		return TOOL_FINE;
	errno = 0;
	failed = ferror(o->out) != 0;
	if (fclose(o->out) != 0 || failed)
		return say_trouble("compare: cannot write %s: %s", o->path,
				   strerror(errno ? errno : EIO));
	return TOOL_FINE;
}

static int write_reports(struct report *report, struct output *outputs, size_t n, bool *ret_finding)
{
	struct report_view *view = malloc(sizeof(*view));
	bool table = true;
	int status = TOOL_FINE, r;

	if (view == NULL)
		return say_trouble("compare: no memory");
	report_view_open(report, view);
	for (size_t i = 0; i < n; i++)
		table &= outputs[i].out != stdout;
	if (table)
		report_write_text(view, stdout);
	for (size_t i = 0; i < n; i++) {
		r = write_output(&outputs[i], view);
		status = r != TOOL_FINE ? r : status;
	}
	*ret_finding = view->exceeds || view->unseen || view->end == REPORT_DIFFERS;
	report_view_free(view);
	free(view);
	return status;
}

/* As it would be typed, nearly: what has a blank or a quote in it is quoted. */
static const char *command_line(struct report *report, char **argv)
{
	char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);
	const char *text;

	if (out == NULL)
		return argv[0];
	for (; *argv; argv++) {
		bool plain = **argv && strpbrk(*argv, " \t\n'\"\\$&|;<>()*?[]#~`!{}") == NULL;

		(void)fputs(plain ? "" : "'", out);
		for (const char *p = *argv; *p; p++)
			(void)fputs(*p == '\'' ? "'\\''" : (char[]){*p, '\0'}, out);
		(void)fprintf(out, "%s%s", plain ? "" : "'", argv[1] ? " " : "");
	}
	(void)fclose(out);
	text = report_text(report, line);
	free(line);
	return text;
}

static int compare(const struct values *values, char **command)
{
	struct output outputs[] = {{values->json, report_write_json, "we", NULL},
				   {values->html, report_write_html, "we", NULL},
				   {values->markdown, report_write_markdown, "ae", NULL}};
	const size_t n = sizeof(outputs) / sizeof(outputs[0]);
	const struct compare_opts opts = {
		.argv = command,
		.runs = (unsigned)values->runs,
		.warm = values->warm,
		.show = values->show,
		.limit_ns =
			values->duration_s ? values->duration_s * UINT64_C(1000000000) : UINT64_MAX,
		.traces = values->traces,
	};
	struct report report;
	bool finding = false;
	int status = open_outputs(outputs, n), written = TOOL_FINE;

	if (status != TOOL_FINE)
		return status;
	report_open(&report);
	report.command = command_line(&report, command);
	report.guarded = values->max_stall_ms != NO_LIMIT;
	if (report.guarded)
		report.max_stall_ns = values->max_stall_ms * 1000000;
	status = compare_runs(&opts, &report);
	if (report.nruns > 0)
		written = write_reports(&report, outputs, n, &finding);
	report_free(&report);
	if (status != TOOL_FINE)
		return status;
	if (written != TOOL_FINE)
		return written;
	return finding ? TOOL_FINDING : TOOL_FINE;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct values values = {.runs = 5, .max_stall_ms = NO_LIMIT};
	int first, status = options_parse(verb, argc, argv, &values, &first);

	if (status >= 0)
		return status;
	if (first == argc)
		return say_usage("compare: which command? (noblockdns compare [OPTION...] [--] "
				 "CMD...)");
	status = refuse(&values);
	if (status == TOOL_FINE)
		status = preload_install("compare");
	return status == TOOL_FINE ? compare(&values, argv + first) : status;
}

const struct verb verb_compare = {
	.name = "compare",
	.summary = "run a command without and with the shim, and show what it waited for",
	.synopsis = "[OPTION...] [--] CMD [ARGUMENT...]",
	.more = "Runs CMD by turns without and with the shim, --runs times each, and prints how "
		"long its threads were blocked in lookups and connects, and for which names. Each "
		"run with the shim begins with an empty cache of its own, unless --warm is given. "
		"CMD has no input, and what it writes is compared, not shown. The exit status is 1 "
		"if a stall is longer than --max-stall allows, or if CMD ends otherwise with the "
		"shim than without it; 126 if CMD cannot be executed, 127 if there is none.",
	.options = options,
	.variables = true,
	.command = true,
	.run = run,
};
