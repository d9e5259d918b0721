// SPDX-License-Identifier: MIT
/*
 * verb_stats.c - `noblockdns stats`: what the programs that share a cache have counted, once or
 * again and again, for a reader or for Prometheus.
 */
#include "shim/clock.h"
#include "shim/config.h"
#include "shim/tool/say.h"
#include "shim/tool/stats.h"
#include "shim/tool/terminal.h"
#include "shim/tool/verb.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct values {
	bool watch, prometheus, json;
	uint64_t interval, count;
	const char *output;
};

static const struct option_spec options[] = {
	{.name = "watch",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, watch),
	 .help = "show it again and again, until interrupted"},
	{.name = "interval",
	 .kind = OPTION_NUMBER,
	 .argument = "S",
	 .min = 1,
	 .max = 86400,
	 .offset = offsetof(struct values, interval),
	 .help = "seconds in between, 2 if not given"},
	{.name = "count",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = UINT32_MAX,
	 .offset = offsetof(struct values, count),
	 .help = "with --watch: so many times"},
	{.name = "prometheus",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, prometheus),
	 .help = "print metrics as Prometheus reads them"},
	{.name = "output",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .offset = offsetof(struct values, output),
	 .help = "write to this file, which is replaced as a whole"},
	OPTION_JSON(struct values, json),
	{0},
};

/* They would be looked for in the wrong place. */
static bool has_no_figures(enum cache_verdict verdict)
{
	return verdict == CACHE_HEADER_FOREIGN || verdict == CACHE_HEADER_BYTE_ORDER ||
	       verdict == CACHE_HEADER_LAYOUT;
}

/* Each time anew: programs may have replaced the file. */
static int look(const struct config *config, struct stats *ret)
{
	struct cache_found found;
	int err = cache_found_path(config, NULL, &found);

	if (err < 0)
		return say_trouble("stats: %s", found.why);
	err = cache_found_open(&found);
	if (err == -ENOENT) {
		say("stats: there is no cache yet: %s", found.path);
		return TOOL_FINDING;
	}
	if (err < 0)
		return say_trouble("stats: %s: %s", found.path, found.why);
	if (has_no_figures(found.verdict)) {
		cache_found_close(&found);
		return say_trouble("stats: %s: %s", found.path,
				   cache_verdict_to_str(found.verdict));
	}
	if (!found.whole)
		say("stats: %s: %s; the figures may mean nothing", found.path,
		    cache_verdict_to_str(found.verdict));
	err = stats_read(&found, ret);
	cache_found_close(&found);
	return err < 0 ? say_trouble("stats: %s ends before the figures", found.path) : -1;
}

static void print(FILE *out, const struct values *v, const struct stats *stats,
		  const struct stats *before, double seconds)
{
	if (v->prometheus)
		stats_print_prometheus(out, stats);
	else if (v->json)
		stats_print_json(out, stats, v->watch);
	else
		stats_print(out, stats, before, seconds);
}

/* All of it has arrived: 0, or a positive errno. */
static int finish(FILE *out)
{
	bool failed = fflush(out) != 0 || ferror(out);
	int err = errno;

	if (fclose(out) != 0 && !failed)
		return errno;
	return failed ? (err != 0 ? err : EIO) : 0;
}

/* A device, a pipe or the like: it is written to, and stays what it is. */
static int write_through(const char *path, const struct values *v, const struct stats *stats)
{
	FILE *out = fopen(path, "we");

	if (out == NULL)
		return -errno;
	print(out, v, stats, NULL, 0);
	return -finish(out);
}

/* Under another name first: nobody reads half of it. */
static int replace(const char *path, const struct values *v, const struct stats *stats)
{
	char *other = NULL;
	FILE *out = NULL;
	int fd = -1, err = 0;

	if (asprintf(&other, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkstemp(other);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (out == NULL)
		err = errno;
	if (out == NULL && fd >= 0)
		(void)close(fd);
	if (out != NULL) {
		(void)fchmod(fd, 0644); /* for whoever collects it */
		print(out, v, stats, NULL, 0);
		err = finish(out);
	}
	if (err == 0 && rename(other, path) < 0)
		err = errno;
	if (err != 0 && fd >= 0)
		(void)unlink(other);
	free(other);
	return -err;
}

/* Of a symbolic link, what it leads to is replaced. */
static int write_file(const struct values *v, const struct stats *stats)
{
	char real[PATH_MAX];
	struct stat st;
	int r;

	if (stat(v->output, &st) == 0 && !S_ISREG(st.st_mode))
		r = write_through(v->output, v, stats);
	else
		r = replace(realpath(v->output, real) ? real : v->output, v, stats);
	return r < 0 ? say_trouble("stats: %s: %s", v->output, strerror(-r)) : -1;
}

static int show(const struct values *v, const struct stats *stats, const struct stats *before,
		double seconds)
{
	if (v->output != NULL)
		return write_file(v, stats);
	if (v->watch && !v->json && !v->prometheus && terminal_has_colour(stdout))
		(void)fputs("\033[H\033[2J", stdout); /* home, and clear (ECMA-48) */
	print(stdout, v, stats, before, seconds);
	return fflush(stdout) == 0 ? -1 : TOOL_TROUBLE;
}

static int watch(const struct config *config, const struct values *v)
{
	const struct timespec pause = {.tv_sec = (time_t)v->interval};
	static struct stats stats, before;
	uint64_t now_ms, then_ms = 0;
	int status;

	for (uint64_t i = 0; i < v->count || v->count == 0; i++) {
		if (i > 0)
			(void)nanosleep(&pause, NULL);
		now_ms = clock_boot_ms(); /* a stopped or busy process sleeps longer */
		status = look(config, &stats);
		if (status < 0)
			status = show(v, &stats, i > 0 ? &before : NULL,
				      (double)(now_ms - then_ms) / 1000);
		if (status >= 0)
			return status;
		before = stats;
		then_ms = now_ms;
	}
	return TOOL_FINE;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	static struct config config;
	struct values values = {.interval = 2};
	int first, status = options_parse(verb, argc, argv, &values, &first);

	if (status >= 0)
		return status;
	if (first < argc)
		return say_usage("stats: \"%s\" is one argument too many", argv[first]);
	if (values.json && values.prometheus)
		return say_usage("stats: --json or --prometheus?");
	if (!values.watch)
		values.count = 1;
	if (config_load(&config) < 0)
		return say_trouble("stats: the configuration cannot be read");
	return watch(&config, &values);
}

const struct verb verb_stats = {
	.name = "stats",
	.summary = "show what lookups and connects have come to, in all programs",
	.synopsis = "[OPTION...]",
	.more = "Counted since the cache was made, by all programs that share it: hits and misses, "
		"packets by upstream and transport, how long answers took, connections over TLS, "
		"races and their winners. A thread that ends may take up to an eighth of its "
		"hits, 63 at most, with it uncounted. The exit status is 1 where there is no "
		"cache.",
	.options = options,
	.variables = true,
	.run = run,
};
