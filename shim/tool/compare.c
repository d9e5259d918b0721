// SPDX-License-Identifier: MIT
/*
 * compare.c - see compare.h. Each run has a folder for its traces; the runs with the shim have a
 * cache file of their own or, with a warm cache, one together. All of that is in a temporary
 * folder.
 */
#include "shim/tool/compare.h"

#include "shim/tool/command.h"
#include "shim/tool/endings.h"
#include "shim/tool/folder.h"
#include "shim/tool/report_traces.h"
#include "shim/tool/say.h"
#include "shim/tool/terminal.h"
#include "shim/tool/text.h"
#include "shim/tool/verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct comparison {
	const struct compare_opts *opts;
	struct report *report;
	char folder[PATH_MAX]; /* temporary */
	char parent[PATH_MAX]; /* of the folders with traces */
	bool live;	       /* progress is a line that changes */
	unsigned done;	       /* runs */
	struct endings *ends;  /* of the processes of this run; may be NULL */
	enum report_side side;
};

/* ---- progress ---- */

static void tick(void *ctx, uint64_t ns)
{
	const struct comparison *c = ctx;
	char word[REPORT_WORD];

	if (!c->live)
		return;
	(void)fprintf(stderr, "\r\033[K[%u/%u] %s the shim, %s", c->done + 1, 2 * c->opts->runs,
		      report_side_to_str(c->side), report_format_ns(ns, word));
	(void)fflush(stderr);
}

static void clear_line(const struct comparison *c)
{
	if (c->live)
		(void)fputs("\r\033[K", stderr);
}

static void tell(const struct comparison *c, const struct report_run *run)
{
	char word[REPORT_WORD], end[REPORT_WORD], blocked[REPORT_WORD];
	uint64_t ns = 0;

	clear_line(c);
	if (c->live)
		return;
	for (size_t i = 0; i < run->nwaits; i++)
		ns += run->waits[i].ns;
	(void)fprintf(stderr, "[%u/%u] %s the shim: %s, %s, blocked %s, %zu stall%s\n", c->done,
		      2 * c->opts->runs, report_side_to_str(run->side),
		      report_format_end(&run->end, end), report_format_ns(run->wall_ns, word),
		      report_format_ns(ns, blocked), run->nstalls, run->nstalls == 1 ? "" : "s");
}

/* ---- one run ---- */

/* Where all traces go, by its absolute path: the command may change its folder. */
static int make_parent(struct comparison *c)
{
	const char *wanted = c->opts->traces ? c->opts->traces : c->folder;

	if (c->opts->traces && mkdir(wanted, 0700) < 0 && errno != EEXIST)
		return say_trouble("compare: cannot make %s: %s", wanted, strerror(errno));
	if (realpath(wanted, c->parent) == NULL)
		return say_trouble("compare: cannot find %s: %s", wanted, strerror(errno));
	return TOOL_FINE;
}

/* Where those of one run go: PARENT/3-with. */
static int make_trace_folder(const struct comparison *c, const char *name, char ret[PATH_MAX])
{
	if (snprintf(ret, PATH_MAX, "%s/%s", c->parent, name) >= PATH_MAX)
		return say_trouble("compare: the name of %s is too long", c->parent);
	if (mkdir(ret, 0700) < 0)
		return say_trouble("compare: cannot make %s: %s", ret, strerror(errno));
	return TOOL_FINE;
}

static void take_ends(void *ctx)
{
	struct comparison *c = ctx;

	endings_take(c->ends);
}

static int run_command(struct comparison *c, const char *name, const char *traces,
		       struct command_result *ret)
{
	char folder[PATH_MAX + 80], cache[PATH_MAX + 90];
	const struct command_variable variables[] = {
		{"NOBLOCKDNS_MODE", c->side == REPORT_WITH ? "on" : "observe"},
		{"NOBLOCKDNS_TRACE", traces},
		{"NOBLOCKDNS_CACHE", cache},
		{NULL, NULL},
	};
	const struct command_opts opts = {
		.argv = c->opts->argv,
		.variables = variables,
		.limit_ns = c->opts->limit_ns,
		.show = c->opts->show,
		.tick = tick,
		.also_fd = endings_fd(c->ends),
		.also = take_ends,
		.ctx = c,
	};
	int r;

