// SPDX-License-Identifier: MIT
/*
 * test_cache_evict.c - who goes when the cache is full. The large class of the smallest file is one
 * set of four ways, which makes each case small; that they add up is held to an exact LRU list.
 */
#include "shim/cache_evict.h"

#include "tests/bench/flood.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>

#define WAYS	4u
#define HOUR_MS UINT64_C(3600000)

static struct cache *cache;

static void set_up(void)
{
	cache = private_cache(CACHE_SIZE_MIN);
	cache->seed = 1; /* the same sets for the same names each time */
	cr_assert_eq(cache->classes[CACHE_LARGE].nsets, 1, "the tests want one set");
	cr_assert_eq(cache->classes[CACHE_LARGE].ways, WAYS);
}

static void tear_down(void)
{
	cache_close(cache);
}

TestSuite(cache_evict, .init = set_up, .fini = tear_down);

/* Its TTL is 1000 s and `more`. */
static void store(unsigned number, unsigned more, uint64_t now_ms)
{
	struct sample s = {.number = number,
			   .version = more,
			   .size = SAMPLE_LARGE,
			   .view = SAMPLE_VIEW,
			   .stored_ms = now_ms};

	cr_assert_eq(sample_store(cache, &s, now_ms), 0);
}

static bool is_there(unsigned number)
{
	return sample_lookup(cache, number, SAMPLE_VIEW, NULL) == 0;
}

static void use(unsigned number)
{
	cr_assert_eq(sample_use(cache, number, SAMPLE_VIEW), 0, "%u is not there", number);
}

/* Fills the set with names 0 to 3. */
static void fill(void)
{
	for (unsigned i = 0; i < WAYS; i++)
		store(i, 500, SAMPLE_NOW);
}

/* Names from 100 on that nobody asks for again. */
static void flood(unsigned n)
{
	static unsigned next = 100;

	while (n-- > 0)
		store(next++, 500, SAMPLE_NOW);
}

Test(cache_evict, what_is_over_goes_first_and_the_oldest_of_it)
{
	uint64_t later = SAMPLE_NOW + UINT64_C(2000000);

	for (unsigned i = 0; i < WAYS; i++)
		store(i, i == 2 ? 100 : i == 1 ? 200 : 5000, SAMPLE_NOW);
	use(1);
	use(2);
	store(10, 1, later);
	cr_assert(!is_there(2));
	store(11, 1, later);
	cr_assert(!is_there(1));
	cr_assert(is_there(0) && is_there(3));
}

Test(cache_evict, name_in_use_outlasts_names_that_are_not)
{
	fill();
	use(1);
	flood(3);
	cr_assert(is_there(1));
	cr_assert(!is_there(0) && !is_there(2) && !is_there(3));
}

Test(cache_evict, one_use_in_a_while_is_enough)
{
	fill();
	for (unsigned i = 0; i < 100; i++) {
		use(1);
		flood((WAYS - 1) * (SLOT_AGE_MAX - 1));
	}
	cr_assert(is_there(1));
}

Test(cache_evict, name_that_has_gone_out_of_use_goes)
{
	fill();
	for (unsigned i = 0; i < 10; i++)
		use(1);
	flood(WAYS * (SLOT_AGE_MAX + 1));
	cr_assert(!is_there(1));
}

Test(cache_evict, last_use_decides_among_names_in_use)
{
	fill();
	use(0);
	use(1);
	use(2);
	store(4, 500, SAMPLE_NOW); /* for 3; the others are older by one age */
	use(4);
	use(0);
	use(1);
	flood(1);
	cr_assert(!is_there(2));
	cr_assert(is_there(0) && is_there(1) && is_there(4));
}

/* A set in which all are in use gives up one of them, not one with each store. */
Test(cache_evict, full_set_in_use_loses_one_to_a_flood)
{
	fill();
	for (unsigned i = 0; i < WAYS; i++)
		use(i);
	flood(SLOT_AGE_MAX - 1);
	cr_assert_eq(is_there(0) + is_there(1) + is_there(2) + is_there(3), 3);
}

Test(cache_evict, only_a_use_counts)
{
	fill();
	use(1);
	for (unsigned i = 0; i < 10; i++)
		cr_assert(is_there(0)); /* what we look at ourselves */
	store(0, 600, SAMPLE_NOW);	/* and what we store */
	flood(3);
	cr_assert(!is_there(0));
	cr_assert(is_there(1));
}

Test(cache_evict, storing_anew_leaves_a_name_in_use)
{
	fill();
	use(1);
	store(1, 600, SAMPLE_NOW);
	flood(WAYS);
	cr_assert(is_there(1));
}

/* Expired, but it may be given while the servers are silent. */
Test(cache_evict, stale_name_in_use_outlasts_fresh_ones_that_are_not)
{
	uint64_t later = SAMPLE_NOW + HOUR_MS;

	cache->keep_s = 86400;
	fill();
	use(1);
	for (unsigned i = 10; i < 20; i++)
		store(i, 5000, later);
	cr_assert(is_there(1));
	cr_assert(is_there(19));
}

Test(cache_evict, what_may_not_be_given_stale_any_more_is_over)
{
	uint64_t later = SAMPLE_NOW + HOUR_MS;

	cache->keep_s = 2 * 3600;
	store(0, 0, SAMPLE_NOW - 3 * HOUR_MS);
	for (unsigned i = 1; i < WAYS; i++)
		store(i, 0, SAMPLE_NOW);
	use(0);
	store(10, 0, later);
	cr_assert(!is_there(0));
	cr_assert(is_there(1) && is_there(2) && is_there(3));
}

/* ---- entries without addresses, in the tiny class ---- */

