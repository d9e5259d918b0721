// SPDX-License-Identifier: MIT
/* race.c: the rows of RFC 8305 that need no network, against a clock that the test sets. */
#include "shim/race.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define T0 UINT64_C(5000)

static struct race race;

static void begin(void)
{
	race_init(&race, &(struct race_options){.delay_ms = RACE_DELAY_MS});
}

static struct race_candidate make(int family, unsigned number)
{
	struct race_candidate c = {.family = family};

	c.addr[0] = (unsigned char)(number >> 8);
	c.addr[3] = (unsigned char)number;
	return c;
}

static int add(int family, unsigned number, uint64_t now_ms)
{
	struct race_candidate c = make(family, number);

	return race_add(&race, &c, now_ms);
}

/* The actions that are due, as text: "+0" starts, "-0" stops, "=0" finishes, "!61" is lost. */
static const char *actions(void)
{
	static char text[256];
	struct race_action a;
	size_t len = 0;

	text[0] = '\0';
	while (race_next(&race, &a)) {
		const char *space = len > 0 ? " " : "";

		cr_assert_lt(len, sizeof text - 16);
		if (a.what == RACE_FINISH && a.error != 0)
			len += (size_t)sprintf(text + len, "%s!%d", space, a.error);
		else
			len += (size_t)sprintf(text + len, "%s%c%u", space,
					       a.what == RACE_START  ? '+'
					       : a.what == RACE_STOP ? '-'
								     : '=',
					       a.candidate);
	}
	return text;
}

static const char *at(uint64_t ms)
{
	race_tick(&race, T0 + ms);
	return actions();
}

/* "n" IPv6 addresses and then as many IPv4 ones. */
static void add_both(unsigned n6, unsigned n4)
{
	for (unsigned i = 0; i < n6; i++)
		cr_assert_eq(add(AF_INET6, i, T0), (int)i);
	for (unsigned i = 0; i < n4; i++)
		cr_assert_eq(add(AF_INET, i, T0), (int)(n6 + i));
}

Test(race, first_wins_alone)
{
	begin();
	add_both(1, 1);
	cr_expect_str_eq(actions(), "", "nothing before the beginning");
	race_begin(&race, T0);
	race_seal(&race, T0);
	cr_expect_str_eq(actions(), "+0");
	cr_expect_eq(race_wake_ms(&race), T0 + 250);
	race_connected(&race, 0, T0 + 20);
	cr_expect_str_eq(actions(), "=0");
	cr_expect_str_eq(at(1000), "", "the other is never started");
	cr_expect_eq(race_wake_ms(&race), RACE_NEVER);
}

Test(race, families_take_turns_a_delay_apart)
{
	begin();
	add_both(3, 2);
	race_begin(&race, T0);
	race_seal(&race, T0);
	cr_expect_str_eq(actions(), "+0");
	cr_expect_str_eq(at(249), "");
	cr_expect_str_eq(at(250), "+3");
	cr_expect_str_eq(at(500), "+1");
	cr_expect_str_eq(at(750), "+4");
	cr_expect_str_eq(at(1000), "+2");
	cr_expect_eq(race_wake_ms(&race), RACE_NEVER);
	race_connected(&race, 1, T0 + 1100);
	cr_expect_str_eq(actions(), "-0 -2 -3 -4 =1");
}

Test(race, late_tick_starts_one_attempt)
{
	begin();
	add_both(2, 2);
	race_begin(&race, T0);
	actions();
	cr_expect_str_eq(at(5000), "+2");
	cr_expect_eq(race_wake_ms(&race), T0 + 5250);
}

Test(race, failure_starts_the_next_at_once_but_paced)
{
	begin();
	add_both(1, 2);
	race_begin(&race, T0);
	race_seal(&race, T0);
	actions();
	race_failed(&race, 0, ECONNREFUSED, T0 + 30);
	cr_expect_str_eq(actions(), "+1");
	race_failed(&race, 1, ECONNREFUSED, T0 + 31);
	cr_expect_str_eq(actions(), "", "10 ms after the one before");
	cr_expect_eq(race_wake_ms(&race), T0 + 40);
	cr_expect_str_eq(at(40), "+2");
	race_failed(&race, 2, ENETUNREACH, T0 + 41);
	cr_expect_str_eq(actions(), "!111");
}

