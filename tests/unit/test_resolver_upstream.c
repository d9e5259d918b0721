// SPDX-License-Identifier: MIT
/*
 * test_resolver_upstream.c - what is known of an upstream (resolver/upstream.c), the packet that
 * asks (packet.c) and the timers (reactor.c): the pure parts of the resolver.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "fake_host.h"
#include "resolver/packet.h"
#include "resolver/reactor.h"
#include "resolver/upstream.h"

/* ---- upstream ---- */

Test(upstream, first_sample_is_the_estimate)
{
	struct upstream u = {0};

	upstream_measured(&u, 40);
	cr_assert_eq(u.srtt_8, 320);
}

Test(upstream, estimate_moves_by_an_eighth)
{
	struct upstream u = {0};

	upstream_measured(&u, 40);
	upstream_measured(&u, 120);
	cr_assert_eq(u.srtt_8, 400, "srtt is %u/8 ms", u.srtt_8); /* 40 * 7/8 + 120 * 1/8 = 50 */
}

Test(upstream, absurd_sample_is_capped)
{
	struct upstream u = {0};

	upstream_measured(&u, UINT64_MAX);
	cr_assert_eq(upstream_retransmit_ms(&u, 5000, 0), 5000);
}

Test(upstream, backoff_doubles_up_to_30_s)
{
	static const uint64_t expected[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
	struct upstream u = {0};
	uint64_t now_ms = 0;

	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		upstream_failed(&u, now_ms);
		cr_assert(!upstream_may_probe(&u, false, now_ms + expected[i] - 1), "failure %u",
			  i);
		cr_assert(upstream_may_probe(&u, false, now_ms + expected[i]), "failure %u", i);
		now_ms += expected[i];
	}
}

Test(upstream, urgent_probe_comes_a_second_after_the_last_try)
{
	struct upstream u = {0};

	for (unsigned i = 0; i < 5; i++)
		upstream_failed(&u, 100000 * i);
	upstream_tried(&u, 400500);
	cr_assert(!upstream_may_probe(&u, true, 401499));
	cr_assert(upstream_may_probe(&u, true, 401500));
	cr_assert(!upstream_may_probe(&u, false, 401500), "the back-off is 16 s");
}

Test(upstream, one_that_is_up_is_not_probed)
{
	struct upstream u = {0};

	cr_assert(!upstream_may_probe(&u, true, 1000000));
	cr_assert(!upstream_may_probe(&u, false, 1000000));
}

Test(upstream, failures_of_one_outage_count_once)
{
	struct upstream u = {0};

	cr_assert(upstream_failed(&u, 0));
	for (unsigned i = 0; i < 100; i++)
		cr_assert(!upstream_failed(&u, i));
	cr_assert(upstream_may_probe(&u, false, 1000));
	cr_assert(!upstream_failed(&u, 1000), "it went down twice");
}

Test(upstream, down_until_an_answer)
{
	struct upstream u = {0};

	upstream_failed(&u, 0);
	upstream_failed(&u, 1000);
	cr_assert(upstream_is_down(&u));
	cr_assert(upstream_answered(&u, 1500));
	cr_assert(!upstream_is_down(&u));
	cr_assert(!upstream_answered(&u, 1600), "it came back twice");
	cr_assert(upstream_failed(&u, 2000));
	cr_assert(upstream_may_probe(&u, false, 3000), "the count was not cleared");
}

Test(upstream, retransmit_times)
{
	static const struct {
		uint64_t rtt_ms; /* 0: not measured */
		uint32_t timeout_ms;
		unsigned round;
		uint64_t expected;
	} cases[] = {
		{0, 5000, 0, 1000},  {0, 5000, 1, 2000}, {0, 5000, 2, 4000},   {0, 3000, 2, 3000},
		{0, 500, 0, 500},    {1, 5000, 0, 250},	 {80, 5000, 0, 250},   {100, 5000, 0, 300},
		{100, 5000, 1, 600}, {100, 90, 0, 90},	 {900, 5000, 0, 2700}, {900, 5000, 1, 5000},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct upstream u = {0};
		uint64_t got;

		if (cases[i].rtt_ms)
			upstream_measured(&u, cases[i].rtt_ms);
		got = upstream_retransmit_ms(&u, cases[i].timeout_ms, cases[i].round);
		cr_assert_eq(got, cases[i].expected, "case %u: %lu ms, not %lu", i,
			     (unsigned long)got, (unsigned long)cases[i].expected);
	}
}

