// SPDX-License-Identifier: MIT
/* order_cache.c: the same as order_sort(), and asked of the kernel once. */
#include "shim/order_cache.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct settings settings = {.serial = 1};
static struct netstate state = {.netif = {.seen_ipv4 = true, .seen_ipv6 = true}, .generation = 1};

static void fill(struct order_dest *dests, unsigned n)
{
	settings.gai = gai_conf_default;
	memset(dests, 0, n * sizeof *dests);
	for (unsigned i = 0; i < n; i++) {
		dests[i].family = AF_INET;
		dests[i].addr[0] = 127; /* has a source address on every machine */
		dests[i].addr[3] = (unsigned char)(n - i);
	}
}

static void expect_permutation(const uint16_t *perm, unsigned n)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < n; i++) {
		cr_assert_lt(perm[i], n);
		seen += perm[i];
	}
	cr_expect_eq(seen, n * (n - 1) / 2);
}

Test(order_cache, second_call_gives_the_same_order)
{
	struct order_dest dests[16];
	uint16_t first[16], second[16];

	fill(dests, 16);
	cr_assert_eq(order_cached(dests, 16, &settings, &state, 1000, first), 0);
	expect_permutation(first, 16);
	cr_assert_eq(order_cached(dests, 16, &settings, &state, 1000, second), 0);
	cr_expect_arr_eq(first, second, sizeof first);
}

Test(order_cache, long_list_is_sorted_without_the_table)
{
	static struct order_dest dests[1000];
	static uint16_t perm[1000];

	fill(dests, 1000);
	cr_assert_eq(order_cached(dests, 1000, &settings, &state, 1000, perm), 0);
	expect_permutation(perm, 1000);
}

Test(order_cache, new_table_of_gai_conf_gives_a_new_order)
{
	static const char prefer_v4[] = "precedence ::ffff:0:0/96 100\n"
					"precedence ::/0 40\n";
	struct order_dest dests[2] = {{.family = AF_INET6, .addr = {[15] = 1}},
				      {.family = AF_INET, .addr = {127, 0, 0, 1}}};
	uint16_t before[2], after[2];

	settings.gai = gai_conf_default;
	cr_assert_eq(order_cached(dests, 2, &settings, &state, 1000, before), 0);
	cr_assert_eq(gai_conf_parse(prefer_v4, sizeof prefer_v4 - 1, &settings.gai), 0);
	settings.serial++; /* as every new snapshot has it */
	cr_assert_eq(order_cached(dests, 2, &settings, &state, 1000, after), 0);
	cr_expect_eq(dests[after[0]].family, AF_INET);
	gai_conf_free(&settings.gai);
}

/*
 * Is the order of a usable IPv4 address and an IPv6 one that no source address leads to asked of
 * the kernel? Without a descriptor to ask with, neither seems usable, and IPv6 comes first.
 */
static unsigned asks_kernel(const struct order_dest *dests)
{
	struct rlimit usual, none;
	uint16_t perm[2];

	getrlimit(RLIMIT_NOFILE, &usual);
	none = usual;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	cr_assert_eq(order_cached(dests, 2, &settings, &state, 1000, perm), 0);
	setrlimit(RLIMIT_NOFILE, &usual);
	return perm[0] == 1;
}

Test(order_cache, fifty_thousand_lists_are_remembered)
{
	struct order_dest dests[2] = {{.family = AF_INET, .addr = {127, 0, 0, 1}},
				      {.family = AF_INET6, .addr = {0xfe, 0x80, [15] = 1}}};
	unsigned asked_again = 0;
	uint16_t perm[2];

	settings.gai = gai_conf_default;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 50000; i++) {
			dests[0].addr[1] = (unsigned char)(i >> 16);
			dests[0].addr[2] = (unsigned char)(i >> 8);
			dests[0].addr[3] = (unsigned char)i;
			if (round == 0)
				order_cached(dests, 2, &settings, &state, 1000, perm);
			else if (i % 100 == 0)
				asked_again += asks_kernel(dests);
		}
	dests[0].addr[1] = 99; /* a list that was never seen is */
	cr_expect_eq(asks_kernel(dests), 1u);
	cr_expect_leq(asked_again, 5u, "%u of 500 were asked for again", asked_again);
}
