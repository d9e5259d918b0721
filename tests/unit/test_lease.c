// SPDX-License-Identifier: MIT
/*
 * test_lease.c - who may ask, by a clock that is given: the first of all processes, and the next
 * one when the first has ended, or was killed, or the memory between them lies.
 */
#include "shim/lease.h"

#include "shim/cache_region.h"
#include "shim/clock.h"
#include "shim/process.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW SAMPLE_NOW
#define KEY UINT64_C(0x123456789abcdef0)

#define LONG_MS 60000 /* nothing here is waited for that long, or the test ends by its limit */

TestSuite(lease, .init = scratch_cache_make, .fini = scratch_cache_remove, .timeout = 30);

static uint64_t nplaces(void)
{
	return cache_region_leases_len(scratch_cache) / 16;
}

/* Another question of the same place. */
static uint64_t stranger(uint64_t key)
{
	return key + (nplaces() << 32);
}

#define A    (1u << ENTRY_A)
#define AAAA (1u << ENTRY_AAAA)

static enum lease_result take(uint64_t key, uint64_t now_ms, struct lease *ret)
{
	return lease_take(scratch_cache, key, A | AAAA, now_ms, ret);
}

static void must_be(uint64_t key, uint64_t now_ms, enum lease_result want)
{
	struct lease lease;
	enum lease_result got = take(key, now_ms, &lease);

	cr_assert_eq(got, want, "(%d instead of %d)", (int)got, (int)want);
}

/* The three words of the key's place. */
static void *place_of(uint64_t key)
{
	return cache_region_claim(scratch_cache,
				  cache_region_leases_at(scratch_cache) + key % nplaces() * 16);
}

static void damage(uint64_t key, uint64_t who, uint32_t first)
{
	unsigned char *place = place_of(key);

	memcpy(place, &who, sizeof who);
	memcpy(place + 12, &first, sizeof first);
}

static uint64_t who_until(uint64_t key, uint64_t end_ms)
{
	return (key & ~UINT64_C(0x3ffffffff)) | (uint64_t)(A | AAAA) << 32 | (uint32_t)end_ms;
}

Test(lease, first_has_it_and_second_waits_for_it)
{
	struct lease mine, others;

	cr_assert_eq(take(KEY, NOW, &mine), LEASE_MINE);
	cr_assert_eq(take(KEY, NOW + 100, &others), LEASE_OTHERS);
	cr_assert_eq(mine.first_ms, NOW);
	cr_assert_eq(others.first_ms, NOW);
	cr_assert_eq(mine.end_ms, NOW + LEASE_MS);
	cr_assert_eq(others.end_ms, NOW + LEASE_MS);
}

Test(lease, other_mapping_of_the_file_sees_it)
{
	struct cache *theirs = scratch_file_open(CACHE_SIZE_MIN);
	struct lease lease;

	cr_assert_eq(take(KEY, NOW, &lease), LEASE_MINE);
	cr_assert_eq(lease_take(theirs, KEY, A | AAAA, NOW, &lease), LEASE_OTHERS);
	cache_close(theirs);
}

