// SPDX-License-Identifier: MIT
/* test_failures.c - how long a question is known to have no answer, by a clock that is given. */
#include "shim/failures.h"

#include "shim/netstate.h"
#include "shim/silence.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define NOW  SAMPLE_NOW
#define VIEW SAMPLE_VIEW
#define A    (1u << ENTRY_A)
#define AAAA (1u << ENTRY_AAAA)

static const struct name name = {.text = "www.test", .len = 8};
static const struct name other = {.text = "wwx.test", .len = 8};
static struct cache *cache;

static void set_up(void)
{
	cache = private_cache(CACHE_SIZE_MIN);
}

static void tear_down(void)
{
	cache_close(cache);
}

TestSuite(failures, .init = set_up, .fini = tear_down);

static void note(unsigned types, enum resolver_failure failure, uint64_t now_ms)
{
	struct entry_rrset rrs[ENTRY_NTYPES] = {0};

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (types & 1u << t)
			rrs[t] = (struct entry_rrset){.kind = RESOLVER_FAILURE, .failure = failure};
	failures_note(cache, VIEW, &name, rrs, now_ms);
}

static void note_answer(unsigned types, uint64_t now_ms)
{
	struct entry_rrset rrs[ENTRY_NTYPES] = {0};

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (types & 1u << t)
			rrs[t] = (struct entry_rrset){
				.kind = RESOLVER_NODATA, .ttl_s = 1, .stored_ms = now_ms};
	failures_note(cache, VIEW, &name, rrs, now_ms);
}

static unsigned find(uint64_t now_ms)
{
	struct entry_rrset rrs[ENTRY_NTYPES];

	return failures_find(cache, VIEW, &name, now_ms, rrs);
}

/* Until when it is known, from `now_ms` on. */
static void must_last(uint64_t now_ms, unsigned s)
{
	cr_assert_eq(find(now_ms + s * 1000 - 1), A, "(less than %u s)", s);
	cr_assert_eq(find(now_ms + s * 1000), 0, "(more than %u s)", s);
}

Test(failures, nothing_is_known_at_first)
{
	cr_assert_eq(find(NOW), 0);
}

Test(failures, nothing_is_given_of_what_is_not_known)
{
	struct entry_rrset rrs[ENTRY_NTYPES];

	memset(rrs, 0xff, sizeof rrs);
	cr_assert_eq(failures_find(cache, VIEW, &name, NOW, rrs), 0);
	cr_expect_eq(rrs[ENTRY_A].kind, RESOLVER_NONE);
	cr_expect_eq(rrs[ENTRY_AAAA].kind, RESOLVER_NONE);
	note(A, RESOLVER_REFUSED, NOW);
	memset(rrs, 0xff, sizeof rrs);
	cr_assert_eq(failures_find(cache, VIEW, &name, NOW, rrs), A);
	cr_expect_eq(rrs[ENTRY_AAAA].kind, RESOLVER_NONE);
}

Test(failures, kept_for_a_second_as_they_were)
{
	struct entry_rrset rrs[ENTRY_NTYPES] = {0};

	note(A, RESOLVER_REFUSED, NOW);
	must_last(NOW, 1);
	cr_assert_eq(failures_find(cache, VIEW, &name, NOW, rrs), A);
	cr_assert_eq(rrs[ENTRY_A].kind, RESOLVER_FAILURE);
	cr_assert_eq(rrs[ENTRY_A].failure, RESOLVER_REFUSED);
	cr_assert_eq(rrs[ENTRY_AAAA].kind, RESOLVER_NONE);
}

Test(failures, time_doubles_up_to_thirty_seconds)
{
	static const unsigned times_s[] = {1, 2, 4, 8, 16, 30, 30};
	uint64_t now_ms = NOW;

	for (size_t i = 0; i < sizeof times_s / sizeof *times_s; i++) {
		note(A, RESOLVER_SERVFAIL, now_ms);
		must_last(now_ms, times_s[i]);
		now_ms += times_s[i] * 1000;
	}
}

Test(failures, time_begins_anew_after_as_long_again)
{
	note(A, RESOLVER_SERVFAIL, NOW);
	note(A, RESOLVER_SERVFAIL, NOW + 2000);
	must_last(NOW + 2000, 2);
	note(A, RESOLVER_SERVFAIL, NOW + 6001);
	must_last(NOW + 6001, 1);
}

Test(failures, questions_that_fail_together_count_once)
{
	for (unsigned i = 0; i < 16; i++)
		note(A, RESOLVER_TIMEOUT, NOW + i * 60);
	must_last(NOW, 1);
}

Test(failures, answer_ends_them)
{
	note(A, RESOLVER_SERVFAIL, NOW);
	note(A | AAAA, RESOLVER_SERVFAIL, NOW + 1000);
	note_answer(A, NOW + 1500);
	cr_assert_eq(find(NOW + 1500), AAAA);
	note(A, RESOLVER_SERVFAIL, NOW + 1600);
	cr_assert_eq(find(NOW + 2599), A);
	cr_assert_eq(find(NOW + 2600), 0);
}

