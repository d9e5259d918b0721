// SPDX-License-Identifier: MIT
/* order_cache.c: the same as order_sort(), and asked of the kernel once, by whatever process. */
#include "shim/order_cache.h"

#include "shim/cache_region.h"
#include "shim/history.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOW_MS 6000000

static struct config config = {.race = true};
static struct settings settings = {.config = &config};
static struct netif netif = {.seen_ipv4 = true, .seen_ipv6 = true, .hash = 7};
static struct netstate state = {.network = {.netns = 1, .addresses = 7}, .hash = 1};

/* The addresses of this machine do not matter here, and need not be read. */
static void set_up(size_t cache_size)
{
	settings.gai = gai_conf_default;
	settings.gai_hash = 0;
	settings.cache = cache_size == 0 ? NULL : private_cache(cache_size);
	atomic_store(&state.netif, &netif);
}

static void fill(struct order_dest *dests, unsigned n)
{
	memset(dests, 0, n * sizeof *dests);
	for (unsigned i = 0; i < n; i++) {
		dests[i].family = AF_INET;
		dests[i].addr[0] = 127; /* has a source address on every machine */
		dests[i].addr[3] = (unsigned char)(n - i);
	}
}

static void expect_permutation(const uint16_t *perm, unsigned n)
{
	bool seen[1000] = {false};

	for (unsigned i = 0; i < n; i++) {
		cr_assert_lt(perm[i], n);
		cr_assert(!seen[perm[i]], "%u stands there twice", perm[i]);
		seen[perm[i]] = true;
	}
}

