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

Test(siblings, list_is_found_by_each_of_its_addresses)
{
	struct order_dest dests[3] = {v6(1), v6(2), v4(1)}, got[SIBLINGS_MAX];

	siblings_note(dests, 3, 77, NOW, NOW + 1000);
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
	siblings_note(dests, 2, 77, NOW, NOW + 1000);
	cr_expect(siblings_any());
}

Test(siblings, note_again_holds_longer)
{
	struct order_dest dests[2] = {v6(1), v4(1)}, got[SIBLINGS_MAX];

	siblings_note(dests, 2, 77, NOW, NOW + 1000);
	siblings_note(dests, 2, 77, NOW + 900, NOW + 9000);
	cr_expect_eq(find(v4(1), NOW + 5000, got), 2u);
	siblings_note(dests, 2, 77, NOW, NOW + 10 * SIBLINGS_HOLD_MS);
	cr_expect_eq(find(v4(1), NOW + SIBLINGS_HOLD_MS, got), 0u);
}

Test(siblings, of_several_lists_what_all_have)
{
	struct order_dest one[3] = {v6(1), v4(9), v4(1)}, two[3] = {v4(9), v4(1), v4(2)};
	struct order_dest got[SIBLINGS_MAX];

	siblings_note(one, 3, 77, NOW, NOW + 1000);
	siblings_note(two, 3, 78, NOW, NOW + 2000);
	cr_assert_eq(find(v4(1), NOW, got), 2u);
	cr_expect(got[0].addr[3] == 9 && got[1].addr[3] == 1);
	cr_assert_eq(find(v6(1), NOW, got), 3u, "that one belongs to the first alone");
	cr_assert_eq(find(v4(1), NOW + 1000, got), 3u, "the first is over");
}

Test(siblings, same_address_in_another_scope_is_another)
{
	struct order_dest dests[2] = {v6(1), v4(1)}, other = v6(1), got[SIBLINGS_MAX];

	siblings_note(dests, 2, 77, NOW, NOW + 1000);
	other.scope_id = 2;
	cr_expect_eq(find(other, NOW, got), 0u);
}

Test(siblings, long_list_is_cut)
{
	struct order_dest dests[40], got[SIBLINGS_MAX];

	for (unsigned i = 0; i < 40; i++)
		dests[i] = v4(i);
	siblings_note(dests, 40, 77, NOW, NOW + 1000);
	cr_expect_eq(find(v4(0), NOW, got), (unsigned)SIBLINGS_MAX);
	cr_expect_eq(find(v4(30), NOW, got), 0u);
}

/* An address with more lists than there is room for: never one that is not in all of them. */
Test(siblings, without_room_there_is_no_race)
{
	struct order_dest got[SIBLINGS_MAX];

	for (unsigned i = 0; i < 6; i++) {
		struct order_dest dests[2] = {v4(1), v4(100 + i)};

		siblings_note(dests, 2, 1000 + i, NOW, NOW + 1000);
	}
	cr_expect_eq(find(v4(1), NOW, got), 0u);
	cr_expect_eq(find(v4(1), NOW + 1000, got), 0u, "all are over");
	for (unsigned i = 0; i < 2; i++) {
		struct order_dest dests[2] = {v4(1), v4(200)};

		siblings_note(dests, 2, 2000, NOW + 1000, NOW + 9000);
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

		siblings_note(dests, 2, i * UINT64_C(0x9e3779b97f4a7c15), NOW, NOW + 1000);
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

static void *note_and_find(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg;
	struct order_dest got[SIBLINGS_MAX];

	for (unsigned i = 0; i < 20000; i++) {
		/* the same places, again and again, since each is over when the next comes */
		struct order_dest dests[3] = {v6(i), v4(i), v4(i + 1000000)};
		unsigned n;

		siblings_note(dests, 3, (i % 8 + 1) * 4096u + self % 2, NOW + i, NOW + i + 1);
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
