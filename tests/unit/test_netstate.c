// SPDX-License-Identifier: MIT
/*
 * netstate.c and netstate_record.c: one process asks the kernel for all, nobody goes by what is a
 * second old, and no record is believed that is damaged or another namespace's.
 */
#include "shim/netstate.h"

#include "shim/cache_region.h"
#include "shim/netns.h"
#include "shim/process.h"
#include "shim/settings.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS 5000000

static struct settings settings;

static void set_up(void)
{
	settings.cache = private_cache(CACHE_SIZE_MIN);
	settings.netns = netns_identify();
	if (settings.netns == 0)
		cr_skip_test("the kernel does not tell the network namespace");
}

TestSuite(netstate, .init = set_up);

static const struct network elsewhere = {
	.netns = 4711, .addresses = 1, .routes = 2, .seen_ipv4 = true};

static bool record_exists(uint64_t netns, uint64_t now_ms, struct network *ret)
{
	uint64_t checked_ms;

	return netstate_record_read(settings.cache, netns, now_ms, NETSTATE_CHECK_MS, ret,
				    &checked_ms);
}

Test(netstate, record_is_read_as_it_was_written)
{
	struct network got;
	uint64_t checked_ms = 0;

	for (unsigned flags = 0; flags < 4; flags++) {
		struct network network = elsewhere;

		network.seen_ipv4 = flags & 1;
		network.seen_ipv6 = flags & 2;
		netstate_record_write(settings.cache, &network, NOW_MS);
		cr_assert(netstate_record_read(settings.cache, 4711, NOW_MS + 9, 10, &got,
					       &checked_ms));
		cr_expect_eq(got.netns, 4711u);
		cr_expect_eq(got.addresses, 1u);
		cr_expect_eq(got.routes, 2u);
		cr_expect_eq(got.seen_ipv4, network.seen_ipv4);
		cr_expect_eq(got.seen_ipv6, network.seen_ipv6);
		cr_expect_eq(checked_ms, (uint64_t)NOW_MS);
	}
}

Test(netstate, record_ages_and_has_no_future)
{
	struct network got;

	netstate_record_write(settings.cache, &elsewhere, NOW_MS);
	cr_expect(record_exists(4711, NOW_MS, &got));
	cr_expect(record_exists(4711, NOW_MS + NETSTATE_CHECK_MS - 1, &got));
	cr_expect_not(record_exists(4711, NOW_MS + NETSTATE_CHECK_MS, &got));
	cr_expect_not(record_exists(4711, NOW_MS - 1, &got));
}

Test(netstate, namespaces_have_records_of_their_own)
{
	struct network got;

	for (uint64_t netns = 1; netns <= 17; netns++) {
		struct network network = {.netns = netns, .addresses = 100 + netns};

		netstate_record_write(settings.cache, &network, NOW_MS + netns);
	}
	for (uint64_t netns = 2; netns <= 17; netns++) {
		cr_assert(record_exists(netns, NOW_MS + 17, &got), "of namespace %lu", netns);
		cr_expect_eq(got.netns, netns);
		cr_expect_eq(got.addresses, 100 + netns);
	}
	cr_expect_not(record_exists(1, NOW_MS + 17, &got), "the oldest made way for no one");
	cr_expect_not(record_exists(18, NOW_MS + 17, &got));
	cr_expect_not(record_exists(0, 0, &got), "an empty record is not that of namespace 0");
}

