// SPDX-License-Identifier: MIT
/* history_table.c: the outcomes of many addresses, in one process and in many, and what is made of
 * bytes that nobody wrote. */
#include "shim/cache_region.h"
#include "shim/history_record.h"
#include "tests/unit/history_rig.h"
#include "tests/unit/test_cache_util.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct order_dest numbered(unsigned i)
{
	return (struct order_dest){
		.family = AF_INET,
		.addr = {10, (unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i}};
}

static unsigned count_known(struct cache *cache, unsigned n, uint64_t now_ms)
{
	unsigned known = 0;

	for (unsigned i = 0; i < n; i++) {
		struct order_dest dest = numbered(i);
		struct history_outcome got;

		history_record_find(cache, 1, &dest, now_ms, &got);
		known += got.verdict == RACE_WORKS;
	}
	return known;
}

Test(history, cache_of_default_size_knows_hundreds_of_addresses)
{
	struct cache *cache = private_cache(CACHE_SIZE_DEFAULT);

	for (unsigned i = 0; i < 500; i++) {
		struct order_dest dest = numbered(i);

		history_record_connected(cache, 1, &dest, 20, NOW_MS);
	}
	cr_expect_geq(count_known(cache, 500, NOW_MS), 495u);
}

Test(history, oldest_outcomes_make_room)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct order_dest newest;
	struct history_outcome got;

	for (unsigned i = 0; i < 5000; i++) {
		newest = numbered(i);
		history_record_connected(cache, 1, &newest, 20, NOW_MS + (uint64_t)i * 64);
		history_record_find(cache, 1, &newest, NOW_MS + (uint64_t)i * 64, &got);
		cr_assert_eq(got.verdict, RACE_WORKS, "address %u", i);
	}
}

/* Nothing to compare with: it is enough that nobody crashes, and that a new outcome is found. */
Test(history, random_bytes_harm_nobody)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	size_t at = cache_region_history_at(cache), len = cache_region_history_len(cache);
	unsigned lost = 0;

	srandom(3);
	for (unsigned round = 0; round < 200; round++) {
		for (size_t i = 0; i < len; i++)
			((unsigned char *)cache_region_claim(cache, at))[i] =
				(unsigned char)random();
		for (unsigned i = 0; i < 20; i++) {
			struct order_dest dest = numbered(i * 256);
			struct history_outcome got;

			history_record_find(cache, 1, &dest, NOW_MS, &got);
			cr_expect_leq(got.verdict, RACE_BROKEN);
			(void)history_record_claim(cache, 1, &dest, NOW_MS);
			history_record_pending(cache, 1, &dest, NOW_MS);
			history_record_failed(cache, 1, &dest, HISTORY_SILENT, NOW_MS);
			history_record_connected(cache, 1, &dest, 20, NOW_MS);
			history_record_find(cache, 1, &dest, NOW_MS, &got);
			lost += got.verdict != RACE_WORKS;
		}
	}
	cr_expect_eq(lost, 0u);
}

static void in_child(void (*run)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		run();
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

static void fail_in_the_file(void)
{
	struct order_dest dest = dest_of("2001:db8::1");

	history_record_failed(scratch_file_open(CACHE_SIZE_DEFAULT), 1, &dest, HISTORY_SILENT,
			      NOW_MS);
}

Test(history, other_process_learns_of_it, .init = scratch_file_make, .fini = scratch_file_remove)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	struct order_dest dest = dest_of("2001:db8::1");
	uint64_t generation = history_record_generation(cache);
	struct history_outcome got;

	in_child(fail_in_the_file);
	history_record_find(cache, 1, &dest, NOW_MS, &got);
	cr_expect_eq(got.verdict, RACE_BROKEN);
	cr_expect_gt(history_record_generation(cache), generation);
}

static void claim_in_the_file(void)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	struct order_dest dest = dest_of("2001:db8::1"), won = dest_of("192.0.2.1");

	for (unsigned s = 0; s < 100; s++)
		if (history_record_claim(cache, 1, &dest, NOW_MS + 61000))
			history_record_connected(cache, 1, &won, 20, NOW_MS + 61000);
}

