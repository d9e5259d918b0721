// SPDX-License-Identifier: MIT
/* test_silence.c - when servers count as silent, by a clock that is given. */
#include "shim/silence.h"

#include "shim/cache_region.h"
#include "shim/clock.h"
#include "shim/netstate.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW	SAMPLE_NOW
#define VIEW	SAMPLE_VIEW
#define LAST_MS 30000

TestSuite(silence, .init = scratch_cache_make, .fini = scratch_cache_remove);

static uint64_t ended(uint64_t now_ms)
{
	return silence_ended_ms(scratch_cache, VIEW, now_ms, LAST_MS);
}

/* The two words of the view's place. */
static void damage(uint64_t since, uint64_t end)
{
	const uint64_t words[2] = {since, end};
	unsigned char *records = cache_region_records(scratch_cache);

	memcpy(records + CACHE_REGION_SILENCE_AT + VIEW % 16 * 16, words, sizeof words);
}

Test(silence, there_is_none_at_first)
{
	cr_assert_not(silence_is(scratch_cache, VIEW, NOW));
	cr_assert_eq(ended(NOW), 0);
}

Test(silence, lasts_until_something_is_heard)
{
	silence_note(scratch_cache, VIEW, NOW);
	cr_assert(silence_is(scratch_cache, VIEW, NOW));
	silence_end(scratch_cache, VIEW, NOW + 10);
	cr_assert_not(silence_is(scratch_cache, VIEW, NOW + 10));
	cr_assert_eq(ended(NOW + 20), NOW + 10);
}

/* They have read the clock a moment later, and been faster. */
Test(silence, that_others_note_meanwhile_is_seen)
{
	silence_note(scratch_cache, VIEW, NOW + 1);
	cr_assert(silence_is(scratch_cache, VIEW, NOW));
	silence_end(scratch_cache, VIEW, NOW + 1);
	cr_assert_not(silence_is(scratch_cache, VIEW, NOW));
	cr_assert_eq(ended(NOW), NOW);
}

Test(silence, ends_by_itself)
{
	silence_note(scratch_cache, VIEW, NOW);
	cr_assert(silence_is(scratch_cache, VIEW, NOW + SILENCE_MS - 1));
	cr_assert_not(silence_is(scratch_cache, VIEW, NOW + SILENCE_MS));
	cr_assert_eq(ended(NOW + SILENCE_MS), 0);
}

Test(silence, further_sign_of_it_prolongs_it)
{
	silence_note(scratch_cache, VIEW, NOW);
	silence_note(scratch_cache, VIEW, NOW + SILENCE_MS / 2);
	cr_assert(silence_is(scratch_cache, VIEW, NOW + SILENCE_MS));
}

Test(silence, is_written_once_in_half_its_time)
{
	silence_note(scratch_cache, VIEW, NOW);
	silence_note(scratch_cache, VIEW, NOW + SILENCE_MS / 2 - 1);
	cr_assert_not(silence_is(scratch_cache, VIEW, NOW + SILENCE_MS));
}

/* Each answer says that servers are heard, and is not worth a write that all others read. */
Test(silence, that_is_none_does_not_end)
{
	silence_end(scratch_cache, VIEW, NOW);
	cr_assert_eq(ended(NOW), 0);
}

Test(silence, its_end_is_forgotten)
{
	silence_note(scratch_cache, VIEW, NOW);
	silence_end(scratch_cache, VIEW, NOW);
	cr_assert_eq(ended(NOW + LAST_MS), NOW);
	cr_assert_eq(ended(NOW + LAST_MS + 1), 0);
}

Test(silence, is_seen_in_another_mapping_of_the_file)
{
	struct cache *theirs = scratch_file_open(CACHE_SIZE_MIN);

	silence_note(scratch_cache, VIEW, NOW);
	cr_assert(silence_is(theirs, VIEW, NOW));
	cache_close(theirs);
}

Test(silence, views_stay_apart)
{
	const uint64_t neighbour = VIEW + 1, same_place = VIEW ^ UINT64_C(1) << 40;

	silence_note(scratch_cache, VIEW, NOW);
	cr_assert_not(silence_is(scratch_cache, neighbour, NOW));
	cr_assert_not(silence_is(scratch_cache, same_place, NOW));
	silence_end(scratch_cache, same_place, NOW);
	cr_assert(silence_is(scratch_cache, VIEW, NOW));
}

Test(silence, is_told_where_the_32_bits_of_the_clock_turn_over)
{
	const uint64_t now_ms = (UINT64_C(7) << 32) - 10;

	silence_note(scratch_cache, VIEW, now_ms);
	cr_assert(silence_is(scratch_cache, VIEW, now_ms + 20));
	silence_end(scratch_cache, VIEW, now_ms + 5);
	cr_assert_eq(ended(now_ms + 20), now_ms + 5);
}

Test(silence, of_another_boot_or_damaged_is_none)
{
	const uint64_t view = VIEW & ~UINT64_C(0xffffffff);
	const uint64_t times[] = {NOW + CLOCK_AHEAD_MS + 1, NOW + 3600000, NOW - LAST_MS - 1,
				  NOW + 0x80000000};

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		damage(view | (uint32_t)times[i], view | (uint32_t)times[i]);
		cr_assert_not(silence_is(scratch_cache, VIEW, NOW));
		cr_assert_eq(ended(NOW), 0);
		silence_note(scratch_cache, VIEW, NOW);
		cr_assert(silence_is(scratch_cache, VIEW, NOW));
	}
	damage(UINT64_MAX, UINT64_MAX);
	cr_assert_not(silence_is(scratch_cache, VIEW, NOW));
	cr_assert_eq(ended(NOW), 0);
}

Test(silence, of_before_a_change_of_the_network_is_none)
{
	silence_note(scratch_cache, VIEW, NOW);
	atomic_store(&netstate_since_ms, NOW);
	cr_expect(silence_is(scratch_cache, VIEW, NOW + 1));
	atomic_store(&netstate_since_ms, NOW + 1);
	cr_expect_not(silence_is(scratch_cache, VIEW, NOW + 1));
	silence_note(scratch_cache, VIEW, NOW + 2);
	cr_expect(silence_is(scratch_cache, VIEW, NOW + 2), "it was not noted anew");
}
