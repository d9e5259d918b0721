// SPDX-License-Identifier: MIT
/* siblings.c: who stands in for whom, and until when. */
#include "shim/siblings.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define NOW UINT64_C(1000000)

static struct order_dest v4(unsigned number)
{
	struct order_dest d = {.family = AF_INET};

	memcpy(d.addr, (const unsigned char[]){192, number >> 16, number >> 8, number}, 4);
	return d;
}

static struct order_dest v6(unsigned number)
{
	struct order_dest d = {.family = AF_INET6};

	memcpy(d.addr, (const unsigned char[]){0x20, 0x01, 0x0d, 0xb8}, 4);
	memcpy(d.addr + 12, &number, 4);
	return d;
}

static unsigned find(struct order_dest dest, uint64_t now_ms, struct order_dest *ret)
{
	bool more;

	return siblings_find(&dest, now_ms, ret, &more);
}

static bool more_to_come(struct order_dest dest, uint64_t now_ms)
{
	struct order_dest got[SIBLINGS_MAX];
	bool more;

	siblings_find(&dest, now_ms, got, &more);
	return more;
}

static bool note(uint64_t id, const struct order_dest *dests, unsigned n, uint64_t now_ms,
		 uint64_t until_ms)
{
	const struct siblings_hold hold = {.now_ms = now_ms, .until_ms = until_ms};

	return siblings_note(id, dests, n, &hold);
}

/* The other family is awaited until `more_until_ms`. */
static void note_partial(uint64_t id, const struct order_dest *dests, unsigned n,
			 uint64_t more_until_ms)
{
	const struct siblings_hold hold = {
		.now_ms = NOW, .until_ms = NOW + 1000, .more_until_ms = more_until_ms};

	siblings_note(id, dests, n, &hold);
}

Test(siblings, list_is_found_by_each_of_its_addresses)
{
	struct order_dest dests[3] = {v6(1), v6(2), v4(1)}, got[SIBLINGS_MAX];

	cr_expect(note(77, dests, 3, NOW, NOW + 1000));
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(find(dests[i], NOW, got), 3u);
		cr_assert_arr_eq(got, dests, sizeof dests, "in the order of the lookup");
	}
	cr_expect_eq(find(v4(2), NOW, got), 0u);
	cr_expect_eq(find(v6(1), NOW + 1000, got), 0u, "it is over");
}

Test(siblings, any_after_the_first_note)
{
	struct order_dest dests[2] = {v6(1), v4(1)};

	cr_expect(!siblings_any());
	note(77, dests, 2, NOW, NOW + 1000);
	cr_expect(siblings_any());
}

Test(siblings, note_again_holds_longer)
{
	struct order_dest dests[2] = {v6(1), v4(1)}, got[SIBLINGS_MAX];

	note(77, dests, 2, NOW, NOW + 1000);
	note(77, dests, 2, NOW + 900, NOW + 9000);
	cr_expect_eq(find(v4(1), NOW + 5000, got), 2u);
	note(77, dests, 2, NOW, NOW + 10 * SIBLINGS_HOLD_MS);
	cr_expect_eq(find(v4(1), NOW + SIBLINGS_HOLD_MS, got), 0u);
}

/* What the name had before it has no more: an address that moved to another name is not held back
 * by it, and one that is gone has no siblings. */
Test(siblings, newer_list_of_the_name_replaces_the_older)
{
	struct order_dest old[2] = {v6(1), v4(1)}, new[3] = {v4(3), v4(1), v4(2)};
	struct order_dest got[SIBLINGS_MAX];

	note(77, old, 2, NOW, NOW + 9000);
	note(77, new, 3, NOW + 1, NOW + 9000);
	cr_expect_eq(find(v6(1), NOW + 2, got), 0u);
	cr_assert_eq(find(v4(1), NOW + 2, got), 3u);
	cr_expect_arr_eq(got, new, sizeof new);
}

Test(siblings, of_several_lists_what_all_have)
{
	struct order_dest one[3] = {v6(1), v4(9), v4(1)}, two[3] = {v4(9), v4(1), v4(2)};
	struct order_dest got[SIBLINGS_MAX];

	note(77, one, 3, NOW, NOW + 1000);
	note(78, two, 3, NOW, NOW + 2000);
	cr_assert_eq(find(v4(1), NOW, got), 2u);
	cr_expect(got[0].addr[3] == 9 && got[1].addr[3] == 1);
	cr_assert_eq(find(v6(1), NOW, got), 3u, "that one belongs to the first alone");
	cr_assert_eq(find(v4(1), NOW + 1000, got), 3u, "the first is over");
}

Test(siblings, address_that_is_a_names_only_one_stands_alone)
{
	struct order_dest one[2] = {v6(1), v4(1)}, got[SIBLINGS_MAX];

	note(77, one, 2, NOW, NOW + 1000);
	note(78, &one[1], 1, NOW, NOW + 1000);
	cr_assert_eq(find(v4(1), NOW, got), 1u);
	cr_expect_arr_eq(got, &one[1], sizeof one[1]);
}

