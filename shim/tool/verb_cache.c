// SPDX-License-Identifier: MIT
/*
 * verb_cache.c - `noblockdns cache`: what stands in the cache that programs share, and how it is
 * taken away, while they run. The file is never made, replaced or repaired here: that is theirs.
 */
#include "shim/clock.h"
#include "shim/config.h"
#include "shim/name.h"
#include "shim/netstate.h"
#include "shim/rcu.h"
#include "shim/settings_build.h"
#include "shim/tool/cache_verbs.h"
#include "shim/tool/nearest.h"
#include "shim/tool/say.h"
#include "shim/tool/verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct values {
	const char *suffix, *view;
	int sort;
	bool reverse, json;
	uint64_t limit;
};

static const char *const sorts[] = {"name", "ttl", "age", "uses", NULL};
static const char *const words[] = {"list", "show", "flush", "stat", NULL};

static const struct option_spec options[] = {
	{.name = "suffix",
	 .kind = OPTION_TEXT,
	 .argument = "NAME",
	 .offset = offsetof(struct values, suffix),
	 .help = "only this name and those below it"},
	{.name = "view",
	 .kind = OPTION_TEXT,
	 .argument = "VIEW",
	 .offset = offsetof(struct values, view),
	 .help = "only this view: \"own\", or the first digits of one"},
	{.name = "sort",
	 .kind = OPTION_WORD,
	 .words = sorts,
	 .offset = offsetof(struct values, sort),
	 .help = "list by name, time left, age or use; by name if not given"},
	{.name = "reverse",
	 .letter = 'r',
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, reverse),
	 .help = "list the last first"},
	{.name = "limit",
	 .letter = 'n',
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = UINT32_MAX,
	 .offset = offsetof(struct values, limit),
	 .help = "list at most so many names"},
	{.name = "json",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, json),
	 .help = "print JSON; list prints a line for each name"},
	{0},
};

static bool is_view(const char *text)
{
	return strcmp(text, "own") == 0 ||
	       (strlen(text) <= 16 && *text != '\0' && text[strspn(text, "0123456789abcdef")] == 0);
}

/* The programs' own settings, for the view that they have. */
static int look_around(struct cache_job *job, const struct config *config)
{
	struct settings_stamp stamp;
	rcu_token token;

	job->self.now_ms = clock_boot_ms();
	job->self.keep_s = config->stale_max_s;
	job->self.settings = settings_build(config, job->found.cache, &stamp);
	if (job->self.settings == NULL)
		return say_trouble("cache: no memory");
	token = rcu_read_lock();
	job->self.since_ms = netstate_since(job->self.settings, job->self.now_ms);
	rcu_read_unlock(token);
	return -1;
}

/* Says what is wrong with the file. */
static int open_file(struct cache_job *job, const struct config *config)
{
	int err = cache_found_path(config, NULL, &job->found);

	if (err < 0)
		return say_trouble("cache: %s", job->found.why);
	err = cache_found_open(&job->found);
	if (err == -ENOENT) {
		say("cache: there is none yet: %s", job->found.path);
		return TOOL_FINDING;
	}
	if (err < 0)
		return say_trouble("cache: %s: %s", job->found.path, job->found.why);
	if (!job->found.whole)
		say("cache: %s: %s; what can be read of it is shown", job->found.path,
		    cache_verdict_to_str(job->found.verdict));
	return -1;
}

int cache_job_read(const struct cache_job *job, struct cache_items *ret)
{
	int err = cache_items_read(&job->found, &job->self, &job->filter, ret);

	if (err < 0) {
		cache_items_free(ret);
		return say_trouble("cache: %s: %s", job->found.path, strerror(-err));
	}
	if (ret->count.damaged + ret->count.lost > 0)
		say("cache: %s: %llu entries and the tags of %llu sets cannot be read",
		    job->found.path, ret->count.damaged, ret->count.lost);
	cache_items_sort(ret, &job->self, job->sort, job->reverse);
	return -1;
}

static int fold(const char *text, struct name *to, const struct name **ret)
{
	if (name_fold(text, to) < 0)
		return say_usage("cache: no name is as long as that");
	*ret = to;
	return -1;
}

static int act(const struct cache_job *job, const char *word)
{
	if (strcmp(word, "list") == 0)
		return cache_list(job);
	if (strcmp(word, "show") == 0)
		return cache_show(job);
	return strcmp(word, "flush") == 0 ? cache_flush(job) : cache_stat(job);
}

/* Of the operands: -1, or the exit status. */
static int check_words(int argc, char **argv)
{
	const char *near = argc > 0 ? nearest(argv[0], words) : NULL;
	int most;

	if (argc == 0)
		return say_usage("cache: list, show NAME, flush [NAME] or stat?");
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], argv[0]) != 0)
			continue;
		if (strcmp(argv[0], "show") == 0 && argc == 1)
			return say_usage("cache show: which name?");
		most = strcmp(argv[0], "show") == 0 || strcmp(argv[0], "flush") == 0 ? 2 : 1;
		return argc <= most ? -1
				    : say_usage("cache %s: \"%s\" is one argument too many",
						argv[0], argv[most]);
	}
	return near ? say_usage("cache: there is no %s; did you mean %s?", argv[0], near)
		    : say_usage("cache: there is no %s (list, show, flush, stat)", argv[0]);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	static struct config config;
	static struct cache_job job;
	struct values values = {.sort = CACHE_SORT_NAME};
	static struct name name, suffix; /* the job refers to them */
	int first, status = options_parse(verb, argc, argv, &values, &first);

	if (status < 0)
		status = check_words(argc - first, argv + first);
	if (status < 0 && argc - first > 1)
		status = fold(argv[first + 1], &name, &job.filter.name);
	if (status < 0 && values.suffix != NULL)
		status = fold(values.suffix, &suffix, &job.filter.suffix);
	if (status < 0 && values.view != NULL && !is_view(values.view))
		status = say_usage("cache: --view: \"%s\" is not allowed (own, or up to 16 digits "
				   "of 0 to 9 and a to f)",
				   values.view);
	if (status >= 0)
		return status;
	job.filter.view = values.view;
	job.sort = (enum cache_sort)values.sort;
	job.reverse = values.reverse;
	job.json = values.json;
	job.limit = values.limit;
	if (config_load(&config) < 0)
		return say_trouble("cache: the configuration cannot be read");
	status = open_file(&job, &config);
	if (status >= 0)
		return status;
	status = look_around(&job, &config);
	if (status < 0) {
		status = act(&job, argv[first]);
		settings_free(job.self.settings);
	}
	cache_found_close(&job.found);
	return status;
}

const struct verb verb_cache = {
	.name = "cache",
	.summary = "look into the cache that programs share, or take something out of it",
	.synopsis = "list|show NAME|flush [NAME]|stat [OPTION...]",
	.more = "list prints a line for each set of records: how long it is good for, how old it "
		"is, how often it was used of late (0 to 3), and its view. Programs with different "
		"servers or resolver options have different views and do not see each other's "
		"answers; the one that a program started here would have is marked with *. show "
		"tells all that is known of one name. flush forgets one name, those of --suffix "
		"or --view, or all, while programs run. stat tells how full it is. The exit status "
		"is 1 where there is no cache, or nothing of that name.",
	.options = options,
	.variables = true,
	.operands = words,
	.run = run,
};