/* Nothing was sent: there is nothing to be paced. */
Test(race, unsent_starts_the_next_in_the_same_moment)
{
	begin();
	for (unsigned i = 0; i < 3; i++)
		add(AF_INET, i, T0);
	race_begin(&race, T0);
	race_seal(&race, T0);
	cr_assert_str_eq(actions(), "+0");
	race_unsent(&race, 0, ENETUNREACH, T0);
	cr_assert_str_eq(actions(), "+1");
	race_unsent(&race, 1, EHOSTUNREACH, T0);
	cr_assert_str_eq(actions(), "+2");
	race_unsent(&race, 2, EHOSTUNREACH, T0);
	cr_assert_str_eq(actions(), "!101");
}

Test(race, postponed_starts_the_next_later)
{
	begin();
	add(AF_INET6, 0, T0);
	add(AF_INET, 1, T0);
	race_begin(&race, T0);
	cr_assert_str_eq(actions(), "+0");
	race_postpone(&race, T0 + RACE_DELAY_MS - 1);
	cr_assert_eq(race_wake_ms(&race), T0 + RACE_DELAY_MS, "it is never started earlier");
	race_postpone(&race, T0 + RACE_DELAY_MS + 200);
	race_tick(&race, T0 + RACE_DELAY_MS + 199);
	cr_assert_str_eq(actions(), "");
	race_tick(&race, T0 + RACE_DELAY_MS + 200);
	cr_assert_str_eq(actions(), "+1");
}

Test(race, failure_does_not_start_what_is_postponed)
{
	begin();
	add(AF_INET6, 0, T0);
	add(AF_INET, 1, T0);
	race_begin(&race, T0);
	cr_assert_str_eq(actions(), "+0");
	race_postpone(&race, T0 + 400);
	race_failed(&race, 0, ECONNREFUSED, T0 + 200);
	cr_assert_str_eq(actions(), "");
	cr_assert_eq(race_wake_ms(&race), T0 + 400);
	race_tick(&race, T0 + 400);
	cr_assert_str_eq(actions(), "+1");
}

Test(race, error_is_that_of_the_first_attempt)
{
	begin();
	add_both(1, 1);
	race_begin(&race, T0);
	race_seal(&race, T0);
	actions();
	cr_expect_str_eq(at(250), "+1");
	race_failed(&race, 1, ECONNREFUSED, T0 + 260);
	race_failed(&race, 0, ETIMEDOUT, T0 + 130000);
	cr_expect_eq(race.state, RACE_LOST);
	cr_expect_str_eq(actions(), "!110");
}

Test(race, delay_ends_no_attempt)
{
	begin();
	add_both(1, 1);
	race_begin(&race, T0);
	race_seal(&race, T0);
	actions();
	cr_expect_str_eq(at(250), "+1");
	cr_expect_str_eq(at(100000), "");
	race_connected(&race, 0, T0 + 100001);
	cr_expect_str_eq(actions(), "-1 =0");
}

Test(race, six_attempts_at_a_time)
{
	begin();
	add_both(8, 1);
	race_begin(&race, T0);
	race_seal(&race, T0);
	for (unsigned i = 0; i < 20; i++)
		at(i * 250);
	cr_expect_eq(race.nconnecting, 6u);
	cr_expect_eq(race_wake_ms(&race), RACE_NEVER);
	race_failed(&race, 0, ETIMEDOUT, T0 + 6000);
	cr_expect_str_eq(actions(), "+5");
}

Test(race, two_in_one_millisecond_have_one_winner)
{
	begin();
	add_both(1, 1);
	race_begin(&race, T0);
	actions();
	at(250);
	race_connected(&race, 1, T0 + 260);
	race_connected(&race, 0, T0 + 260);
	cr_expect_str_eq(actions(), "-0 =1");
}