/* Its copy of the memory says that the parent asks; the answer will not come into the copy. */
Test(lease, forked_child_waits_for_no_parent_in_a_private_cache)
{
	struct cache *theirs = private_cache(CACHE_SIZE_MIN);
	struct lease lease;
	int status = -1;
	pid_t pid;

	cr_assert_eq(process_check(), PROCESS_OWNER);
	cr_assert_eq(lease_take(theirs, KEY, A | AAAA, NOW, &lease), LEASE_MINE);
	cr_assert_eq(lease_take(theirs, KEY, A | AAAA, NOW, &lease), LEASE_OTHERS);
	cr_assert(lease_is_taken(theirs, KEY, NOW));
	pid = fork();
	if (pid == 0)
		_exit(process_check() == PROCESS_OWNER && !lease_is_taken(theirs, KEY, NOW) &&
				      lease_take(theirs, KEY, A | AAAA, NOW, &lease) == LEASE_MINE
			      ? 0
			      : 1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	cache_close(theirs);
}

Test(lease, stranger_in_the_same_place_has_none)
{
	struct lease lease;

	must_be(KEY, NOW, LEASE_MINE);
	cr_assert_eq(take(stranger(KEY), NOW, &lease), LEASE_NONE);
	cr_assert_eq(lease.key, 0);
	cr_assert_eq(lease.first_ms, NOW);
	lease_release(scratch_cache, &lease, true);
	lease_notify(scratch_cache, &lease, 0);
	must_be(KEY, NOW, LEASE_OTHERS);
}

Test(lease, questions_of_other_places_do_not_meet)
{
	for (uint64_t i = 0; i < nplaces(); i++)
		must_be(KEY + i, NOW, LEASE_MINE);
}

Test(lease, release_lets_the_next_have_it)
{
	struct lease lease;

	take(KEY, NOW, &lease);
	lease_release(scratch_cache, &lease, true);
	must_be(KEY, NOW + 1, LEASE_MINE);
}

Test(lease, stranger_may_have_the_place_after_a_release)
{
	struct lease lease;

	take(KEY, NOW, &lease);
	lease_release(scratch_cache, &lease, false);
	must_be(stranger(KEY), NOW + 1, LEASE_MINE);
}

/* Who has read the clock a moment before its holder, and was slower. */
Test(lease, that_began_a_moment_ahead_is_seen)
{
	must_be(KEY, NOW + 1, LEASE_MINE);
	must_be(KEY, NOW, LEASE_OTHERS);
	must_be(stranger(KEY), NOW, LEASE_NONE);
}

Test(lease, ends_by_the_clock)
{
	must_be(KEY, NOW, LEASE_MINE);
	must_be(KEY, NOW + LEASE_MS - 1, LEASE_OTHERS);
	must_be(KEY, NOW + LEASE_MS, LEASE_MINE);
	must_be(KEY, NOW + LEASE_MS, LEASE_OTHERS);
}

Test(lease, ends_by_the_clock_where_its_32_bits_turn_over)
{
	const uint64_t now_ms = (UINT64_C(7) << 32) - 10;
	struct lease lease;

	must_be(KEY, now_ms, LEASE_MINE);
	cr_assert_eq(take(KEY, now_ms + 20, &lease), LEASE_OTHERS);
	cr_assert_eq(lease.end_ms, now_ms + LEASE_MS);
	cr_assert_eq(lease.first_ms, now_ms);
	must_be(KEY, now_ms + LEASE_MS, LEASE_MINE);
}

Test(lease, late_release_leaves_the_next_holder_alone)
{
	struct lease late, lease;

	take(KEY, NOW, &late);
	cr_assert_eq(take(KEY, NOW + LEASE_MS, &lease), LEASE_MINE);
	lease_release(scratch_cache, &late, false);
	must_be(KEY, NOW + LEASE_MS + 1, LEASE_OTHERS);
}

Test(lease, time_without_an_answer_counts_from_the_first_who_asked)
{
	struct lease lease;

	take(KEY, NOW, &lease);
	lease_release(scratch_cache, &lease, false);
	cr_assert_eq(take(KEY, NOW + 300, &lease), LEASE_MINE);
	cr_assert_eq(lease.first_ms, NOW);
	cr_assert_eq(take(KEY, NOW + 300 + LEASE_MS, &lease), LEASE_MINE);
	cr_assert_eq(lease.first_ms, NOW);
	lease_release(scratch_cache, &lease, true);
	cr_assert_eq(take(KEY, NOW + 2000, &lease), LEASE_MINE);
	cr_assert_eq(lease.first_ms, NOW + 2000);
}

/* Whoever comes then has waited long enough for the other part, also when the lease has ended. */
Test(lease, part_of_an_answer_is_not_waited_for_again)
{
	struct lease lease;

	take(KEY, NOW, &lease);
	lease_notify(scratch_cache, &lease, NOW + 100);
	cr_assert_eq(take(KEY, NOW + 200, &lease), LEASE_OTHERS);
	cr_assert_lt(lease.first_ms, NOW);
	cr_assert_eq(take(KEY, NOW + 1000, &lease), LEASE_MINE);
	cr_assert_lt(lease.first_ms, NOW);
}

/* Its holder may be over since then, and nobody be asking for the rest. */
Test(lease, part_of_an_answer_is_forgotten_soon)
{
	struct lease lease;

	take(KEY, NOW, &lease);
	lease_notify(scratch_cache, &lease, NOW + 100);
	cr_assert_eq(take(KEY, NOW + 3101, &lease), LEASE_MINE);
	cr_assert_eq(lease.first_ms, NOW + 3101);
}

Test(lease, time_without_an_answer_is_not_from_before_the_boot)
{
	struct lease lease;

	take(KEY, 100, &lease);
	lease_notify(scratch_cache, &lease, 100);
	cr_assert_eq(take(KEY, 200, &lease), LEASE_OTHERS);
	cr_assert_eq(lease.first_ms, 200);
}

Test(lease, time_without_an_answer_is_not_that_of_a_stranger)
{
	struct lease lease;

	take(KEY, NOW, &lease);
	lease_release(scratch_cache, &lease, false);
	cr_assert_eq(take(stranger(KEY), NOW + 300, &lease), LEASE_MINE);
	cr_assert_eq(lease.first_ms, NOW + 300);
}

Test(lease, time_without_an_answer_is_forgotten_in_the_end)
{
	struct lease lease;

	take(KEY, NOW, &lease);
	cr_assert_eq(take(KEY, NOW + 60001, &lease), LEASE_MINE);
	cr_assert_eq(lease.first_ms, NOW + 60001);
}

/* ---- types ---- */

static void must_be_of(unsigned types, uint64_t now_ms, enum lease_result want)
{
	struct lease lease;
	enum lease_result got = lease_take(scratch_cache, KEY, types, now_ms, &lease);

	cr_assert_eq(got, want, "(%d instead of %d for types %u)", (int)got, (int)want, types);
}

Test(lease, of_both_types_is_waited_for_by_all)
{
	must_be_of(A | AAAA, NOW, LEASE_MINE);
	must_be_of(A, NOW, LEASE_OTHERS);
	must_be_of(AAAA, NOW, LEASE_OTHERS);
	must_be_of(A | AAAA, NOW, LEASE_OTHERS);
}

Test(lease, of_one_type_is_waited_for_by_its_askers_alone)
{
	must_be_of(AAAA, NOW, LEASE_MINE);
	must_be_of(AAAA, NOW, LEASE_OTHERS);
	must_be_of(A, NOW, LEASE_MINE);
	must_be_of(AAAA, NOW, LEASE_OTHERS);
	must_be_of(A, NOW, LEASE_OTHERS);
}

Test(lease, who_takes_it_over_for_both_types_has_it_for_all)
{
	struct lease lease;

	must_be_of(A, NOW, LEASE_MINE);
	cr_assert_eq(lease_take(scratch_cache, KEY, A | AAAA, NOW + 100, &lease), LEASE_MINE);
	cr_assert_eq(lease.first_ms, NOW);
	cr_assert_eq(lease.end_ms, NOW + 100 + LEASE_MS);
	must_be_of(A, NOW + LEASE_MS, LEASE_OTHERS);
}

Test(lease, of_one_type_that_has_ended_adds_nothing)
{
	must_be_of(A, NOW, LEASE_MINE);
	must_be_of(AAAA, NOW + LEASE_MS, LEASE_MINE);
	must_be_of(A, NOW + LEASE_MS, LEASE_MINE);
}

/* What the first has brought may be all that some of them want. */
Test(lease, release_of_one_that_was_taken_over_wakes_and_keeps_the_lease)
{
	struct lease first, others;

	lease_take(scratch_cache, KEY, A, NOW, &first);
	must_be_of(A | AAAA, NOW, LEASE_MINE);
	cr_assert_eq(lease_take(scratch_cache, KEY, A, NOW, &others), LEASE_OTHERS);
	lease_release(scratch_cache, &first, true);
	lease_wait(scratch_cache, &others, LONG_MS);
	must_be_of(A, NOW, LEASE_OTHERS);
}

Test(lease, taken_place_is_seen_without_taking)
{
	struct lease lease;

	cr_assert_not(lease_is_taken(scratch_cache, KEY, NOW));
	take(KEY, NOW, &lease);
	cr_assert(lease_is_taken(scratch_cache, KEY, NOW + LEASE_MS - 1));
	cr_assert(lease_is_taken(scratch_cache, stranger(KEY), NOW));
	cr_assert_not(lease_is_taken(scratch_cache, KEY, NOW + LEASE_MS));
	lease_release(scratch_cache, &lease, true);
	cr_assert_not(lease_is_taken(scratch_cache, KEY, NOW));
}

Test(lease, without_a_cache_there_is_none)
{
	struct lease lease;

	cr_assert_eq(lease_take(NULL, KEY, A, NOW, &lease), LEASE_NONE);
	cr_assert_eq(lease.first_ms, NOW);
	cr_assert_not(lease_is_taken(NULL, KEY, NOW));
	lease_release(NULL, &lease, true);
}

/* ---- to wait ---- */

/* In a child: takes, says so, and waits. */
static pid_t start_waiter(void)
{
	int ready[2];
	struct lease lease;
	pid_t pid;
	char c;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (take(KEY, NOW, &lease) != LEASE_OTHERS || write(ready[1], "", 1) != 1)
			_exit(1);
		lease_wait(scratch_cache, &lease, LONG_MS);
		_exit(0);
	}
	cr_assert_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void must_wake(pid_t pid)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

Test(lease, release_wakes_another_process)
{
	struct lease lease;
	pid_t pid;

	take(KEY, NOW, &lease);
	pid = start_waiter();
	lease_release(scratch_cache, &lease, true);
	must_wake(pid);
}

Test(lease, notify_wakes_all_and_keeps_the_lease)
{
	struct lease lease;
	pid_t pids[3];

	take(KEY, NOW, &lease);
	for (int i = 0; i < 3; i++)
		pids[i] = start_waiter();
	lease_notify(scratch_cache, &lease, 0);
	for (int i = 0; i < 3; i++)
		must_wake(pids[i]);
	must_be(KEY, NOW, LEASE_OTHERS);
}

Test(lease, nobody_sleeps_who_looked_before_the_release)
{
	struct lease mine, others;

	take(KEY, NOW, &mine);
	take(KEY, NOW, &others);
	lease_release(scratch_cache, &mine, true);
	lease_wait(scratch_cache, &others, LONG_MS);
}

Test(lease, sleep_ends_by_its_own_limit)
{
	struct lease others;

	must_be(KEY, NOW, LEASE_MINE);
	take(KEY, NOW, &others);
	lease_wait(scratch_cache, &others, 5);
}

/* ---- the dead, and the hostile ---- */

static void take_and_die(uint64_t from, uint64_t to)
{
	struct lease lease;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (uint64_t key = from; key < to; key++)
			take(key, NOW, &lease);
		raise(SIGKILL);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(lease, killed_holder_holds_it_until_its_end)
{
	take_and_die(KEY, KEY + 1);
	must_be(KEY, NOW + LEASE_MS - 1, LEASE_OTHERS);
	must_be(KEY, NOW + LEASE_MS, LEASE_MINE);
}

Test(lease, table_full_of_dead_holders_is_empty_after_their_time)
{
	uint64_t n = nplaces();

	take_and_die(0, n);
	for (uint64_t key = 0; key < n; key++) {
		must_be(stranger(key), NOW + LEASE_MS - 1, LEASE_NONE);
		must_be(stranger(key), NOW + LEASE_MS, LEASE_MINE);
	}
}

Test(lease, absurd_end_is_none)
{
	const uint64_t ends[] = {NOW,
				 NOW - 1,
				 NOW + LEASE_MS + CLOCK_AHEAD_MS + 1,
				 NOW + 3600000,
				 NOW + 0x7fffffff,
				 NOW + 0x80000000,
				 0};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		damage(KEY, who_until(KEY, ends[i]), 0);
		must_be(KEY, NOW, LEASE_MINE);
		damage(KEY, who_until(stranger(KEY), ends[i]), 0);
		must_be(KEY, NOW, LEASE_MINE);
	}
}

Test(lease, absurd_time_of_the_first_is_now)
{
	const uint64_t firsts[] = {NOW + 1, NOW + 3600000, NOW - 60001, NOW - 0x7fffffff};
	struct lease lease;

	for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
		damage(KEY, who_until(KEY, NOW), (uint32_t)firsts[i]);
		cr_assert_eq(take(KEY, NOW, &lease), LEASE_MINE);
		cr_assert_eq(lease.first_ms, NOW);
	}
}

Test(lease, key_without_an_upper_half_is_a_key)
{
	struct lease lease;

	cr_assert_eq(take(1, UINT64_C(1) << 32, &lease), LEASE_MINE);
	must_be(1, UINT64_C(1) << 32, LEASE_OTHERS);
	lease_release(scratch_cache, &lease, false);
	must_be(1, (UINT64_C(1) << 32) + 1, LEASE_MINE);
}
