// SPDX-License-Identifier: MIT
/* counters.c: nothing is lost, and each has a name. */
#include "shim/counters.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define THREADS 4
#define TIMES	20000

static void *count(void *arg)
{
	for (unsigned i = 0; i < TIMES; i++) {
		counters_add(COUNTER_RACES, 1);
		counters_add(COUNTER_SAVED_MS, 250);
	}
	return arg;
}

Test(counters, threads_lose_nothing)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(counters_read(COUNTER_RACES), (uint64_t)THREADS * TIMES);
	cr_expect_eq(counters_read(COUNTER_SAVED_MS), (uint64_t)THREADS * TIMES * 250);
	cr_expect_eq(counters_read(COUNTER_LOST), 0u);
}

Test(counters, each_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < COUNTERS; i++) {
		cr_assert_not_null(counter_to_str((enum counter)i), "counter %u", i);
		for (unsigned k = 0; k < i; k++)
			cr_expect_str_neq(counter_to_str((enum counter)i),
					  counter_to_str((enum counter)k));
	}
	cr_expect_null(counter_to_str(COUNTERS));
}

/* ---- hits ---- */

static void hit(unsigned n)
{
	while (n-- > 0)
		counters_hit();
}

Test(counters, first_hits_are_added_at_once)
{
	for (unsigned i = 1; i <= 8; i++) {
		hit(1);
		cr_expect_eq(counters_read(COUNTER_HITS), i);
	}
}

Test(counters, at_most_an_eighth_of_the_hits_is_not_added_yet)
{
	for (unsigned i = 1; i <= 20000; i++) {
		uint64_t n;

		hit(1);
		n = counters_read(COUNTER_HITS);
		cr_assert_leq(n, i);
		cr_assert_geq(n, i - i / 8, "%lu of %u", (unsigned long)n, i);
		cr_assert_gt(n + COUNTERS_TALLY, i);
	}
}

/* One that is known to be a part of a miss is taken back. */
Test(counters, miss_adds_what_is_left)
{
	hit(1000);
	cr_expect_lt(counters_read(COUNTER_HITS), 1000u);
	counters_miss();
	cr_expect_eq(counters_read(COUNTER_HITS), 1000u);
	cr_expect_eq(counters_read(COUNTER_MISSES), 1u);
	counters_unhit();
	hit(1);
	counters_miss();
	cr_expect_eq(counters_read(COUNTER_HITS), 1000u);
}

static void *hit_thread(void *unused)
{
	hit(TIMES);
	counters_miss();
	return unused;
}

Test(counters, each_thread_has_a_tally_of_its_own)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, hit_thread, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(counters_read(COUNTER_HITS), (uint64_t)THREADS * TIMES);
	cr_expect_eq(counters_read(COUNTER_MISSES), (uint64_t)THREADS);
}