#define VIEW  7
#define NAMES "n%05u.example.com"

static int put(unsigned number, enum resolver_kind kind)
{
	static const unsigned char addr[16];
	_Alignas(ENTRY_ALIGN) unsigned char blob[512];
	char name[32];
	struct entry entry = {.view = VIEW, .name = name};
	struct entry_rrset rr = {.kind = kind,
				 .failure = kind == RESOLVER_FAILURE ? RESOLVER_SERVFAIL
								     : RESOLVER_FAILURE_NONE,
				 .ttl_s = 300,
				 .stored_ms = SAMPLE_NOW,
				 .naddrs = kind == RESOLVER_ANSWER,
				 .addrs = addr};
	ssize_t size;

	entry.name_len = (size_t)snprintf(name, sizeof name, NAMES, number);
	entry.rr[ENTRY_A] = rr;
	size = entry_encode(&entry, blob, sizeof blob);
	cr_assert_gt(size, 0);
	return cache_store(cache, cache_hash(cache, VIEW, name, entry.name_len), blob, (size_t)size,
			   SAMPLE_NOW);
}

static bool has(unsigned number, bool touch)
{
	_Alignas(ENTRY_ALIGN) unsigned char room[512];
	char name[32];
	size_t len = (size_t)snprintf(name, sizeof name, NAMES, number), need;
	struct entry entry;

	if (cache_lookup(cache, cache_hash(cache, VIEW, name, len), VIEW, name, len, room,
			 sizeof room, &entry, &need) < 0)
		return false;
	if (touch)
		cache_touch(&entry);
	return true;
}

static unsigned tiny_slots(void)
{
	return flood_slots(cache, CACHE_TINY);
}

static unsigned count(unsigned from, unsigned n)
{
	unsigned found = 0;

	for (unsigned i = from; i < from + n; i++)
		found += has(i, false);
	return found;
}

static void flood_of(enum resolver_kind kind)
{
	unsigned half = tiny_slots() / 2, before;

	for (unsigned i = 0; i < half; i++)
		cr_assert_eq(put(i, RESOLVER_ANSWER), 0);
	before = count(0, half);
	for (unsigned i = 0; i < 20 * half; i++)
		cr_assert_eq(put(half + i, kind), 0);
	cr_assert_eq(count(0, half), before);
}

/* Addresses that nobody has asked for again outlast any number of them. */
Test(cache_evict, negative_answers_replace_no_addresses)
{
	flood_of(RESOLVER_NXDOMAIN);
}

Test(cache_evict, failures_replace_no_addresses)
{
	flood_of(RESOLVER_FAILURE);
}

/* A search list's misses are in use like any name. */
Test(cache_evict, negative_answer_in_use_outlasts_addresses_that_are_not)
{
	unsigned n = tiny_slots();

	cr_assert_eq(put(0, RESOLVER_NXDOMAIN), 0);
	cr_assert(has(0, true));
	for (unsigned i = 1; i < 20 * n; i++) {
		cr_assert_eq(put(i, RESOLVER_ANSWER), 0);
		if (i % n == 0)
			cr_assert(has(0, true), "gone after %u", i);
	}
}

/* ---- all of it ---- */

static const struct flood_plan plans[] = {
	{.names = 4000, .lookups = 150000, .others = 1, .gap_us = 1000, .ttl_s = 300, .seed = 1},
	{.names = 4000, .lookups = 150000, .others = 1, .gap_us = 10, .ttl_s = 300, .seed = 2},
	{.names = 1000, .lookups = 30000, .others = 10, .gap_us = 1000, .ttl_s = 300, .seed = 3},
	{.names = 4000, .lookups = 150000, .gap_us = 1000, .ttl_s = 300, .seed = 4},
};

static struct flood_result run(const struct flood_plan *plan)
{
	struct flood_result r;

	cache->keep_s = 86400;
	cache->seed = plan->seed;
	r = flood_run(cache, plan);
	cr_log_info("%u names, %u others: %lu hits, %lu of the list", plan->names, plan->others,
		    (unsigned long)r.hits, (unsigned long)r.lru_hits);
	return r;
}

Test(cache_evict, flood_leaves_as_many_hits_as_an_exact_lru_list)
{
	for (unsigned i = 0; i < sizeof plans / sizeof plans[0]; i++) {
		struct flood_result r = run(&plans[i]);

		cr_expect_geq(r.hits * 100, r.lru_hits * 95, "plan %u: %lu hits, the list %lu", i,
			      (unsigned long)r.hits, (unsigned long)r.lru_hits);
		tear_down();
		set_up();
	}
}

/* Names that do not exist cost those in use nothing. */
Test(cache_evict, flood_of_nothing_leaves_as_many_hits_as_no_flood)
{
	struct flood_plan plan = plans[0];
	struct flood_result r;

	plan.nxdomain = true;
	r = run(&plan);
	cr_expect_geq(r.hits * 100, r.quiet_hits * 95, "%lu hits, a list without the flood %lu",
		      (unsigned long)r.hits, (unsigned long)r.quiet_hits);
}

/* Any stamp and any time in it, as a damaged file may have them. */
Test(cache_evict, hostile_stamps_still_make_room)
{
	uint64_t random = 5;

	fill();
	for (unsigned i = 0; i < 10000; i++) {
		const struct cache_class *class = &cache->classes[CACHE_LARGE];
		struct cache_slot *slot = slot_at(cache, class, 0, i % WAYS);

		slot->stamp = (uint32_t)flood_random(&random);
		slot->until_s = (uint32_t)flood_random(&random);
		store(100 + i, 500, SAMPLE_NOW);
		cr_assert(is_there(100 + i));
	}
}