Test(netstate, record_with_any_bit_wrong_is_none)
{
	unsigned char *bytes = cache_region_records(settings.cache);
	struct network got;
	unsigned at = 0;

	netstate_record_write(settings.cache, &elsewhere, NOW_MS);
	while (bytes[at] == 0)
		at++;
	at -= at % 64;
	for (unsigned bit = 0; bit < 6 * 64; bit++) {
		bytes[at + bit / 8] ^= (unsigned char)(1u << bit % 8);
		cr_expect_not(record_exists(4711, NOW_MS, &got), "bit %u", bit);
		bytes[at + bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	cr_expect(record_exists(4711, NOW_MS, &got));
}

Test(netstate, random_bytes_are_no_record)
{
	unsigned char *bytes = cache_region_records(settings.cache);
	struct network got;

	srandom(1);
	for (unsigned round = 0; round < 10000; round++) {
		for (unsigned i = 0; i < 64; i++)
			bytes[(unsigned)random() % CACHE_REGION_RECORDS] = (unsigned char)random();
		cr_assert_not(record_exists(round, NOW_MS, &got));
	}
}

/* ---- the state of a process ---- */

/* What another process left. No network is like it. */
static void leave_record_of(uint64_t addresses, uint64_t routes, uint64_t when_ms)
{
	struct network network = {.netns = settings.netns,
				  .addresses = addresses,
				  .routes = routes,
				  .seen_ipv6 = true};

	netstate_record_write(settings.cache, &network, when_ms);
}

static void leave_record(uint64_t when_ms)
{
	leave_record_of(1234, 5678, when_ms);
}

Test(netstate, record_of_another_process_is_taken)
{
	const struct netstate *state;

	leave_record(NOW_MS - NETSTATE_CHECK_MS + 1);
	state = netstate_get(&settings, NOW_MS);
	cr_expect_eq(state->network.addresses, 1234u);
	cr_expect_not(state->network.seen_ipv4);
	cr_expect(state->network.seen_ipv6);
	cr_expect_null(atomic_load(&state->netif), "the addresses were read");
}

Test(netstate, nothing_serves_longer_than_a_second)
{
	const struct netstate *state;

	leave_record(NOW_MS - 400);
	cr_assert_eq(netstate_get(&settings, NOW_MS)->network.addresses, 1234u);
	cr_expect_eq(netstate_get(&settings, NOW_MS + 599)->network.addresses, 1234u);
	state = netstate_get(&settings, NOW_MS + 600);
	cr_expect_neq(state->network.addresses, 1234u);
}

/* As where a thread read the clock before the one that checked, and comes second. */
Test(netstate, time_before_the_last_check_asks_nobody)
{
	leave_record(NOW_MS);
	cr_assert_eq(netstate_get(&settings, NOW_MS)->network.addresses, 1234u);
	cr_expect_eq(netstate_get(&settings, NOW_MS - 1)->network.addresses, 1234u);
}

Test(netstate, first_to_look_tells_the_others)
{
	const struct netstate *state = netstate_get(&settings, NOW_MS);
	struct network got;

	cr_assert(record_exists(settings.netns, NOW_MS, &got));
	cr_expect_eq(got.addresses, state->network.addresses);
	cr_expect_eq(got.routes, state->network.routes);
	cr_expect_eq(got.seen_ipv4, state->network.seen_ipv4);
}

Test(netstate, same_network_is_the_same_state)
{
	const struct netstate *first = netstate_get(&settings, NOW_MS);

	cr_expect_eq(netstate_get(&settings, NOW_MS + NETSTATE_CHECK_MS), first);
	cr_expect_eq(netstate_get(&settings, NOW_MS + 2 * NETSTATE_CHECK_MS), first);
}

Test(netstate, other_namespace_gets_another_state)
{
	uint64_t hash = netstate_get(&settings, NOW_MS)->hash;

	settings.netns++;
	cr_expect_neq(netstate_get(&settings, NOW_MS)->hash, hash);
}

Test(netstate, other_addresses_or_routes_make_another_hash)
{
	static const uint64_t networks[][2] = {{1, 1}, {2, 1}, {1, 2}};
	uint64_t hashes[3];

	for (unsigned i = 0; i < 3; i++) {
		uint64_t when_ms = NOW_MS + i * NETSTATE_CHECK_MS;

		leave_record_of(networks[i][0], networks[i][1], when_ms);
		hashes[i] = netstate_get(&settings, when_ms)->hash;
	}
	cr_expect_neq(hashes[0], hashes[1]);
	cr_expect_neq(hashes[0], hashes[2]);
	cr_expect_neq(hashes[1], hashes[2]);
}

Test(netstate, thread_that_has_moved_tells_nothing)
{
	struct network got;

	settings.netns++; /* the settings are of another namespace than this thread */
	netstate_get(&settings, NOW_MS);
	cr_expect_not(record_exists(settings.netns, NOW_MS, &got));
	cr_expect_not(record_exists(settings.netns - 1, NOW_MS, &got));
}

Test(netstate, addresses_are_read_when_they_are_asked_for)
{
	const struct netstate *state;
	const struct netif *netif;
	struct netif now;

	leave_record(NOW_MS);
	state = netstate_get(&settings, NOW_MS);
	netif = netstate_netif(state);
	cr_assert_eq(netif_read(&now), 0);
	cr_expect_eq(netif->hash, now.hash);
	cr_expect_eq(netstate_netif(state), netif, "they were read twice");
	netif_free(&now);
}

/* ---- the hash alone ---- */

Test(netstate, hash_alone_is_that_of_the_state)
{
	uint64_t hash = netstate_hash(&settings, NOW_MS);
	struct network got;

	cr_assert(record_exists(settings.netns, NOW_MS, &got), "the others were not told");
	cr_expect_eq(netstate_get(&settings, NOW_MS)->hash, hash);
	cr_expect_eq(netstate_hash(&settings, NOW_MS), hash);
}

Test(netstate, hash_alone_follows_what_others_found)
{
	uint64_t hash = netstate_hash(&settings, NOW_MS);

	leave_record(NOW_MS + NETSTATE_CHECK_MS - 1);
	cr_expect_eq(netstate_hash(&settings, NOW_MS + NETSTATE_CHECK_MS - 1), hash);
	cr_expect_neq(netstate_hash(&settings, NOW_MS + NETSTATE_CHECK_MS), hash);
}

Test(netstate, hash_alone_needs_no_cache)
{
	uint64_t hash = netstate_hash(&settings, NOW_MS);

	settings.cache = NULL;
	cr_expect_eq(netstate_hash(&settings, NOW_MS + NETSTATE_CHECK_MS), hash);
}

Test(netstate, without_a_cache_the_process_asks_for_itself)
{
	struct netif now;

	settings.cache = NULL;
	cr_assert_eq(netif_read(&now), 0);
	cr_expect_eq(netstate_get(&settings, NOW_MS)->network.addresses, now.hash);
	netif_free(&now);
}

/* ---- since when ---- */

static uint64_t write_place(uint64_t netns, uint64_t place, uint64_t now_ms)
{
	const struct network network = {.netns = netns, .place = place};

	return netstate_record_write(settings.cache, &network, now_ms);
}

Test(netstate, first_place_that_is_noted_is_no_change)
{
	cr_expect_eq(write_place(4711, 1, NOW_MS), 0u);
	cr_expect_eq(write_place(4711, 1, NOW_MS + 5000), 0u);
	cr_expect_eq(netstate_record_since(settings.cache, 4711, NOW_MS + 5000), 0u);
	cr_expect_eq(netstate_record_since(settings.cache, 4712, NOW_MS + 5000), 0u);
}

Test(netstate, change_of_place_is_kept_by_all_that_come)
{
	struct network got;
	uint64_t checked_ms;

	write_place(4711, 1, NOW_MS);
	cr_expect_eq(write_place(4711, 2, NOW_MS + 5000), NOW_MS + 5000u);
	cr_expect_eq(write_place(4711, 2, NOW_MS + 9000), NOW_MS + 5000u);
	cr_assert(netstate_record_read(settings.cache, 4711, NOW_MS + 9000, 1, &got, &checked_ms));
	cr_expect_eq(got.place, 2u);
	cr_expect_eq(got.since_ms, NOW_MS + 5000u);
	cr_expect_eq(netstate_record_since(settings.cache, 4711, NOW_MS + 9000), NOW_MS + 5000u);
}

Test(netstate, return_to_a_place_is_another_change)
{
	write_place(4711, 1, NOW_MS);
	write_place(4711, 2, NOW_MS + 1000);
	cr_expect_eq(write_place(4711, 1, NOW_MS + 2000), NOW_MS + 2000u);
}

Test(netstate, places_of_namespaces_are_their_own)
{
	write_place(4711, 1, NOW_MS);
	cr_expect_eq(write_place(4712, 2, NOW_MS + 1000), 0u);
	cr_expect_eq(write_place(4711, 1, NOW_MS + 2000), 0u);
}

/* As who has a clock that is ahead leaves it. */
Test(netstate, change_of_the_future_is_none_and_does_not_last)
{
	struct network got;
	uint64_t checked_ms;

	write_place(4711, 1, NOW_MS);
	write_place(4711, 2, NOW_MS + 86400000);
	cr_expect_eq(netstate_record_since(settings.cache, 4711, NOW_MS), 0u);
	cr_expect_not(netstate_record_read(settings.cache, 4711, NOW_MS, 1000, &got, &checked_ms));
	cr_expect_eq(write_place(4711, 2, NOW_MS + 1), NOW_MS + 1u);
	cr_expect_eq(write_place(4711, 2, NOW_MS + 5000), NOW_MS + 1u);
}

/* Whatever is in the word: no time of the future comes out, and the next ones agree. */
Test(netstate, random_words_do_no_harm)
{
	unsigned char *bytes = cache_region_records(settings.cache);

	srandom(1);
	for (unsigned round = 0; round < 10000; round++) {
		uint64_t since_ms;

		for (unsigned i = 0; i < 64; i++)
			bytes[(unsigned)random() % CACHE_REGION_NETWORKS_LEN] =
				(unsigned char)random();
		cr_assert_leq(netstate_record_since(settings.cache, round, NOW_MS), NOW_MS + 0u);
		since_ms = write_place(round, 7, NOW_MS);
		cr_assert_leq(since_ms, NOW_MS + 0u);
		cr_assert_eq(write_place(round, 7, NOW_MS + 1), since_ms);
	}
}

/* ---- since when, as a process sees it ---- */

/* Places that the kernel has told are even. */
static void leave_place(uint64_t place, uint64_t when_ms)
{
	write_place(settings.netns, place, when_ms);
}

static uint64_t since(uint64_t now_ms)
{
	return netstate_since(&settings, now_ms);
}

Test(netstate, nothing_changes_at_the_first_look)
{
	cr_expect_eq(since(NOW_MS), 0u);
	cr_expect_eq(since(NOW_MS + 5 * NETSTATE_CHECK_MS), 0u);
	cr_expect_eq(netstate_since_last(), 0u);
}

Test(netstate, change_that_another_process_saw_is_known)
{
	leave_place(2, NOW_MS);
	leave_place(4, NOW_MS + 5000);
	cr_expect_eq(since(NOW_MS + 5001), NOW_MS + 5000u);
	cr_expect_eq(netstate_since_last(), NOW_MS + 5000u);
}

Test(netstate, change_is_seen_within_a_second)
{
	leave_place(2, NOW_MS);
	cr_assert_eq(since(NOW_MS), 0u);
	leave_place(4, NOW_MS + 1);
	cr_expect_eq(since(NOW_MS + NETSTATE_CHECK_MS - 1), 0u);
	cr_expect_eq(since(NOW_MS + NETSTATE_CHECK_MS), NOW_MS + 1u);
}

Test(netstate, change_is_seen_without_a_cache)
{
	settings.cache = NULL;
	cr_assert_eq(since(NOW_MS), 0u);
	cr_expect_eq(since(NOW_MS + NETSTATE_CHECK_MS), 0u);
}

/* Somebody has damaged the word, or it went with the record that made way for others. */
Test(netstate, change_that_was_seen_is_not_forgotten)
{
	unsigned char *bytes = cache_region_records(settings.cache);

	leave_place(2, NOW_MS);
	leave_place(4, NOW_MS + 100);
	cr_assert_eq(since(NOW_MS + 100), NOW_MS + 100u);
	memset(bytes, 0, CACHE_REGION_NETWORKS_LEN);
	leave_place(4, NOW_MS + 900);
	cr_expect_eq(since(NOW_MS + 1200), NOW_MS + 100u);
	memset(bytes, 0, CACHE_REGION_NETWORKS_LEN);
	leave_place(6, NOW_MS + 2400);
	cr_expect_eq(since(NOW_MS + 2500), NOW_MS + 2500u);
}

/* A child in another time namespace. */
Test(netstate, change_of_a_clock_that_is_ahead_is_none)
{
	leave_place(2, NOW_MS + 86400000);
	leave_place(4, NOW_MS + 86400000);
	cr_assert_eq(since(NOW_MS + 86400000), NOW_MS + 86400000u);
	netstate_reset();
	memset(cache_region_records(settings.cache), 0, CACHE_REGION_NETWORKS_LEN);
	leave_place(4, NOW_MS);
	cr_expect_eq(since(NOW_MS), 0u);
}
