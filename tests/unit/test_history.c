// SPDX-License-Identifier: MIT
/* history_record.c: what a sequence of outcomes makes of an address, and of its neighbours. */
#include "shim/history.h"

#include "tests/unit/history_rig.h"

#include <errno.h>

static const struct history_view here = {.network = 4711};

static struct history_outcome find(const char *text, uint64_t now_ms)
{
	struct order_dest dest = dest_of(text);
	struct history_outcome got;

	history_find(&here, &dest, now_ms, &got);
	return got;
}

static enum race_verdict verdict(const char *text, uint64_t now_ms)
{
	return find(text, now_ms).verdict;
}

static void connected(const char *text, uint32_t rtt_ms, uint64_t now_ms)
{
	struct order_dest dest = dest_of(text);

	history_connected(&here, &dest, rtt_ms, now_ms);
}

static void failed(const char *text, enum history_failure failure, uint64_t now_ms)
{
	struct order_dest dest = dest_of(text);

	history_failed(&here, &dest, failure, now_ms);
}

Test(history, address_without_outcome_is_unknown)
{
	struct history_outcome got = find("192.0.2.1", NOW_MS);

	cr_expect_eq(got.verdict, RACE_UNKNOWN);
	cr_expect_eq(got.srtt_ms, 0u);
}

Test(history, latest_outcome_is_the_verdict)
{
	connected("192.0.2.1", 20, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_WORKS);
	failed("192.0.2.1", HISTORY_SILENT, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_BROKEN);
	connected("192.0.2.1", 20, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_WORKS);
}

Test(history, outcome_is_forgotten_after_ten_minutes)
{
	connected("192.0.2.1", 20, NOW_MS);
	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS + HISTORY_HOLD_MS - 1), RACE_WORKS);
	cr_expect_eq(verdict("2001:db8::1", NOW_MS + HISTORY_HOLD_MS - 1), RACE_BROKEN);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS + HISTORY_HOLD_MS), RACE_UNKNOWN);
	cr_expect_eq(find("192.0.2.1", NOW_MS + HISTORY_HOLD_MS).srtt_ms, 0u);
	cr_expect_eq(verdict("2001:db8::1", NOW_MS + HISTORY_HOLD_MS), RACE_UNKNOWN);
}

Test(history, outcome_of_the_future_is_none)
{
	connected("192.0.2.1", 20, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS - 900), RACE_WORKS, "clocks are read in turn");
	cr_expect_eq(verdict("192.0.2.1", NOW_MS - 2000), RACE_UNKNOWN);
}

Test(history, other_network_knows_nothing)
{
	const struct history_view elsewhere = {.network = 4712};
	struct order_dest dest = dest_of("192.0.2.1");
	struct history_outcome got;

	connected("192.0.2.1", 20, NOW_MS);
	history_find(&elsewhere, &dest, NOW_MS, &got);
	cr_expect_eq(got.verdict, RACE_UNKNOWN);
	cr_expect_eq(got.srtt_ms, 0u);
}

Test(history, v4_mapped_address_is_the_ipv4_one)
{
	failed("::ffff:192.0.2.1", HISTORY_SILENT, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_BROKEN);
	connected("192.0.2.1", 20, NOW_MS);
	cr_expect_eq(verdict("::ffff:192.0.2.1", NOW_MS), RACE_WORKS);
}

Test(history, link_local_addresses_are_told_apart_by_interface)
{
	struct order_dest dest = dest_of("fe80::1");
	struct history_outcome got;

	dest.scope_id = 2;
	history_failed(&here, &dest, HISTORY_REFUSED, NOW_MS);
	dest.scope_id = 3;
	history_find(&here, &dest, NOW_MS, &got);
	cr_expect_eq(got.verdict, RACE_UNKNOWN);
}

/* ---- the round trip ---- */

Test(history, first_round_trip_is_the_estimate)
{
	struct history_outcome got;

	connected("192.0.2.1", 80, NOW_MS);
	got = find("192.0.2.1", NOW_MS);
	cr_expect_eq(got.srtt_ms, 80u);
	cr_expect_eq(got.rttvar_ms, 40u);
}

/* RFC 6298 section 2.3: rttvar = 3/4 40 + 1/4 |80 - 160| = 50, srtt = 7/8 80 + 1/8 160 = 90. */
Test(history, next_round_trip_counts_an_eighth)
{
	struct history_outcome got;

	connected("192.0.2.1", 80, NOW_MS);
	connected("192.0.2.1", 160, NOW_MS);
	got = find("192.0.2.1", NOW_MS);
	cr_expect_eq(got.srtt_ms, 90u);
	cr_expect_eq(got.rttvar_ms, 50u);
}

