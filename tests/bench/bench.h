// SPDX-License-Identifier: MIT
/*
 * bench.h - clock, statistics and output of the benchmark programs.
 *
 * Each program is one object, so everything here is inline. A figure is one line on standard
 * output, `SUBJECT<tab>METRIC<tab>VALUE`; scripts/bench.sh runs the programs in rounds, and
 * tests/bench/report.py takes the median of each figure over the rounds.
 *
 * Times are CLOCK_MONOTONIC. The cost of one reading is measured and taken off every single-call
 * time, so that a lookup of 300 ns is not reported as one of 330.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_NAME_SIZE 64

/* Times of one subject, in nanoseconds. */
struct bench_samples {
	uint64_t *v; /* owned */
	size_t n, room;
};

static inline _Noreturn void bench_die(const char *what, const char *which)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, which);
	exit(1);
}

static inline void *bench_alloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		bench_die("memory", strerror(errno));
	return p;
}

static inline uint64_t bench_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t bench_now_ns(void)
{
	return bench_ns(CLOCK_MONOTONIC);
}

static inline int bench_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static inline void bench_samples_init(struct bench_samples *s, size_t room)
{
	*s = (struct bench_samples){.v = bench_alloc(room, sizeof *s->v), .room = room};
}

static inline void bench_sample(struct bench_samples *s, uint64_t ns)
{
	if (s->n < s->room)
		s->v[s->n++] = ns;
}

static inline void bench_sort(struct bench_samples *s)
{
	qsort(s->v, s->n, sizeof *s->v, bench_compare);
}

/* Of sorted samples: the smallest that at least `permille` of them do not exceed. */
static inline uint64_t bench_percentile(const struct bench_samples *s, unsigned permille)
{
	size_t rank = (s->n * permille + 999) / 1000;

	if (s->n == 0)
		return 0;
	return s->v[rank > 0 ? rank - 1 : 0];
}

/* What two readings of the clock with nothing between them lie apart. */
static inline uint64_t bench_clock_cost_ns(void)
{
	struct bench_samples s;
	uint64_t cost;

	bench_samples_init(&s, 2000);
	for (size_t i = 0; i < s.room; i++) {
		uint64_t start = bench_now_ns();

		bench_sample(&s, bench_now_ns() - start);
	}
	bench_sort(&s);
	cost = bench_percentile(&s, 500);
	free(s.v);
	return cost;
}

/* Keeps the calling thread on one core; -1: where the scheduler likes. */
static inline void bench_pin(int core)
{
	cpu_set_t set;

	if (core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		bench_die("cannot use that core", strerror(errno));
}

static inline void bench_emit(const char *subject, const char *metric, double value)
{
	printf("%s\t%s\t%.6g\n", subject, metric, value);
}

/* The tail of a distribution, and its middle under the name `p50_name`. Sorts. */
static inline void bench_emit_times(const char *subject, const char *p50_name,
				    struct bench_samples *s)
{
	bench_sort(s);
	bench_emit(subject, p50_name, (double)bench_percentile(s, 500));
	bench_emit(subject, "p90", (double)bench_percentile(s, 900));
	bench_emit(subject, "p99", (double)bench_percentile(s, 990));
	bench_emit(subject, "max", (double)bench_percentile(s, 1000));
}

/* xorshift64: the order in which names are asked. The same in every run. */
static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Names n0.ZONE to n(n-1).ZONE, each BENCH_NAME_SIZE bytes; the caller frees. */
static inline char (*bench_names(const char *zone, unsigned n))[BENCH_NAME_SIZE]
{
	char(*names)[BENCH_NAME_SIZE] = bench_alloc(n, BENCH_NAME_SIZE);

	for (unsigned i = 0; i < n; i++)
		snprintf(names[i], BENCH_NAME_SIZE, "n%u.%s", i, zone);
	return names;
}

#endif
