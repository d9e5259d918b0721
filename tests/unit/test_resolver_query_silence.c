// SPDX-License-Identifier: MIT
/*
 * test_resolver_query_silence.c - retransmits, and the deadline, when nobody answers.
 */
#include <arpa/nameser.h>
#include <criterion/criterion.h>

#include "query_fixture.h"

static struct maker m;

struct silence {
	const char *what;
	const char *upstreams; /* as fixture_conf() has them */
	unsigned attempts;
	uint32_t timeout_ms, rtt_ms; /* 0: no answer was seen before */
	bool use_tcp;
	unsigned nsends;
	struct {
		unsigned upstream;
		uint64_t at_ms;
	} sends[12];
};

static const struct silence silences[] = {
	{"one upstream, nothing known", "u", 2, 5000, 0, false, 3, {{0, 0}, {0, 1000}, {0, 3000}}},
	{"one attempt configured", "u", 1, 5000, 0, false, 2, {{0, 0}, {0, 1000}}},
	{"never more than three", "u", 5, 5000, 0, false, 3, {{0, 0}, {0, 1000}, {0, 3000}}},
	{"timeout caps each wait", "u", 2, 1500, 0, false, 3, {{0, 0}, {0, 1000}, {0, 2500}}},
	{"timeout below a second", "u", 2, 300, 0, false, 3, {{0, 0}, {0, 300}, {0, 600}}},
	{"known round trip, fast", "u", 2, 5000, 10, false, 3, {{0, 0}, {0, 250}, {0, 750}}},
	{"known round trip, slow", "u", 2, 5000, 200, false, 3, {{0, 0}, {0, 600}, {0, 1800}}},
	{"round trip beyond the timeout",
	 "u",
	 2,
	 2000,
	 700,
	 false,
	 3,
	 {{0, 0}, {0, 2000}, {0, 4000}}},
	{"two upstreams take turns",
	 "uu",
	 2,
	 5000,
	 0,
	 false,
	 6,
	 {{0, 0}, {1, 1000}, {0, 2000}, {1, 4000}, {0, 6000}, {1, 10000}}},
	{"over TCP", "u", 2, 5000, 0, true, 3, {{0, 0}, {0, 1000}, {0, 3000}}},
};

static void check_silence(const struct silence *c)
{
	struct resolver_conf conf = fixture_conf(c->upstreams);

	conf.attempts = c->attempts;
	conf.timeout_ms = c->timeout_ms;
	conf.use_tcp = c->use_tcp;
	fixture_open(&conf);
	if (c->rtt_ms)
		upstream_measured(&fixture_view->upstreams[0], c->rtt_ms);
	fixture_ask();
	fixture_advance(FIXTURE_DEADLINE - 1);
	cr_assert_eq(fixture_result.ncalls, 0, "%s: ended before the deadline", c->what);
	cr_assert_eq(fake_nsends, c->nsends, "%s: %u packets, not %u", c->what, fake_nsends,
		     c->nsends);
	for (unsigned i = 0; i < c->nsends; i++)
		fixture_expect_send(i, c->sends[i].upstream,
				    c->use_tcp ? RESOLVER_TCP : RESOLVER_UDP, c->sends[i].at_ms);
	fixture_advance(FIXTURE_DEADLINE);
	fixture_expect_failure(RESOLVER_TIMEOUT, FIXTURE_DEADLINE);
	fixture_close();
}

Test(query_silence, silence_is_met_with_retransmits_until_the_deadline)
{
	for (unsigned i = 0; i < sizeof(silences) / sizeof(silences[0]); i++)
		check_silence(&silences[i]);
}

Test(query_silence, deadline_before_the_first_retransmit)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask_until(FIXTURE_NAME, 100);
	fixture_advance(100);
	fixture_expect_failure(RESOLVER_TIMEOUT, 100);
	cr_assert_eq(fake_nsends, 1);
	fixture_close();
}

Test(query_silence, deadline_in_the_past_sends_nothing)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask_until(FIXTURE_NAME, 0);
	fixture_advance(0);
	fixture_expect_failure(RESOLVER_TIMEOUT, 0);
	cr_assert_eq(fake_nsends, 0);
	fixture_close();
}

/* One tick, later than the resolver asked for. */
static void tick_late(void)
{
	fixture_host.wake_ms = UINT64_MAX;
	noblockdns_resolver.tick(fixture_r, fixture_host.now_ms);
}

/* The host wakes the resolver after the retransmit and the deadline were due. */
Test(query_silence, late_tick_sends_nothing_after_the_deadline)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask_until(FIXTURE_NAME, 8000);
	cr_assert_lt(fixture_host.wake_ms, FIXTURE_START + 8000,
		     "the deadline is all that is waited for");
	fixture_host.now_ms = FIXTURE_START + 9000;
	tick_late();
	cr_assert_eq(fake_nsends, 1, "%u packets were sent", fake_nsends);
	fixture_expect_failure(RESOLVER_TIMEOUT, 9000);
	fixture_close();
}

/* Likewise, but an answer that sends the query elsewhere is seen first. */
Test(query_silence, late_servfail_and_truncation_send_nothing_after_the_deadline)
{
	static const unsigned flags[] = {ns_r_servfail, MAKER_TC};

	for (unsigned i = 0; i < 2; i++) {
		struct resolver_conf conf = fixture_conf("uu");

		fixture_open(&conf);
		fixture_ask_until(FIXTURE_NAME, 8000);
		fixture_host.now_ms = FIXTURE_START + 9000;
		maker_begin(&m, 0, MAKER_ANSWER | flags[i], FIXTURE_NAME, ns_t_a);
		fake_answer(0, m.bytes, m.len);
		noblockdns_resolver.ready(fixture_r, -1, 0,
					  fixture_host.now_ms); /* before the timers */
		cr_assert_eq(fake_nsends, 1, "%u packets were sent", fake_nsends);
		tick_late();
		cr_assert_eq(fixture_result.ncalls, 1);
		cr_assert_eq(fixture_result.failure, RESOLVER_TIMEOUT);
		fixture_close();
	}
}

Test(query_silence, late_answer_to_the_first_packet_counts)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask();
	fixture_advance(2500);
	cr_assert_eq(fake_nsends, 3);
	fixture_answer(0, 0);
	fixture_expect_answer(2500);
	fixture_close();
}

Test(query_silence, late_answer_counts_while_nobody_is_left_to_be_asked)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	fixture_advance(19000);
	cr_assert_eq(fake_nsends, 3);
	fixture_answer(2, 0);
	fixture_expect_answer(19000);
	fixture_close();
}

Test(query_silence, tcp_retry_gives_up_the_connection)
{
	struct resolver_conf conf = fixture_conf("u");

	conf.use_tcp = true;
	fixture_open(&conf);
	fixture_ask();
	fixture_advance(1000);
	cr_assert_eq(fake_nsends, 2);
	cr_assert(!fake_sends[0].live, "the first attempt still waits");
	cr_assert(fake_sends[1].live);
	fixture_close();
}

Test(query_silence, a_thousand_at_once_end_at_their_own_deadlines)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	for (unsigned i = 0; i < 1000; i++) /* each of 1 to 1000, in no order */
		fixture_ask_until(FIXTURE_NAME, 1 + (i * 7919) % 1000);
	for (unsigned at_ms = 1; at_ms <= 1000; at_ms++) {
		fixture_advance(at_ms);
		cr_assert_eq(fixture_result.ncalls, at_ms, "%u have ended after %u ms",
			     fixture_result.ncalls, at_ms);
	}
	fixture_close();
}