Test(history, steady_round_trip_is_found_whatever_came_first)
{
	static const uint32_t trips[] = {0, 1, 3, 30, 300, 999};

	for (unsigned i = 0; i < sizeof trips / sizeof *trips; i++) {
		struct history_outcome got;

		connected("192.0.2.1", i % 2 ? 999 : 0, NOW_MS);
		for (unsigned n = 0; n < 200; n++)
			connected("192.0.2.1", trips[i], NOW_MS);
		got = find("192.0.2.1", NOW_MS);
		cr_expect_eq(got.srtt_ms, trips[i] ? trips[i] : 1, "%u ms, not %u", got.srtt_ms,
			     trips[i]);
		cr_expect_leq(got.rttvar_ms, 1u);
	}
}

Test(history, answer_to_a_second_syn_is_no_round_trip)
{
	connected("192.0.2.1", 1020, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_WORKS);
	cr_expect_eq(find("192.0.2.1", NOW_MS).srtt_ms, 0u);
	connected("192.0.2.1", 20, NOW_MS);
	connected("192.0.2.1", 1020, NOW_MS);
	cr_expect_eq(find("192.0.2.1", NOW_MS).srtt_ms, 20u);
}

/* ---- prefixes ---- */

Test(history, neighbour_is_as_far_away_and_not_known_to_work)
{
	static const struct {
		const char *known, *asked;
		uint32_t srtt_ms;
	} cases[] = {
		{"192.0.2.1", "192.0.2.99", 30},
		{"198.51.100.1", "198.51.101.1", 0},
		{"2001:db8:1::1", "2001:db8:1:ffff::9", 30},
		{"2001:db8:2::1", "2001:db8:3::1", 0},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct history_outcome got;

		connected(cases[i].known, 30, NOW_MS);
		got = find(cases[i].asked, NOW_MS);
		cr_expect_eq(got.srtt_ms, cases[i].srtt_ms, "%s: %u", cases[i].asked, got.srtt_ms);
		cr_expect_eq(got.verdict, RACE_UNKNOWN);
	}
}

Test(history, prefix_is_broken_when_two_of_it_have_failed)
{
	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	cr_expect_eq(verdict("2001:db8::3", NOW_MS), RACE_UNKNOWN, "the same one twice");
	failed("2001:db8::2", HISTORY_UNREACHABLE, NOW_MS);
	cr_expect_eq(verdict("2001:db8::3", NOW_MS), RACE_BROKEN);
	cr_expect_eq(verdict("2001:db8:1::3", NOW_MS), RACE_UNKNOWN, "another prefix");
	connected("2001:db8::4", 20, NOW_MS);
	cr_expect_eq(verdict("2001:db8::3", NOW_MS), RACE_UNKNOWN, "one of it works");
}

Test(history, refusal_says_nothing_of_the_prefix)
{
	failed("192.0.2.1", HISTORY_REFUSED, NOW_MS);
	failed("192.0.2.2", HISTORY_REFUSED, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_BROKEN);
	cr_expect_eq(verdict("192.0.2.3", NOW_MS), RACE_UNKNOWN);
}

Test(history, prefix_is_not_broken_while_one_of_it_works)
{
	connected("192.0.2.1", 20, NOW_MS);
	failed("192.0.2.2", HISTORY_SILENT, NOW_MS);
	failed("192.0.2.3", HISTORY_SILENT, NOW_MS);
	cr_expect_eq(verdict("192.0.2.4", NOW_MS), RACE_UNKNOWN);
	failed("192.0.2.1", HISTORY_SILENT, NOW_MS);
	cr_expect_eq(verdict("192.0.2.4", NOW_MS), RACE_BROKEN);
}

Test(history, address_knows_better_than_its_prefix)
{
	connected("192.0.2.1", 20, NOW_MS);
	failed("192.0.2.2", HISTORY_SILENT, NOW_MS + HISTORY_HOLD_MS - 1000);
	failed("192.0.2.3", HISTORY_SILENT, NOW_MS + HISTORY_HOLD_MS - 1000);
	connected("192.0.2.1", 20, NOW_MS + HISTORY_HOLD_MS - 900);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS + HISTORY_HOLD_MS), RACE_WORKS);
	cr_expect_eq(verdict("192.0.2.2", NOW_MS + HISTORY_HOLD_MS), RACE_BROKEN);
}

/* ---- attempts under way ---- */

Test(history, attempt_without_an_answer_is_held_against_the_address)
{
	struct order_dest dest = dest_of("2001:db8::1");

	history_pending(&here, &dest, NOW_MS);
	cr_expect_eq(verdict("2001:db8::1", NOW_MS), RACE_BROKEN);
	cr_expect(find("2001:db8::1", NOW_MS).suspected);
	cr_expect_eq(verdict("2001:db8::2", NOW_MS), RACE_UNKNOWN, "its neighbour");
	cr_expect_eq(verdict("2001:db8::1", NOW_MS + HISTORY_SUSPECT_MS + 64), RACE_UNKNOWN);
}