/* RFC 6298 section 2.3: rttvar = 3/4 20 + 1/4 |40 - 120| = 35, srtt = 7/8 40 + 1/8 120 = 50. */
Test(upstream, variation_is_waited_for)
{
	struct upstream u = {0};

	upstream_measured(&u, 40);
	cr_assert_eq(u.rttvar_4, 4 * 20);
	upstream_measured(&u, 120);
	cr_assert_eq(u.rttvar_4, 4 * 35, "rttvar is %u/4 ms", u.rttvar_4);
	upstream_measured(&u, 850); /* 150 and 226.25 */
	cr_assert_eq(upstream_srtt_ms(&u), 150);
	cr_assert_eq(upstream_retransmit_ms(&u, 5000, 0), 150 + 905);
}

Test(upstream, steady_one_is_asked_again_after_half_as_much_again)
{
	struct upstream u = {0};

	for (unsigned i = 0; i < 100; i++)
		upstream_measured(&u, 200);
	cr_assert_eq(upstream_retransmit_ms(&u, 5000, 0), 300);
	cr_assert_eq(upstream_retransmit_ms(&u, 5000, 1), 600);
}

Test(upstream, jumps_between_the_extremes_stay_in_range)
{
	struct upstream u = {0};

	for (unsigned i = 0; i < 1000; i++) {
		upstream_measured(&u, i % 2 ? UINT64_MAX : 0);
		cr_assert_leq(upstream_srtt_ms(&u), 60000);
		cr_assert_leq(u.rttvar_4, 4 * 60000);
	}
}

Test(upstream, tcp_has_three_round_trips)
{
	struct upstream u = {.remembered_ms = 1};

	cr_assert_eq(upstream_reconnect_ms(&u, 5000, 0), 1000);
	upstream_measured(&u, 20);
	cr_assert_eq(upstream_reconnect_ms(&u, 5000, 0), 250);
	u = (struct upstream){0};
	upstream_measured(&u, 500);
	cr_assert_eq(upstream_reconnect_ms(&u, 5000, 0), 1500);
	cr_assert_eq(upstream_reconnect_ms(&u, 5000, 1), 3000);
	cr_assert_eq(upstream_reconnect_ms(&u, 5000, 2), 5000);
	cr_assert_eq(upstream_reconnect_ms(&u, 300, 0), 300);
}

/* ---- what other processes remember ---- */

Test(upstream, remembered_round_trip_only_shortens_the_first_wait)
{
	static const struct {
		uint32_t remembered_ms;
		uint64_t expected;
	} cases[] = {{0, 1000}, {1, 250}, {100, 300}, {333, 999}, {334, 1000}, {UINT32_MAX, 1000}};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct upstream u = {.remembered_ms = cases[i].remembered_ms};
		uint64_t got = upstream_retransmit_ms(&u, 5000, 0);

		cr_assert_eq(got, cases[i].expected, "%u: %lu ms, not %lu", cases[i].remembered_ms,
			     (unsigned long)got, (unsigned long)cases[i].expected);
	}
}

Test(upstream, later_rounds_are_as_if_nothing_were_remembered)
{
	struct upstream u = {.remembered_ms = 1};

	cr_assert_eq(upstream_retransmit_ms(&u, 5000, 1), 2000);
	cr_assert_eq(upstream_retransmit_ms(&u, 5000, 2), 4000);
}

Test(upstream, first_answer_counts_more_than_what_is_remembered)
{
	struct upstream u = {.remembered_ms = 1};

	cr_assert_eq(upstream_srtt_ms(&u), 0);
	upstream_measured(&u, 400);
	cr_assert_eq(upstream_retransmit_ms(&u, 5000, 0), 1200);
}

Test(upstream, order_is_cyclic_with_those_down_last)
{
	static const struct {
		unsigned first, down; /* bit mask */
		unsigned char order[4];
	} cases[] = {
		{0, 0x0, {0, 1, 2, 3}}, {2, 0x0, {2, 3, 0, 1}}, {0, 0x1, {1, 2, 3, 0}},
		{3, 0x8, {0, 1, 2, 3}}, {1, 0xf, {1, 2, 3, 0}}, {0, 0x6, {0, 3, 1, 2}},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct upstream upstreams[4] = {0};
		unsigned char order[4];

		for (unsigned k = 0; k < 4; k++)
			if (cases[i].down & 1u << k)
				upstream_failed(&upstreams[k], 0);
		upstream_order(upstreams, 4, cases[i].first, order);
		cr_assert_eq(memcmp(order, cases[i].order, 4), 0, "case %u", i);
	}
}

/* ---- packet ---- */

