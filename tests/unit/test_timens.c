// SPDX-License-Identifier: MIT
/* test_timens.c - one time namespace has one number, whoever wrote what beside it in the cache. */
#include "shim/timens.h"

#include "shim/cache_region.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(timens, .init = scratch_cache_make, .fini = scratch_cache_remove);

static uint64_t read_record(void)
{
	uint64_t word;

	memcpy(&word, (unsigned char *)cache_region_records(scratch_cache) + CACHE_REGION_TIMENS_AT,
	       sizeof word);
	return word;
}

static void write_record(uint64_t word)
{
	memcpy((unsigned char *)cache_region_records(scratch_cache) + CACHE_REGION_TIMENS_AT, &word,
	       sizeof word);
}

Test(timens, second_process_has_the_number_of_the_first)
{
	uint32_t first = timens_identify(scratch_cache);

	cr_assert_neq(first, 0u);
	cr_expect_eq((uint32_t)read_record(), first);
	cr_expect_eq(timens_identify(scratch_cache), first);
}

Test(timens, wall_clock_that_was_set_makes_no_other_number)
{
	uint32_t first = timens_identify(scratch_cache);
	uint64_t record = read_record();

	for (int seconds = -100000; seconds <= 100000; seconds += 20000) {
		write_record(record + ((uint64_t)seconds << 32));
		cr_expect_eq(timens_identify(scratch_cache), first, "%d s", seconds);
		cr_expect_leq((read_record() >> 32) - (record >> 32) + 1, 2u, "it stays wrong");
	}
}

/* Another one was first: it keeps the record, and this one its own number. */
Test(timens, record_of_another_namespace_is_left_alone)
{
	uint32_t own = timens_identify(scratch_cache);
	uint64_t other = (read_record() ^ 2) + (UINT64_C(86400) << 32);

	write_record(other);
	cr_expect_eq(timens_identify(scratch_cache), own);
	cr_expect_eq(read_record(), other);
}

Test(timens, private_cache_has_none)
{
	struct cache *private = private_cache(CACHE_SIZE_MIN);

	cr_expect_eq(timens_identify(private), 0u);
	cr_expect_eq(timens_identify(NULL), 0u);
	cache_close(private);
}