Test(history, answer_lifts_the_suspicion)
{
	struct order_dest dest = dest_of("2001:db8::1");

	history_pending(&here, &dest, NOW_MS);
	connected("2001:db8::1", 300, NOW_MS);
	cr_expect_eq(verdict("2001:db8::1", NOW_MS), RACE_WORKS);
	cr_expect_not(find("2001:db8::1", NOW_MS).suspected);
}

Test(history, suspicion_ends_in_a_verdict)
{
	struct order_dest dest = dest_of("2001:db8::1");

	history_pending(&here, &dest, NOW_MS);
	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	cr_expect_eq(verdict("2001:db8::1", NOW_MS), RACE_BROKEN);
	cr_expect_not(find("2001:db8::1", NOW_MS).suspected);
}

/* ---- re-tries ---- */

/* The times, in s after the failure, at which somebody who asks each second gets the claim. */
static unsigned claims(const char *text, unsigned seconds, unsigned ret[8])
{
	struct order_dest dest = dest_of(text);
	unsigned n = 0;

	for (unsigned s = 0; s <= seconds; s++)
		if (history_claim(&here, &dest, NOW_MS + (uint64_t)s * 1000) && n < 8)
			ret[n++] = s;
	return n;
}

/* A claim counts as a failure. The clock ticks 64 ms: a second more is right, one less is not. */
static void expect_claims(const char *text)
{
	unsigned at[8] = {0}, n = claims(text, 900, at), want[] = {60, 180, 420, 660, 900};

	cr_assert_geq(n, 4u, "%u claims", n);
	for (unsigned i = 0; i < n; i++)
		cr_expect(at[i] >= want[i] && at[i] <= want[i] + i + 1, "claim %u at %u s", i,
			  at[i]);
}

Test(history, interval_of_re_tries_doubles_to_four_minutes)
{
	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	expect_claims("2001:db8::1");
}

Test(history, address_of_a_broken_prefix_is_re_tried_in_its_name)
{
	struct order_dest other = dest_of("2001:db8::4");

	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	failed("2001:db8::2", HISTORY_SILENT, NOW_MS);
	cr_expect_not(history_claim(&here, &other, NOW_MS));
	cr_expect(history_claim(&here, &other, NOW_MS + 61000));
	other = dest_of("2001:db8::5");
	cr_expect_not(history_claim(&here, &other, NOW_MS + 61000), "one for the prefix");
}

Test(history, success_ends_the_back_off)
{
	unsigned at[8];

	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	cr_assert_eq(claims("2001:db8::1", 181, at), 2u);
	connected("2001:db8::1", 20, NOW_MS);
	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	expect_claims("2001:db8::1");
}

Test(history, failed_re_try_keeps_the_back_off)
{
	struct order_dest dest = dest_of("2001:db8::1");

	failed("2001:db8::1", HISTORY_SILENT, NOW_MS);
	cr_assert(history_claim(&here, &dest, NOW_MS + 61000));
	failed("2001:db8::1", HISTORY_SILENT, NOW_MS + 71000);
	cr_expect_not(history_claim(&here, &dest, NOW_MS + 71000 + 61000));
	cr_expect(history_claim(&here, &dest, NOW_MS + 71000 + 121000));
}

Test(history, what_is_not_broken_is_not_re_tried)
{
	struct order_dest dest = dest_of("192.0.2.1");

	cr_expect_not(history_claim(&here, &dest, NOW_MS));
	connected("192.0.2.1", 20, NOW_MS);
	cr_expect_not(history_claim(&here, &dest, NOW_MS + 100000));
	history_pending(&here, &dest, NOW_MS);
	cr_expect_not(history_claim(&here, &dest, NOW_MS + 100000));
}

/* ---- errors ---- */

Test(history, errors_of_this_machine_say_nothing)
{
	static const int ours[] = {EMFILE,	  ENFILE,     ENOBUFS, EACCES, EPERM,
				   EADDRNOTAVAIL, EADDRINUSE, EAGAIN,  EINTR};
	enum history_failure got = HISTORY_REFUSED;

	for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++)
		cr_expect_not(history_failure_of(ours[i], &got), "%s", strerror(ours[i]));
	cr_expect(history_failure_of(ETIMEDOUT, &got));
	cr_expect_eq(got, HISTORY_SILENT);
	cr_expect(history_failure_of(ENETUNREACH, &got));
	cr_expect_eq(got, HISTORY_UNREACHABLE);
	cr_expect(history_failure_of(ECONNREFUSED, &got));
	cr_expect_eq(got, HISTORY_REFUSED);
}
