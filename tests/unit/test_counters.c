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