Test(siblings, same_address_in_another_scope_is_another)
{
	struct order_dest dests[2] = {v6(1), v4(1)}, other = v6(1), got[SIBLINGS_MAX];

	note(77, dests, 2, NOW, NOW + 1000);
	other.scope_id = 2;
	cr_expect_eq(find(other, NOW, got), 0u);
}

Test(siblings, mapped_address_is_the_ipv4_one)
{
	struct order_dest mapped = {.family = AF_INET6, .addr = {[10] = 0xff, 0xff, 192, 0, 0, 1}};
	struct order_dest dests[2] = {v6(1), mapped}, got[SIBLINGS_MAX], plain = v4(1);

	note(77, dests, 2, NOW, NOW + 1000);
	cr_expect_eq(find(mapped, NOW, got), 2u);
	cr_expect_eq(find(v4(1), NOW, got), 2u);
	cr_expect_arr_eq(&got[1], &plain, sizeof plain);
}

Test(siblings, local_multicast_and_double_addresses_are_left_out)
{
	struct order_dest dests[] = {
		v6(1),
		{.family = AF_INET, .addr = {127, 0, 0, 2}},
		{.family = AF_INET},
		{.family = AF_INET, .addr = {224, 0, 0, 1}},
		{.family = AF_INET6, .addr = {[15] = 1}},
		{.family = AF_INET6},
		{.family = AF_INET6, .addr = {0xff, 2, [15] = 1}},
		v6(1),
		v4(1),
	};
	unsigned n = sizeof dests / sizeof dests[0];
	struct order_dest got[SIBLINGS_MAX];

	note(77, dests, n, NOW, NOW + 1000);
	cr_assert_eq(find(v4(1), NOW, got), 2u);
	cr_expect_arr_eq(&got[0], &dests[0], sizeof got[0]);
	for (unsigned i = 1; i < 7; i++)
		cr_expect_eq(find(dests[i], NOW, got), 0u, "address %u", i);
}

Test(siblings, name_that_has_only_local_addresses_now_has_no_list)
{
	struct order_dest dests[2] = {v6(1), v4(1)}, got[SIBLINGS_MAX];
	struct order_dest local = {.family = AF_INET, .addr = {127, 0, 0, 1}};

	note(76, &local, 1, NOW, NOW + 1000);
	cr_expect(!siblings_any());
	note(77, dests, 2, NOW, NOW + 1000);
	note(77, &local, 1, NOW, NOW + 1000);
	cr_expect_eq(find(v4(1), NOW, got), 0u);
}

Test(siblings, long_list_is_cut)
{
	struct order_dest dests[40], got[SIBLINGS_MAX];

	for (unsigned i = 0; i < 40; i++)
		dests[i] = v4(i);
	note(77, dests, 40, NOW, NOW + 1000);
	cr_expect_eq(find(v4(0), NOW, got), (unsigned)SIBLINGS_MAX);
	cr_expect_eq(find(v4(30), NOW, got), 0u);
}

/* ---- an answer that comes late ---- */

Test(siblings, late_addresses_go_behind)
{
	struct order_dest all[3] = {v4(2), v4(1), v6(1)}, got[SIBLINGS_MAX];

	note_partial(77, all, 2, NOW + 500);
	cr_expect(more_to_come(v4(1), NOW));
	siblings_extend(77, &all[2], 1, NOW + 100);
	cr_expect(!more_to_come(v4(1), NOW + 100));
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(find(all[i], NOW + 100, got), 3u);
		cr_assert_arr_eq(got, all, sizeof all);
	}
	cr_expect_eq(find(all[2], NOW + 1000, got), 0u, "for as long as the list");
}

Test(siblings, more_ends_with_a_negative_answer)
{
	struct order_dest one = v4(1), got[SIBLINGS_MAX];

	note_partial(77, &one, 1, NOW + 500);
	siblings_extend(77, NULL, 0, NOW + 100);
	cr_expect(!more_to_come(one, NOW + 100));
	cr_expect_eq(find(one, NOW + 100, got), 1u);
}

Test(siblings, more_ends_when_no_answer_can_come)
{
	struct order_dest one = v4(1);

	note_partial(77, &one, 1, NOW + 500);
	cr_expect(more_to_come(one, NOW + 499));
	cr_expect(!more_to_come(one, NOW + 500));
}

/* The io thread may be faster than the thread that it has just woken. */
Test(siblings, late_answer_waits_for_its_list)
{
	struct order_dest all[2] = {v4(1), v6(1)}, got[SIBLINGS_MAX];

	siblings_extend(77, &all[1], 1, NOW);
	cr_expect_eq(find(v6(1), NOW, got), 0u, "no program was given that yet");
	note_partial(77, all, 1, NOW + 500);
	cr_expect(!more_to_come(v4(1), NOW));
	cr_assert_eq(find(v4(1), NOW, got), 2u);
	cr_expect_arr_eq(got, all, sizeof all);
}

