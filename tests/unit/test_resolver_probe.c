// SPDX-License-Identifier: MIT
/*
 * test_resolver_probe.c - upstreams that are down: who is asked instead, and when and with what it
 * is found out that they are back (resolver/probe.c).
 */
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "query_fixture.h"

static void open_view(const char *transports)
{
	struct resolver_conf conf = fixture_conf(transports);

	fixture_open(&conf);
}

static bool is_probe(unsigned i)
{
	return fake_sends[i].packet[12] == 0; /* the root */
}

/* A probe to this upstream, as packet `i`. */
static void expect_probe(unsigned i, unsigned upstream, enum resolver_transport protocol,
			 uint64_t at_ms)
{
	fixture_expect_send(i, upstream, protocol, at_ms);
	cr_assert(is_probe(i), "packet %u is no probe", i);
}

static bool is_down(unsigned upstream)
{
	return upstream_is_down(&fixture_view->upstreams[upstream]);
}

/* The first of two upstreams cannot be had, the second answers: packets 0 and 1, at 0 ms. */
static void lose_first(const char *transports)
{
	open_view(transports);
	fixture_ask();
	fixture_fail(0, -ECONNREFUSED);
	fixture_answer(1, 0);
	fixture_expect_answer(0);
	cr_assert(is_down(0) && !is_down(1));
}

/* ---- who is asked ---- */

Test(probe, caller_asks_one_that_is_up_however_long_the_other_is_down)
{
	lose_first("us");
	for (unsigned s = 1; s <= 40; s++) {
		unsigned first = fake_nsends;

		fixture_advance(1000 * s);
		fixture_ask();
		fixture_expect_send(first, 1, RESOLVER_TLS, 1000 * s);
		fixture_answer(first, 0);
		fixture_expect_answer(1000 * s);
	}
	fixture_close();
}

Test(probe, late_answer_brings_an_upstream_back)
{
	open_view("uu");
	fixture_ask();
	fixture_advance(1000);
	cr_assert(is_down(0));
	fixture_answer(0, 0);
	cr_assert(!is_down(0));
	fixture_ask();
	fixture_expect_send(2, 0, RESOLVER_UDP, 1000);
	fixture_close();
}

Test(probe, upstream_that_answered_others_meanwhile_is_not_down)
{
	open_view("ss");
	fixture_ask();
	fixture_advance(500);
	fixture_ask();
	fixture_advance(600);
	fixture_answer(1, 0);
	fixture_advance(2000);
	fixture_expect_send(2, 1, RESOLVER_TLS, 2000);
	cr_assert(!is_down(0), "a slow name is taken for an outage");
	fixture_close();
}

Test(probe, silence_of_an_upstream_over_tls_takes_it_down_but_not_out)
{
	open_view("ss");
	fixture_ask();
	fixture_advance(2000);
	cr_assert(is_down(0));
	cr_assert(fake_sends[0].live);
	fixture_answer(1, 0);
	fixture_ask();
	fixture_expect_send(2, 1, RESOLVER_TLS, 2000);
	fixture_close();
}

Test(probe, all_down_are_asked_in_their_order_at_once)
{
	open_view("ss");
	for (unsigned round = 0; round < 3; round++) {
		fixture_ask();
		fixture_expect_send(2 * round, 0, RESOLVER_TLS, 0);
		fixture_fail(2 * round, -ECONNREFUSED);
		fixture_expect_send(2 * round + 1, 1, RESOLVER_TLS, 0);
		fixture_fail(2 * round + 1, -ECONNREFUSED);
		fixture_expect_failure(RESOLVER_UNREACHABLE, 0);
	}
	fixture_expect_nsends(6);
	fixture_close();
}

/* ---- probes ---- */

Test(probe, asks_for_the_root_and_not_for_the_name)
{
	lose_first("su");
	fixture_advance(1000);
	fixture_ask();
	expect_probe(3, 0, RESOLVER_TLS, 1000);
	cr_assert_eq(memcmp(fake_sends[3].packet + 12, "\0\0\1\0\1", 5), 0);
	cr_assert_eq(fake_sends[3].len, 128, "%u bytes: not padded", fake_sends[3].len);
	fixture_close();
}

Test(probe, any_answer_brings_the_upstream_back)
{
	static const unsigned rcodes[] = {ns_r_noerror, ns_r_servfail, ns_r_refused, ns_r_formerr};

	for (unsigned i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++) {
		lose_first("su");
		fixture_advance(1000);
		fixture_ask();
		fixture_answer(2, 0);
		fixture_answer(3, rcodes[i]);
		cr_assert(!is_down(0), "rcode %u", rcodes[i]);
		fixture_ask();
		fixture_expect_send(4, 0, RESOLVER_TLS, 1000);
		fixture_close();
	}
}

Test(probe, outlives_the_question_that_started_it)
{
	lose_first("su");
	fixture_advance(1000);
	fixture_ask();
	fixture_answer(2, 0);
	fixture_expect_answer(1000);
	cr_assert(fake_sends[3].live);
	fixture_close();
}

Test(probe, nothing_is_sent_without_questions)
{
	lose_first("su");
	cr_assert_eq(fixture_host.wake_ms, UINT64_MAX, "a timer is left");
	fixture_advance(100000);
	fixture_expect_nsends(2);
	fixture_ask();
	fixture_answer(2, 0);
	fixture_advance(200000);
	fixture_expect_nsends(4);
	cr_assert_eq(fixture_host.wake_ms, UINT64_MAX, "a timer is left");
	fixture_close();
}