/* Who gets the claim leaves a mark: its round trips make a variance that falls with each. */
Test(history, one_process_of_many_gets_the_claim, .init = scratch_file_make,
     .fini = scratch_file_remove)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	struct order_dest won = dest_of("192.0.2.1");
	struct history_outcome got;
	pid_t pids[8];

	fail_in_the_file();
	for (unsigned i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			claim_in_the_file();
			_exit(0);
		}
	}
	for (unsigned i = 0; i < 8; i++)
		waitpid(pids[i], NULL, 0);
	history_record_find(cache, 1, &won, NOW_MS + 61000, &got);
	cr_assert_eq(got.verdict, RACE_WORKS, "nobody got it");
	cr_expect_eq(got.rttvar_ms, 10u, "more than one got it");
}

static void try_in_the_file(void)
{
	struct order_dest dest = dest_of("2001:db8::1");

	for (unsigned i = 0; i < 50; i++) /* one process, many sockets */
		history_record_trying(scratch_file_open(CACHE_SIZE_MIN), 1, &dest, NOW_MS);
}

static bool is_suspected_in_the_file(uint64_t now_ms)
{
	struct order_dest dest = dest_of("2001:db8::1");
	struct history_outcome got;

	history_record_find(scratch_file_open(CACHE_SIZE_MIN), 1, &dest, now_ms, &got);
	cr_assert_eq(got.verdict == RACE_BROKEN, got.suspected);
	return got.suspected;
}

Test(history, many_processes_without_an_answer_are_enough, .init = scratch_file_make,
     .fini = scratch_file_remove)
{
	struct order_dest dest = dest_of("2001:db8::1");

	for (unsigned i = 0; i < HISTORY_BURST; i++) {
		cr_assert_not(is_suspected_in_the_file(NOW_MS), "after %u", i);
		in_child(try_in_the_file);
	}
	cr_expect(is_suspected_in_the_file(NOW_MS));
	cr_expect_not(is_suspected_in_the_file(NOW_MS + HISTORY_BURST_MS + 64));
	history_record_connected(scratch_file_open(CACHE_SIZE_MIN), 1, &dest, 20, NOW_MS);
	for (unsigned i = 0; i < HISTORY_BURST; i++)
		in_child(try_in_the_file);
	cr_expect_not(is_suspected_in_the_file(NOW_MS), "one had an answer");
}

/* Outcomes of few addresses, for ever. */
static _Noreturn void write_at_random(unsigned seed)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);

	srandom(seed);
	for (;;) {
		struct order_dest dest = numbered((unsigned)random() % 40 * 200);

		switch (random() % 4) {
		case 0:
			history_record_connected(cache, 1, &dest, (uint32_t)random() % 500, NOW_MS);
			break;
		case 1:
			history_record_failed(cache, 1, &dest, HISTORY_SILENT, NOW_MS);
			break;
		case 2:
			history_record_pending(cache, 1, &dest, NOW_MS);
			break;
		default:
			(void)history_record_claim(cache, 1, &dest, NOW_MS + 60000);
		}
	}
}

Test(history, killed_writers_harm_nobody, .init = scratch_file_make, .fini = scratch_file_remove)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);

	for (unsigned round = 0; round < 20; round++) {
		pid_t pids[3];

		for (unsigned i = 0; i < 3; i++)
			if ((pids[i] = fork()) == 0)
				write_at_random(round * 3 + i);
		usleep(5000);
		for (unsigned i = 0; i < 3; i++) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
		}
		for (unsigned i = 0; i < 40; i++) {
			struct order_dest dest = numbered(i * 200);
			struct history_outcome got;

			history_record_connected(cache, 1, &dest, 20, NOW_MS);
			history_record_find(cache, 1, &dest, NOW_MS, &got);
			cr_assert_eq(got.verdict, RACE_WORKS, "round %u, address %u", round, i);
			history_record_failed(cache, 1, &dest, HISTORY_REFUSED, NOW_MS);
			history_record_find(cache, 1, &dest, NOW_MS, &got);
			cr_assert_eq(got.verdict, RACE_BROKEN, "round %u, address %u", round, i);
		}
	}
}