	(void)snprintf(folder, sizeof(folder), "%s/cache-%s", c->folder,
		       c->opts->warm ? "warm" : name);
	(void)snprintf(cache, sizeof(cache), "%s/cache", folder);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	tick(c, 0);
	r = command_run(&opts, ret);
	if (!c->opts->warm)
		(void)folder_remove(folder);
	return r;
}

static const char *text_of(struct report *r, const char *text)
{
	char shown[512];

	(void)text_escape(text, strlen(text), shown, sizeof(shown));
	return report_text(r, shown);
}

static int explain(const struct comparison *c, int error, const struct command_result *result)
{
	clear_line(c);
	if (error < 0)
		return say_trouble("compare: cannot run %s: %s", c->opts->argv[0],
				   strerror(-error));
	say("compare: cannot execute %s: %s", c->opts->argv[0], strerror(result->exec_error));
	return result->exec_error == ENOENT ? TOOL_NOT_FOUND : TOOL_CANNOT_EXEC;
}

static void record(struct comparison *c, unsigned number, const char *traces,
		   const struct command_result *result)
{
	struct report_run *run = report_run_add(c->report);

	if (run == NULL)
		return;
	run->side = c->side;
	run->number = number;
	run->wall_ns = result->wall_ns;
	run->end = result->end;
	run->out_bytes = result->out_bytes;
	run->out_hash = result->out_hash;
	run->complaint = text_of(c->report, result->complaint);
	if (report_traces_read(c->report, run, traces, result->start_boot_ns, c->ends) < 0)
		run->lost++;
	report_run_settle(c->report, run);
	c->done++;
	tell(c, run);
}

/* number 0: not counted. */
static int run_once(struct comparison *c, enum report_side side, unsigned number)
{
	struct command_result result = {0};
	char name[64], traces[PATH_MAX];
	int r;

	c->side = side;
	(void)snprintf(name, sizeof(name), "%u-%s", number, report_side_to_str(side));
	r = make_trace_folder(c, name, traces);
	if (r != TOOL_FINE)
		return r;
	c->ends = endings_open(traces);
	r = run_command(c, name, traces, &result);
	take_ends(c);
	if (r == 0 && result.exec_error == 0 && number > 0)
		record(c, number, traces, &result);
	endings_close(c->ends);
	if (r < 0 || result.exec_error != 0)
		return explain(c, r, &result);
	if (!c->opts->traces)
		(void)folder_remove(traces);
	clear_line(c);
	return result.interrupted ? 128 + result.interrupted : TOOL_FINE;
}

static int run_all(struct comparison *c)
{
	int status = make_parent(c);

	if (status == TOOL_FINE && c->opts->warm)
		status = run_once(c, REPORT_WITH, 0);
	for (unsigned i = 1; i <= c->opts->runs && status == TOOL_FINE; i++) {
		status = run_once(c, REPORT_WITHOUT, i);
		if (status == TOOL_FINE)
			status = run_once(c, REPORT_WITH, i);
	}
	return status;
}

int compare_runs(const struct compare_opts *opts, struct report *report)
{
	struct comparison c = {.opts = opts, .report = report, .live = terminal_can_erase(stderr)};
	int r = folder_make_temporary(c.folder), status;

	if (r < 0)
		return say_trouble("compare: cannot make %s: %s", c.folder, strerror(-r));
	report->when = (int64_t)time(NULL);
	report->cache = opts->warm ? REPORT_WARM : REPORT_COLD;
	report->asked = opts->runs;
	r = command_signals();
	status = r < 0 ? say_trouble("compare: %s", strerror(-r)) : run_all(&c);
	report->interrupted = status != TOOL_FINE;
	(void)folder_remove(c.folder);
	return status;
}