Test(packet, longest_name)
{
	struct packet_question question;
	unsigned char packet[PACKET_MAX];
	char name[256];

	memset(name, 'a', sizeof(name));
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0'; /* 63 + 63 + 63 + 61 octets, 4 lengths and the root: 255 */
	cr_assert_eq(packet_question_init(&question, name, RESOLVER_AAAA), 0);
	cr_assert_eq(question.name_len, 255);
	cr_assert_eq(packet_build(&question, PACKET_EDNS, packet), 12 + 255 + 4 + 11);
	name[253] = 'a';
	name[254] = '\0';
	cr_assert_neq(packet_question_init(&question, name, RESOLVER_AAAA), 0);
}

Test(packet, trailing_dot_and_escapes)
{
	struct packet_question a, b;

	cr_assert_eq(packet_question_init(&a, "x\\.y.example.", RESOLVER_A), 0);
	cr_assert_eq(packet_question_init(&b, "x\\046y.example", RESOLVER_A), 0);
	cr_assert_eq(a.name_len, b.name_len);
	cr_assert_eq(memcmp(a.name, "\3x.y\7example", 13), 0);
	cr_assert_eq(memcmp(a.name, b.name, a.name_len), 0);
}

Test(packet, flags)
{
	struct packet_question question;
	unsigned char packet[PACKET_MAX];

	packet_question_init(&question, "example", RESOLVER_A);
	cr_assert_eq(packet_build(&question, 0, packet), 12 + 9 + 4);
	cr_assert_eq(memcmp(packet, "\0\0\1\0\0\1\0\0\0\0\0\0", 12), 0);
	cr_assert_eq(packet_build(&question, PACKET_AD | PACKET_EDNS, packet), 12 + 9 + 4 + 11);
	cr_assert_eq(memcmp(packet, "\0\0\1\x20\0\1\0\0\0\0\0\1", 12), 0);
}

/* ---- timers ---- */

enum { NTIMERS = 500 };

static struct reactor reactor;
static struct reactor_timer timers[NTIMERS];
static uint64_t last_ms;
static unsigned nfired;

static void on_fire(struct reactor_timer *timer)
{
	cr_assert_geq(timer->at_ms, last_ms, "out of order");
	cr_assert_leq(timer->at_ms, reactor.now_ms, "too early");
	last_ms = timer->at_ms;
	nfired++;
}

Test(reactor, timers_fire_in_order_whatever_was_started_and_stopped)
{
	struct fake_host host;
	unsigned nrunning = 0;
	uint32_t seed = 7;

	fake_host_init(&host);
	reactor_init(&reactor, &host.host);
	for (unsigned i = 0; i < NTIMERS; i++)
		cr_assert_eq(reactor_timer_init(&reactor, &timers[i], on_fire), 0);
	for (unsigned i = 0; i < 20000; i++) {
		struct reactor_timer *timer;

		seed = seed * 1103515245u + 12345u;
		timer = &timers[(seed >> 8) % NTIMERS];
		if (seed >> 30)
			reactor_timer_start(&reactor, timer, 1 + (seed >> 12) % 1000);
		else
			reactor_timer_stop(&reactor, timer);
	}
	for (unsigned i = 0; i < NTIMERS; i++)
		nrunning += timers[i].place != 0;
	cr_assert(nrunning > 0 && nrunning == reactor.nheap);
	for (uint64_t now_ms = 0; now_ms <= 1000; now_ms += 10)
		reactor_tick(&reactor, now_ms);
	cr_assert_eq(nfired, nrunning);
	for (unsigned i = 0; i < NTIMERS; i++)
		reactor_timer_fini(&reactor, &timers[i]);
	reactor_fini(&reactor);
}

Test(reactor, host_is_told_only_what_changed)
{
	struct fake_host host;

	fake_host_init(&host);
	reactor_init(&reactor, &host.host);
	reactor_timer_init(&reactor, &timers[0], on_fire);
	reactor_settle(&reactor);
	cr_assert_eq(host.nwakes, 0);
	reactor_timer_start(&reactor, &timers[0], 50);
	reactor_settle(&reactor);
	reactor_settle(&reactor);
	cr_assert_eq(host.nwakes, 1);
	cr_assert_eq(host.wake_ms, 50);
	reactor_tick(&reactor, 50);
	cr_assert_eq(nfired, 1);
	cr_assert_eq(host.nwakes, 1, "a tick uses the time up: nothing to say");
	reactor_timer_fini(&reactor, &timers[0]);
	reactor_fini(&reactor);
}