Test(race, late_address_enters_among_the_untried)
{
	begin();
	cr_assert_eq(add(AF_INET, 0, T0), 0);
	cr_assert_eq(add(AF_INET, 1, T0), 1);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+0");
	cr_assert_eq(add(AF_INET6, 0, T0 + 150), 2);
	cr_expect_str_eq(actions(), "", "its turn is not before the delay is over");
	cr_expect_str_eq(at(250), "+2", "the other family goes first");
	cr_expect_str_eq(at(500), "+1");
}

Test(race, late_address_starts_at_once_when_all_have_failed)
{
	begin();
	cr_assert_eq(add(AF_INET, 0, T0), 0);
	race_begin(&race, T0);
	actions();
	race_failed(&race, 0, ECONNREFUSED, T0 + 20);
	cr_expect_str_eq(actions(), "", "more may come");
	cr_expect_eq(race.state, RACE_RUNNING);
	cr_assert_eq(add(AF_INET6, 0, T0 + 100), 1);
	cr_expect_str_eq(actions(), "+1");
	race_failed(&race, 1, ENETUNREACH, T0 + 120);
	race_seal(&race, T0 + 130);
	cr_expect_str_eq(actions(), "!111");
}

Test(race, race_without_a_first_address_waits_for_it)
{
	begin();
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "");
	cr_expect_eq(race_wake_ms(&race), RACE_NEVER);
	cr_assert_eq(add(AF_INET6, 0, T0 + 700), 0);
	cr_expect_str_eq(actions(), "+0");
	cr_expect_eq(race_wake_ms(&race), RACE_NEVER, "there is no second one");
}

Test(race, same_address_is_refused)
{
	struct race_candidate c = make(AF_INET6, 7);

	begin();
	cr_assert_eq(race_add(&race, &c, T0), 0);
	cr_expect_eq(race_add(&race, &c, T0), -EEXIST);
	c.scope_id = 3;
	cr_expect_eq(race_add(&race, &c, T0), 1);
	race_seal(&race, T0);
	c.scope_id = 4;
	cr_expect_eq(race_add(&race, &c, T0), -EALREADY);
}

Test(race, as_many_candidates_as_there_is_room_for)
{
	begin();
	for (unsigned i = 0; i < RACE_MAX; i++)
		cr_assert_eq(add(AF_INET, i, T0), (int)i);
	cr_expect_eq(add(AF_INET, RACE_MAX, T0), -ENOSPC);
}

/* ---- history ---- */

static void add_known(int family, unsigned number, enum race_verdict verdict, uint32_t srtt_ms)
{
	struct race_candidate c = make(family, number);

	c.verdict = verdict;
	c.srtt_ms = srtt_ms;
	c.rttvar_ms = srtt_ms / 2;
	cr_assert_geq(race_add(&race, &c, T0), 0);
}

Test(race, broken_family_comes_last)
{
	begin();
	add_known(AF_INET6, 0, RACE_BROKEN, 0);
	add_known(AF_INET6, 1, RACE_BROKEN, 0);
	add_known(AF_INET, 0, RACE_UNKNOWN, 0);
	add_known(AF_INET, 1, RACE_WORKS, 20);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+3", "what has worked");
	cr_expect_str_eq(at(100), "+2", "after 20 + 4 * 10, at least 100 ms");
	cr_expect_str_eq(at(350), "+0", "the broken all the same, in the end");
}

/* IPv6 was not there when IPv4 was found to work: it is tried again. */
Test(race, what_works_does_not_overtake_the_other_family)
{
	begin();
	add_known(AF_INET6, 0, RACE_UNKNOWN, 0);
	add_known(AF_INET, 0, RACE_WORKS, 20);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+0");
	cr_expect_str_eq(at(250), "+1");
}

Test(race, shorter_round_trip_does_not_overtake_the_other_family)
{
	begin();
	add_known(AF_INET6, 0, RACE_WORKS, 300);
	add_known(AF_INET, 0, RACE_WORKS, 20);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+0");
}