static void limit_descriptors(bool none, struct rlimit *usual)
{
	struct rlimit limit;

	if (none)
		getrlimit(RLIMIT_NOFILE, usual);
	limit = *usual;
	if (none)
		limit.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * Is the order of a usable IPv4 address and an IPv6 one that no source address leads to asked of
 * the kernel? Without a descriptor to ask with, neither seems usable, and IPv6 comes first.
 */
static unsigned asks_kernel(const struct order_dest *dests, uint64_t now_ms)
{
	struct rlimit usual;
	uint16_t perm[2];

	limit_descriptors(true, &usual);
	cr_assert_eq(order_cached(dests, 2, &settings, &state, now_ms, NULL, perm), 0);
	limit_descriptors(false, &usual);
	return perm[0] == 1;
}

/* List `i` of such two. */
static void make_pair(struct order_dest dests[2], unsigned i)
{
	memset(dests, 0, 2 * sizeof *dests);
	dests[0].family = AF_INET;
	memcpy(dests[0].addr, (const unsigned char[]){127, i >> 16, i >> 8, i}, 4);
	dests[1].family = AF_INET6;
	memcpy(dests[1].addr, (const unsigned char[]){0xfe, 0x80}, 2);
	dests[1].addr[15] = 1;
}

static void order_pair(unsigned i, uint64_t now_ms)
{
	struct order_dest dests[2];
	uint16_t perm[2];

	make_pair(dests, i);
	cr_assert_eq(order_cached(dests, 2, &settings, &state, now_ms, NULL, perm), 0);
	cr_assert_eq(perm[0], 0);
}

static unsigned pair_asks_kernel(unsigned i, uint64_t now_ms)
{
	struct order_dest dests[2];

	make_pair(dests, i);
	return asks_kernel(dests, now_ms);
}

Test(order_cache, second_call_gives_the_same_order)
{
	static const size_t sizes[] = {0, CACHE_SIZE_DEFAULT};
	struct order_dest dests[16];
	uint16_t first[16], second[16];

	for (unsigned s = 0; s < 2; s++) {
		set_up(sizes[s]);
		fill(dests, 16);
		for (unsigned n = 1; n <= 16; n++) {
			cr_assert_eq(order_cached(dests, n, &settings, &state, NOW_MS, NULL, first),
				     0);
			expect_permutation(first, n);
			cr_assert_eq(
				order_cached(dests, n, &settings, &state, NOW_MS, NULL, second), 0);
			cr_expect_arr_eq(first, second, n * sizeof *first);
		}
	}
}

Test(order_cache, long_list_is_sorted_without_the_table)
{
	static struct order_dest dests[1000];
	static uint16_t perm[1000];

	set_up(CACHE_SIZE_DEFAULT);
	fill(dests, 1000);
	cr_assert_eq(order_cached(dests, 1000, &settings, &state, NOW_MS, NULL, perm), 0);
	expect_permutation(perm, 1000);
}

Test(order_cache, new_table_of_gai_conf_gives_a_new_order)
{
	static const char prefer_v4[] = "precedence ::ffff:0:0/96 100\n"
					"precedence ::/0 40\n";
	struct order_dest dests[2] = {{.family = AF_INET6, .addr = {[15] = 1}},
				      {.family = AF_INET, .addr = {127, 0, 0, 1}}};
	uint16_t before[2], after[2];

	set_up(CACHE_SIZE_DEFAULT);
	cr_assert_eq(order_cached(dests, 2, &settings, &state, NOW_MS, NULL, before), 0);
	cr_assert_eq(gai_conf_parse(prefer_v4, sizeof prefer_v4 - 1, &settings.gai), 0);
	settings.gai_hash = gai_conf_hash(&settings.gai);
	cr_assert_eq(order_cached(dests, 2, &settings, &state, NOW_MS, NULL, after), 0);
	cr_expect_eq(dests[after[0]].family, AF_INET);
	gai_conf_free(&settings.gai);
}

Test(order_cache, order_is_asked_once)
{
	static const size_t sizes[] = {0, CACHE_SIZE_DEFAULT};

	for (unsigned s = 0; s < 2; s++) {
		set_up(sizes[s]);
		cr_expect_eq(pair_asks_kernel(1, NOW_MS), 1u);
		order_pair(1, NOW_MS);
		cr_expect_eq(pair_asks_kernel(1, NOW_MS), 0u);
		cr_expect_eq(pair_asks_kernel(2, NOW_MS), 1u);
	}
}

Test(order_cache, other_network_or_time_is_asked_again)
{
	set_up(CACHE_SIZE_DEFAULT);
	order_pair(1, NOW_MS);
	cr_expect_eq(pair_asks_kernel(1, NOW_MS + ORDER_CACHE_MS), 1u);
	state.hash++;
	cr_expect_eq(pair_asks_kernel(1, NOW_MS), 1u);
	state.hash--;
	cr_expect_eq(pair_asks_kernel(1, NOW_MS), 0u);
}

Test(order_cache, order_found_without_a_descriptor_is_not_remembered)
{
	set_up(CACHE_SIZE_DEFAULT);
	cr_assert_eq(pair_asks_kernel(1, NOW_MS), 1u);
	order_pair(1, NOW_MS); /* the right one */
}

Test(order_cache, order_of_a_newer_network_is_not_remembered)
{
	set_up(CACHE_SIZE_DEFAULT);
	netif.hash++;
	order_pair(1, NOW_MS);
	cr_expect_eq(pair_asks_kernel(1, NOW_MS), 1u);
}

Test(order_cache, namespace_without_a_name_shares_nothing)
{
	struct cache *cache;

	set_up(CACHE_SIZE_DEFAULT);
	state.network.netns = 0;
	order_pair(1, NOW_MS);
	cr_expect_eq(pair_asks_kernel(1, NOW_MS), 0u);
	cache = settings.cache;
	for (size_t at = 0; at < cache_region_table_len(cache); at += CACHE_PAGE)
		cr_assert_null(cache_region_find(cache, at));
}

Test(order_cache, other_process_finds_the_order)
{
	char dir[64], path[128], why[256];
	struct cache_options options = {.path = path, .size = CACHE_SIZE_DEFAULT};

	set_up(0);
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/cache", dir);
	cr_assert_eq(cache_open(&options, &settings.cache, why), 0);
	order_pair(1, NOW_MS);
	cache_close(settings.cache);
	cr_assert_eq(cache_open(&options, &settings.cache, why), 0);
	cr_assert_eq(cache_backing(settings.cache), CACHE_SHARED, "%s", why);
	cr_expect_eq(pair_asks_kernel(1, NOW_MS), 0u);
	cr_expect_eq(pair_asks_kernel(2, NOW_MS), 1u);
	scratch_remove(dir);
}

/* How many of `n` lists, of which every `step`th is looked at, are asked for again? */
static unsigned count_forgotten(unsigned n, unsigned step, uint64_t now_ms)
{
	unsigned forgotten = 0;

	for (unsigned i = 0; i < n; i++)
		order_pair(i, now_ms);
	for (unsigned i = 0; i < n; i += step)
		forgotten += pair_asks_kernel(i, now_ms);
	return forgotten;
}

Test(order_cache, names_of_a_cache_are_remembered)
{
	static const struct {
		size_t size;
		unsigned names;
	} cases[] = {{(size_t)64 << 20, 50000}, {(size_t)8 << 20, 8000}};

	for (unsigned c = 0; c < 2; c++) {
		unsigned forgotten;

		set_up(cases[c].size);
		forgotten = count_forgotten(cases[c].names, 5, NOW_MS);
		cr_expect_leq(forgotten, cases[c].names / 5 / 200, "%u of %u lists", forgotten,
			      cases[c].names / 5);
		cr_expect_eq(pair_asks_kernel(0xff0000, NOW_MS), 1u); /* never seen */
	}
}

Test(order_cache, what_is_over_makes_room)
{
	unsigned forgotten;

	set_up((size_t)2 << 20);
	for (unsigned i = 0; i < 20000; i++) /* more than there are slots */
		order_pair(100000 + i, NOW_MS);
	forgotten = count_forgotten(2000, 10, NOW_MS + ORDER_CACHE_MS);
	cr_expect_leq(forgotten, 1u, "%u of 200 lists", forgotten);
}

Test(order_cache, damaged_table_gives_permutations)
{
	struct order_dest dests[16];
	uint16_t perm[16];

	set_up(CACHE_SIZE_MIN);
	fill(dests, 16);
	srandom(1);
	for (unsigned round = 0; round < 10000; round++) {
		unsigned n = 1 + round % 16;
		size_t at = (size_t)random() % cache_region_table_len(settings.cache);
		unsigned char *page =
			cache_region_claim(settings.cache, at / CACHE_PAGE * CACHE_PAGE);

		page[at % CACHE_PAGE] = (unsigned char)random();
		cr_assert_eq(order_cached(dests, n, &settings, &state, NOW_MS, NULL, perm), 0);
		expect_permutation(perm, n);
	}
}

/* Every word of the table as its finder wants it, with each permutation that is none. */
Test(order_cache, what_is_no_permutation_is_not_used)
{
	struct order_dest dests[2];
	uint64_t *words;
	uint16_t perm[2];

	set_up(CACHE_SIZE_MIN);
	make_pair(dests, 1);
	order_pair(1, NOW_MS);
	for (uint64_t wrong = 2; wrong < 16; wrong++) {
		for (size_t at = 0; at < cache_region_table_len(settings.cache); at += CACHE_PAGE) {
			words = cache_region_find(settings.cache, at);
			for (size_t i = 0; words != NULL && i < CACHE_PAGE / 8; i += 2) {
				uint64_t key = words[i] ^ words[i + 1];

				words[i + 1] = (words[i + 1] & ~UINT64_C(15)) | wrong;
				words[i] = key ^ words[i + 1];
			}
		}
		cr_assert_eq(order_cached(dests, 2, &settings, &state, NOW_MS, NULL, perm), 0);
		expect_permutation(perm, 2);
	}
}

/* ---- the hint beside the addresses ---- */

static void order_pair_by(unsigned i, uint64_t now_ms, _Atomic uint64_t *hint)
{
	struct order_dest dests[2];
	uint16_t perm[2];

	make_pair(dests, i);
	cr_assert_eq(order_cached(dests, 2, &settings, &state, now_ms, hint, perm), 0);
	expect_permutation(perm, 2);
}

/* Is the order in the hint, without a table and without asking? */
static bool hint_knows(unsigned i, uint64_t now_ms, _Atomic uint64_t *hint)
{
	struct order_dest dests[2];
	struct rlimit usual;
	uint16_t perm[2];

	set_up(CACHE_SIZE_MIN); /* an empty table */
	make_pair(dests, i);
	limit_descriptors(true, &usual);
	cr_assert_eq(order_cached(dests, 2, &settings, &state, now_ms, hint, perm), 0);
	limit_descriptors(false, &usual);
	return perm[0] == 0; /* the kernel cannot be asked, and then IPv6 would come first */
}

Test(order_cache, hint_is_enough)
{
	_Atomic uint64_t hint = 0;

	set_up(CACHE_SIZE_MIN);
	order_pair_by(1, NOW_MS, &hint);
	cr_expect(hint_knows(1, NOW_MS, &hint));
	cr_expect(!hint_knows(2, NOW_MS, &hint), "the order of other addresses");
	cr_expect(!hint_knows(1, NOW_MS + ORDER_CACHE_MS, &hint), "that time is over");
}

Test(order_cache, hint_is_filled_from_the_table)
{
	_Atomic uint64_t hint = 0;

	set_up(CACHE_SIZE_MIN);
	order_pair(1, NOW_MS);
	order_pair_by(1, NOW_MS, &hint);
	cr_expect(hint_knows(1, NOW_MS, &hint));
}

/* Two that differ in what they ask for do not write in turn. */
Test(order_cache, hint_belongs_to_the_first_of_each_epoch)
{
	_Atomic uint64_t hint = 0;
	uint64_t first;

	set_up(CACHE_SIZE_MIN);
	order_pair_by(1, NOW_MS, &hint);
	first = hint;
	order_pair_by(2, NOW_MS, &hint);
	cr_expect_eq(hint, first);
	order_pair_by(2, NOW_MS + ORDER_CACHE_MS, &hint);
	cr_expect_neq(hint, first);
	cr_expect(hint_knows(2, NOW_MS + ORDER_CACHE_MS, &hint));
}

Test(order_cache, any_hint_gives_a_permutation)
{
	struct order_dest dests[16];
	_Atomic uint64_t hint = 0;
	uint16_t perm[16];

	set_up(CACHE_SIZE_MIN);
	fill(dests, 16);
	srandom(2);
	for (unsigned n = 2; n <= 16; n++) {
		hint = 0;
		cr_assert_eq(order_cached(dests, n, &settings, &state, NOW_MS, &hint, perm), 0);
		for (unsigned round = 0; round < 1000; round++) {
			/* the key's part stays, so that the rest is looked at */
			hint = (hint & ~UINT64_C(0xfffff)) | ((uint64_t)random() & 0xfffff);
			cr_assert_eq(order_cached(dests, n, &settings, &state, NOW_MS, &hint, perm),
				     0);
			expect_permutation(perm, n);
		}
	}
}

/* ---- the history ---- */

/* Two addresses that glibc would leave as they are. */
static const struct order_dest twins[2] = {
	{.family = AF_INET, .addr = {127, 0, 0, 2}},
	{.family = AF_INET, .addr = {127, 0, 1, 2}},
};

static unsigned first_of_twins(uint64_t now_ms)
{
	uint16_t perm[2];

	cr_assert_eq(order_cached(twins, 2, &settings, &state, now_ms, NULL, perm), 0);
	return perm[0];
}

static const struct history_view view = {.network = 1}; /* state.hash */

Test(order_cache, broken_address_goes_last_at_once_until_it_works)
{
	set_up(0);
	cr_assert_eq(first_of_twins(NOW_MS), 0u);
	history_failed(&view, &twins[0], HISTORY_SILENT, NOW_MS);
	cr_expect_eq(first_of_twins(NOW_MS), 1u);
	history_connected(&view, &twins[0], 10, NOW_MS);
	cr_expect_eq(first_of_twins(NOW_MS), 0u);
}

Test(order_cache, broken_address_goes_last_until_it_is_forgotten)
{
	set_up(0);
	history_failed(&view, &twins[0], HISTORY_SILENT, NOW_MS);
	cr_expect_eq(first_of_twins(NOW_MS), 1u);
	cr_expect_eq(first_of_twins(NOW_MS + HISTORY_HOLD_MS), 0u);
}

Test(order_cache, what_happened_on_another_network_does_not_count)
{
	set_up(0);
	history_failed(&view, &twins[0], HISTORY_SILENT, NOW_MS);
	state.hash = 2;
	cr_expect_eq(first_of_twins(NOW_MS), 0u);
}

/* Or each first connect of a crawler would cost every name its order. */
Test(order_cache, first_success_shows_in_the_next_epoch)
{
	set_up(0);
	cr_assert_eq(first_of_twins(NOW_MS), 0u);
	history_connected(&view, &twins[1], 10, NOW_MS);
	cr_expect_eq(first_of_twins(NOW_MS), 0u);
	cr_expect_eq(first_of_twins(NOW_MS + ORDER_CACHE_MS), 1u);
}

Test(order_cache, address_that_comes_nearer_shows_at_once)
{
	set_up(0);
	history_connected(&view, &twins[0], 100, NOW_MS);
	history_connected(&view, &twins[1], 120, NOW_MS);
	cr_assert_eq(first_of_twins(NOW_MS), 0u);
	for (unsigned i = 0; i < 20; i++)
		history_connected(&view, &twins[1], 10, NOW_MS);
	cr_expect_eq(first_of_twins(NOW_MS), 1u);
}

Test(order_cache, attempt_without_an_answer_yet_does_not_show)
{
	set_up(0);
	history_pending(&view, &twins[0], NOW_MS);
	cr_expect_eq(first_of_twins(NOW_MS), 0u);
}

Test(order_cache, history_has_no_influence_where_racing_is_off)
{
	set_up(0);
	history_failed(&view, &twins[0], HISTORY_SILENT, NOW_MS);
	cr_assert_eq(first_of_twins(NOW_MS), 1u);
	config.race = false;
	cr_expect_eq(first_of_twins(NOW_MS), 0u);
}

Test(order_cache, hint_of_another_epoch_is_replaced)
{
	_Atomic uint64_t hint = 0;
	uint64_t first;
	uint16_t perm[2];

	set_up(0);
	cr_assert_eq(order_cached(twins, 2, &settings, &state, NOW_MS, &hint, perm), 0);
	first = hint;
	history_failed(&view, &twins[0], HISTORY_SILENT, NOW_MS);
	cr_assert_eq(order_cached(twins, 2, &settings, &state, NOW_MS, &hint, perm), 0);
	cr_expect_eq(perm[0], 1);
	cr_expect_neq(hint, first);
}