Test(probe, one_at_a_time)
{
	lose_first("su");
	for (unsigned i = 0; i < 30; i++) {
		unsigned first = fake_nsends;

		fixture_advance(1000 + 100 * i);
		fixture_ask();
		fixture_answer(first, 0);
	}
	fixture_expect_nsends(2 + 30 + 1);
	expect_probe(3, 0, RESOLVER_TLS, 1000);
	fixture_close();
}

/* When a probe to an upstream that is down may be sent, with a question every 100 ms. */
struct pace {
	const char *what, *transports;
	int error; /* of each probe; 0: none, it is not answered */
	unsigned n;
	uint64_t at_ms[6];
};

static const struct pace paces[] = {
	{"TLS, refused", "su", -ECONNREFUSED, 6, {1000, 2000, 3000, 4000, 5000, 6000}},
	{"TLS, silent", "su", 0, 3, {1000, 5000, 9000}},
	{"UDP, refused", "us", -ECONNREFUSED, 3, {1000, 3000, 7000}},
	{"UDP, silent", "us", 0, 3, {1000, 4000, 9000}},
	{"TCP, refused", "ts", -ECONNREFUSED, 3, {1000, 3000, 7000}},
};

Test(probe, pace)
{
	for (unsigned k = 0; k < sizeof(paces) / sizeof(paces[0]); k++) {
		const struct pace *p = &paces[k];
		unsigned nprobes = 0;

		lose_first(p->transports);
		for (uint64_t at_ms = 0; nprobes < p->n && at_ms < 20000; at_ms += 100) {
			fixture_advance(at_ms);
			fake_nsends = 0; /* this question's packet is 0, a probe 1 */
			fixture_ask();
			cr_assert_eq(fake_sends[0].upstream, 1, "%s", p->what);
			fixture_answer(0, 0);
			if (fake_nsends == 1)
				continue;
			expect_probe(1, 0, fake_sends[1].protocol, p->at_ms[nprobes++]);
			if (p->error)
				fixture_fail(1, p->error);
		}
		cr_assert_eq(nprobes, p->n, "%s: %u probes", p->what, nprobes);
		noblockdns_resolver.close(fixture_r);
	}
}

/* With a question every 100 ms: when the first one goes to the upstream that is back since
 * `back_ms`. */
static uint64_t first_use_after(uint64_t back_ms)
{
	for (uint64_t at_ms = 100;; at_ms += 100) {
		fixture_advance(at_ms);
		fake_nsends = 0;
		fixture_ask();
		if (fake_sends[0].upstream == 0)
			return at_ms;
		fixture_answer(0, 0);
		if (fake_nsends > 1 && at_ms >= back_ms)
			fixture_answer(1, 0);
		else if (fake_nsends > 1)
			fixture_fail(1, -ECONNREFUSED);
	}
}

Test(probe, upstream_over_tls_is_used_within_two_seconds_of_its_return)
{
	for (uint64_t back_ms = 100; back_ms < 40000; back_ms += 700) {
		uint64_t at_ms;

		lose_first("ss");
		at_ms = first_use_after(back_ms);
		cr_assert(at_ms > back_ms && at_ms <= back_ms + 2000, "back at %lu, used at %lu",
			  (unsigned long)back_ms, (unsigned long)at_ms);
		noblockdns_resolver.close(fixture_r);
	}
}

Test(probe, all_others_are_probed_at_once_when_all_are_down)
{
	open_view("uuu");
	fixture_ask();
	for (unsigned i = 0; i < 3; i++)
		fixture_fail(i, -ECONNREFUSED);
	fixture_advance(1000);
	fixture_ask(); /* packet 3, and probes 4 and 5 */
	for (unsigned i = 3; i < 8; i++)
		fixture_fail(i, -ECONNREFUSED);
	fixture_expect_failure(RESOLVER_UNREACHABLE, 1000);
	fixture_advance(2000); /* the back-off lasts until 3000 */
	fixture_ask();
	fixture_expect_nsends(11);
	fixture_expect_send(8, 0, RESOLVER_UDP, 2000);
	expect_probe(9, 1, RESOLVER_UDP, 2000);
	expect_probe(10, 2, RESOLVER_UDP, 2000);
	fixture_answer(10, 0);
	fixture_ask();
	fixture_expect_send(11, 2, RESOLVER_UDP, 2000);
	fixture_close();
}

Test(probe, want_of_descriptors_says_nothing_of_the_upstream)
{
	lose_first("us");
	fixture_advance(1000);
	fixture_ask();
	fixture_fail(3, -EMFILE);
	cr_assert_eq(fixture_view->upstreams[0].failures, 1);
	fixture_close();
}

Test(probe, view_that_closes_ends_it)
{
	lose_first("us");
	fixture_advance(1000);
	fixture_ask();
	cr_assert(fake_sends[3].live);
	fixture_close();
}

/* ---- the log ---- */

Test(probe, log_says_once_that_an_upstream_goes_down_and_comes_back)
{
	lose_first("su");
	for (unsigned s = 1; s <= 4; s++) {
		fixture_advance(1000 * s);
		fake_nsends = 0;
		fixture_ask();
		fixture_answer(0, 0);
		if (s < 4)
			fixture_fail(1, -ECONNREFUSED);
		else
			fixture_answer(1, 0);
	}
	cr_assert_eq(fixture_count_log(" does not answer\n"), 1, "%s", fixture_host.log);
	cr_assert_eq(fixture_count_log("upstream 10.0.0.0:853 answers again\n"), 1, "%s",
		     fixture_host.log);
	fixture_close();
}