/* They change places past those of the other family, which keep theirs. */
Test(race, history_orders_each_family_by_itself)
{
	begin();
	add_known(AF_INET, 0, RACE_UNKNOWN, 0);
	add_known(AF_INET6, 0, RACE_UNKNOWN, 0);
	add_known(AF_INET, 1, RACE_WORKS, 0);
	add_known(AF_INET6, 1, RACE_WORKS, 0);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+2");
	cr_expect_str_eq(at(250), "+3");
	cr_expect_str_eq(at(500), "+0");
	cr_expect_str_eq(at(750), "+1");
}

/* The second of the family is not known to be broken: its turn is its family's. */
Test(race, broken_goes_behind_both_families)
{
	begin();
	add_known(AF_INET6, 0, RACE_BROKEN, 0);
	add_known(AF_INET6, 1, RACE_UNKNOWN, 0);
	add_known(AF_INET, 0, RACE_WORKS, 0);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+1");
	cr_expect_str_eq(at(250), "+2");
	cr_expect_str_eq(at(500), "+0");
}

Test(race, shorter_round_trip_comes_first)
{
	begin();
	add_known(AF_INET6, 0, RACE_WORKS, 200);
	add_known(AF_INET6, 1, RACE_WORKS, 100);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+1");
	cr_expect_eq(race_wake_ms(&race), T0 + 300);
}

Test(race, nearly_equal_round_trips_keep_the_order)
{
	begin();
	add_known(AF_INET6, 0, RACE_WORKS, 100);
	add_known(AF_INET6, 1, RACE_WORKS, 76);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+0");
}

Test(race, delay_by_round_trip_is_clamped)
{
	begin();
	add_known(AF_INET6, 0, RACE_WORKS, 1500);
	add_known(AF_INET, 0, RACE_UNKNOWN, 0);
	race_begin(&race, T0);
	cr_expect_str_eq(actions(), "+0");
	cr_expect_eq(race_wake_ms(&race), T0 + 2000);
}

/*
 * Any order of events: every attempt that was started ends by STOP, by its failure or as the
 * winner; FINISH comes once; never more than six at a time, never two starts closer than the pace.
 */
Test(race, any_events_keep_the_promises)
{
	srandom(1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned connecting = 0, finished = 0, open[RACE_MAX] = {0};
		uint64_t now = T0, last = 0;
		struct race_action a;

		begin();
		for (unsigned step = 0; step < 60; step++) {
			unsigned which = (unsigned)random() % RACE_MAX;

			now += (unsigned)random() % 300;
			switch (random() % 6) {
			case 0:
				add(random() % 2 ? AF_INET : AF_INET6, which, now);
				break;
			case 1:
				race_begin(&race, now);
				break;
			case 2:
				if (random() % 8 == 0)
					race_seal(&race, now);
				break;
			case 3:
				if (which < race.n && open[which] && !finished) {
					race_failed(&race, which, 1 + (int)which, now);
					open[which] = 0;
					connecting--;
				}
				break;
			case 4:
				if (which < race.n && open[which] && random() % 8 == 0)
					race_connected(&race, which, now);
				break;
			default:
				race_tick(&race, now);
			}
			while (race_next(&race, &a)) {
				cr_assert_eq(finished, 0u, "something after the end");
				switch (a.what) {
				case RACE_START:
					cr_assert_eq(open[a.candidate]++, 0u);
					cr_assert_leq(++connecting, 6u);
					cr_assert(last == 0 || now >= last + RACE_PACE_MS);
					last = now;
					break;
				case RACE_STOP:
					cr_assert_eq(open[a.candidate]--, 1u);
					connecting--;
					break;
				case RACE_FINISH:
					finished++;
					cr_assert_eq(connecting, a.error == 0 ? 1u : 0u);
					cr_assert(a.error != 0 || open[a.candidate] == 1);
				}
			}
		}
	}
}
