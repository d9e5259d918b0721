// SPDX-License-Identifier: MIT
/*
 * flood PATH - the cache file at PATH, new, under a flood of 10 million names that are asked once,
 * with as many lookups of names in use (flood.h).
 *
 * Figures, by what the flood is: `hits` of the names in use, in per cent, and the ratio of that to
 * an exact LRU list of as many entries which sees the same (`lru`) and to one that sees no flood
 * (`quiet`); `each`, CPU time of a lookup with the store that may follow; `slowdown`, that of the
 * best tenth of the second half beside the first half's; `bytes` and `pages`, by how much file and
 * memory have grown since the first tenth.
 */
#include "flood.h"
#include "bench.h"

#include <sys/stat.h>
#include <unistd.h>

#define MILLION 1000000u

static const struct {
	const char *subject;
	struct flood_plan plan;
} cases[] = {
	{"none", {.lookups = 2 * MILLION}},
	{"names", {.lookups = 10 * MILLION, .others = 1}},
	{"names, 10 times as many", {.lookups = MILLION, .others = 10}},
	{"names that do not exist", {.lookups = 2 * MILLION, .others = 1, .nxdomain = true}},
};

#define STEPS 10

struct measure {
	uint64_t ns, bytes, blocks;
};

static struct cache *open_cache(const char *path)
{
	const struct cache_options options = {
		.path = path, .size = CACHE_SIZE_DEFAULT, .keep_s = 86400};
	struct cache *cache;
	char why[256];

	unlink(path);
	if (cache_open(&options, &cache, why) < 0 || cache_backing(cache) != CACHE_SHARED)
		bench_die(path, why);
	return cache;
}

/* A tenth of the plan: the time that it takes, and the file after it. */
static struct measure step(struct flood *f, const char *path, struct flood_result *sum)
{
	uint64_t start = bench_ns(CLOCK_THREAD_CPUTIME_ID);
	struct measure ret;
	struct stat st;

	flood_step(f, f->plan.lookups / STEPS, sum);
	ret.ns = bench_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	if (stat(path, &st) < 0)
		bench_die(path, strerror(errno));
	ret.bytes = (uint64_t)st.st_size;
	ret.blocks = (uint64_t)st.st_blocks;
	return ret;
}

static void print(const char *subject, const char *metric, double value)
{
	printf("%s\t%s\t%.17g\n", subject, metric, value);
}

/* Other work on the machine makes it longer, and never shorter. */
static double best_ns(const struct measure *steps, unsigned n)
{
	uint64_t best = steps[0].ns;

	for (unsigned i = 1; i < n; i++)
		if (steps[i].ns < best)
			best = steps[i].ns;
	return (double)best;
}

static void run(const char *subject, const struct flood_plan *plan, const char *path)
{
	struct cache *cache = open_cache(path);
	struct flood f = flood_begin(cache, plan);
	struct flood_result first = {0}, sum = {0};
	struct measure empty = step(&f, path, &first), steps[STEPS];
	double before, after;

	for (int i = 0; i < STEPS; i++)
		steps[i] = step(&f, path, &sum);
	before = best_ns(steps, STEPS / 2);
	after = best_ns(steps + STEPS / 2, STEPS / 2);
	print(subject, "hits", 100.0 * (double)sum.hits / (double)plan->lookups);
	print(subject, "lru", (double)sum.hits / (double)sum.lru_hits);
	print(subject, "quiet", (double)sum.hits / (double)sum.quiet_hits);
	print(subject, "each", after / ((double)plan->lookups / STEPS * (1 + plan->others)));
	print(subject, "slowdown", after / before);
	print(subject, "bytes", (double)steps[STEPS - 1].bytes - (double)empty.bytes);
	print(subject, "pages", ((double)steps[STEPS - 1].blocks - (double)empty.blocks) / 8);
	flood_end(&f);
	cache_close(cache);
	unlink(path);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bench_die("usage", "flood PATH");
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct flood_plan plan = cases[i].plan;

		plan.names = 100000;
		plan.gap_us = 1000;
		plan.ttl_s = 300;
		plan.seed = 7;
		run(cases[i].subject, &plan, argv[1]);
	}
	return 0;
}