Test(siblings, list_that_is_complete_is_not_extended)
{
	struct order_dest all[2] = {v4(1), v6(1)}, got[SIBLINGS_MAX];

	note(77, all, 1, NOW, NOW + 1000);
	siblings_extend(77, &all[1], 1, NOW);
	cr_expect_eq(find(v4(1), NOW, got), 1u);
}

Test(siblings, early_answer_is_none_of_a_complete_list)
{
	struct order_dest all[2] = {v4(1), v6(1)}, got[SIBLINGS_MAX];

	siblings_extend(77, &all[1], 1, NOW);
	note(77, all, 1, NOW, NOW + 1000);
	cr_expect_eq(find(v4(1), NOW, got), 1u);
}

/* ---- many ---- */

/* An address with more lists than there is room for: never one that is not in all of them. */
Test(siblings, without_room_there_is_no_race)
{
	struct order_dest got[SIBLINGS_MAX];

	for (unsigned i = 0; i < 40; i++) {
		struct order_dest dests[2] = {v4(1), v4(100 + i)};

		note(1000 + i, dests, 2, NOW, NOW + 1000);
	}
	cr_expect_eq(find(v4(1), NOW, got), 0u);
	cr_expect_eq(find(v4(1), NOW + 1000, got), 0u, "all are over");
	for (unsigned i = 0; i < 2; i++) {
		struct order_dest dests[2] = {v4(1), v4(200)};

		note(2000, dests, 2, NOW + 1000, NOW + 9000);
	}
	cr_expect_eq(find(v4(1), NOW + 1001, got), 2u, "and make room");
}

/* Many names: a list that holds is not lost to another, and no address gets a stranger's. */
Test(siblings, flood_keeps_the_promise)
{
	struct order_dest got[SIBLINGS_MAX];
	unsigned found = 0;

	for (unsigned i = 0; i < 3000; i++) {
		struct order_dest dests[2] = {v6(i), v4(i)};

		note(i * UINT64_C(0x9e3779b97f4a7c15), dests, 2, NOW, NOW + 1000);
	}
	for (unsigned i = 0; i < 3000; i++) {
		unsigned n = find(v6(i), NOW, got);

		cr_assert(n == 0 || n == 2);
		found += n == 2;
		if (n == 2)
			cr_assert_eq(memcmp(&got[1], &(struct order_dest){0}, 4) != 0 &&
					     got[1].addr[3] == (unsigned char)i,
				     true);
	}
	cr_expect_gt(found, 2500u, "%u of 3000", found);
}

/* Far more names than there is room for: noting stops, nothing is found until all that was not
 * noted is over, and then it begins anew. */
Test(siblings, too_many_names_end_it_for_a_while)
{
	struct order_dest got[SIBLINGS_MAX], last[2] = {v6(99999), v4(99999)};
	uint64_t closed_ms;

	for (unsigned i = 0; i < 30000; i++) {
		struct order_dest dests[2] = {v6(i), v4(i)};

		note(i * UINT64_C(0x9e3779b97f4a7c15), dests, 2, NOW, NOW + SIBLINGS_HOLD_MS);
	}
	cr_assert(siblings_closed(NOW));
	cr_expect_eq(find(v6(1), NOW, got), 0u);
	closed_ms = NOW + SIBLINGS_HOLD_MS;
	cr_assert(!siblings_closed(closed_ms));
	note(1, last, 2, closed_ms, closed_ms + 2 * SIBLINGS_HOLD_MS);
	cr_expect_eq(find(last[0], closed_ms, got), 0u, "others may have it, too");
	note(1, last, 2, closed_ms + 1000, closed_ms + 1000 + SIBLINGS_HOLD_MS);
	cr_expect_eq(find(last[0], closed_ms + SIBLINGS_HOLD_MS, got), 2u);
}

static void *note_and_find(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg;
	struct order_dest got[SIBLINGS_MAX];

	for (unsigned i = 0; i < 20000; i++) {
		/* the same places, again and again, since each is over when the next comes */
		struct order_dest dests[3] = {v6(i), v4(i), v4(i + 1000000)};
		unsigned n;

		note((i % 8 + 1) * 4096u + self % 2, dests, 3, NOW + i, NOW + i + 1);
		n = find(v6(i), NOW + i, got);
		for (unsigned k = 0; k < n; k++)
			cr_assert(memcmp(&got[k], &dests[k], sizeof got[k]) == 0);
		cr_assert(n == 0 || n == 3);
	}
	return NULL;
}

Test(siblings, threads_see_whole_lists)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, note_and_find, (void *)i);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}