Test(failures, types_stay_apart)
{
	note(A, RESOLVER_SERVFAIL, NOW);
	note(AAAA, RESOLVER_SERVFAIL, NOW + 500);
	cr_assert_eq(find(NOW + 999), A | AAAA);
	cr_assert_eq(find(NOW + 1000), AAAA);
	cr_assert_eq(find(NOW + 1500), 0);
}

Test(failures, names_and_views_stay_apart)
{
	struct entry_rrset rrs[ENTRY_NTYPES];

	note(A, RESOLVER_SERVFAIL, NOW);
	cr_assert_eq(failures_find(cache, VIEW, &other, NOW, rrs), 0);
	cr_assert_eq(failures_find(cache, VIEW + 1, &name, NOW, rrs), 0);
}

Test(failures, answer_of_the_name_is_left_alone)
{
	struct sample sample = {.number = 1, .version = 5, .view = VIEW, .stored_ms = NOW}, got;
	struct entry_rrset rrs[ENTRY_NTYPES] = {
		{.kind = RESOLVER_FAILURE, .failure = RESOLVER_SERVFAIL}};
	struct name sampled = {.len = 0};

	sampled.len = (unsigned char)sample_name(1, sampled.text);
	cr_assert_eq(sample_store(cache, &sample, NOW), 0);
	failures_note(cache, VIEW, &sampled, rrs, NOW);
	cr_assert_eq(failures_find(cache, VIEW, &sampled, NOW, rrs), A);
	cr_assert_eq(sample_lookup(cache, 1, VIEW, &got), 0);
	cr_assert_eq(got.version, 5);
}

Test(failures, of_our_own_making_are_not_kept)
{
	static const enum resolver_failure ours[] = {RESOLVER_BAD_NAME, RESOLVER_CANCELLED,
						     RESOLVER_LOCAL_ERROR};

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		note(A | AAAA, ours[i], NOW);
	cr_assert_eq(find(NOW), 0);
}

/* Silence is told by what servers have said (ask.c). */
Test(failures, that_servers_have_said)
{
	for (int f = RESOLVER_FAILURE_NONE; f <= RESOLVER_LOCAL_ERROR; f++)
		cr_expect_eq(failures_is_said((enum resolver_failure)f),
			     f == RESOLVER_SERVFAIL || f == RESOLVER_REFUSED ||
				     f == RESOLVER_FORMERR || f == RESOLVER_MALFORMED,
			     "(failure %d)", f);
}

Test(failures, of_another_boot_are_not_believed)
{
	note(A, RESOLVER_SERVFAIL, NOW + 5000);
	cr_assert_eq(find(NOW), 0);
	note(A, RESOLVER_SERVFAIL, NOW);
	must_last(NOW, 1);
}

/* ---- silent servers ---- */

Test(failures, for_want_of_an_answer_are_forgotten_when_servers_are_back)
{
	note(A, RESOLVER_TIMEOUT, NOW);
	note(AAAA, RESOLVER_SERVFAIL, NOW);
	silence_note(cache, VIEW, NOW);
	cr_assert_eq(find(NOW + 10), A | AAAA);
	silence_end(cache, VIEW, NOW + 10);
	cr_assert_eq(find(NOW + 10), AAAA);
}

Test(failures, after_servers_are_back_are_kept)
{
	note(A, RESOLVER_TIMEOUT, NOW);
	silence_note(cache, VIEW, NOW);
	silence_end(cache, VIEW, NOW + 10);
	note(A, RESOLVER_TIMEOUT, NOW + 20);
	cr_assert_eq(find(NOW + 20), A);
}

/* ---- another network ---- */

Test(failures, of_before_a_change_of_the_network_are_forgotten)
{
	note(A, RESOLVER_SERVFAIL, NOW);
	note(A, RESOLVER_SERVFAIL, NOW + 1000);
	cr_assert_eq(find(NOW + 2500), A);
	atomic_store(&netstate_since_ms, NOW + 1000);
	cr_expect_eq(find(NOW + 2500), A);
	atomic_store(&netstate_since_ms, NOW + 1001);
	cr_expect_eq(find(NOW + 1001), 0);
}

Test(failures, after_a_change_of_the_network_begin_anew)
{
	note(A, RESOLVER_SERVFAIL, NOW);
	note(A, RESOLVER_SERVFAIL, NOW + 1000);
	atomic_store(&netstate_since_ms, NOW + 1500);
	note(A, RESOLVER_SERVFAIL, NOW + 1600);
	cr_expect_eq(find(NOW + 2599), A);
	cr_expect_eq(find(NOW + 2600), 0);
}
