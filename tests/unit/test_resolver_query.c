// SPDX-License-Identifier: MIT
/*
 * test_resolver_query.c - the life of a query: its question, its answer, names that cannot be
 * asked for, cancelling and closing, and what done() may do.
 */
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "query_fixture.h"

static struct maker m;

Test(query, answer_ends_it)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	fixture_expect_send(0, 0, RESOLVER_UDP, 0);
	fixture_advance(20);
	fixture_answer(0, 0);
	fixture_expect_answer(20);
	cr_assert_eq(fixture_result.naddrs, 1);
	cr_assert_eq(fixture_host.wake_ms, UINT64_MAX, "a timer is left");
	fixture_close();
}

Test(query, packet_asks_the_question_with_edns)
{
	static const unsigned char tail[] = {0, 0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	cr_assert_eq(fake_sends[0].len, 12 + 17 + 4 + 11);
	cr_assert_eq(memcmp(fake_sends[0].packet + 12, "\3www\7example\3com", 16), 0);
	cr_assert_eq(memcmp(fake_sends[0].packet + 12 + 16, tail, sizeof(tail)), 0);
	cr_assert(!fake_sends[0].ad);
	fixture_close();
}

Test(query, transport_knows_when_who_asked_gives_up)
{
	struct resolver_conf conf = fixture_conf("ut");

	fixture_open(&conf);
	fixture_ask();
	fixture_answer(0, ns_r_servfail);
	cr_assert_eq(fake_nsends, 2);
	for (unsigned i = 0; i < fake_nsends; i++)
		cr_expect_eq(fake_sends[i].given_up_ms,
			     FIXTURE_START + FIXTURE_DEADLINE - FIXTURE_LATE);
	fixture_close();
}

Test(query, nxdomain_is_final_with_more_upstreams)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask();
	fixture_answer(0, ns_r_nxdomain);
	cr_assert_eq(fixture_result.ncalls, 1);
	cr_assert_eq(fixture_result.kind, RESOLVER_NXDOMAIN);
	cr_assert_eq(fake_nsends, 1);
	fixture_close();
}

Test(query, ad_is_asked_for_and_believed_with_trust_ad)
{
	struct resolver_conf conf = fixture_conf("u");

	conf.trust_ad = true;
	fixture_open(&conf);
	fixture_ask();
	cr_assert(fake_sends[0].ad);
	fixture_answer(0, MAKER_AD);
	cr_assert(fixture_result.ad);
	fixture_close();
}

Test(query, ad_is_not_believed_without_trust_ad)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	fixture_answer(0, MAKER_AD);
	fixture_expect_answer(0);
	cr_assert(!fixture_result.ad);
	fixture_close();
}

Test(query, bad_names_fail_without_a_packet)
{
	static const char *const names[] = {
		"a..b",
		".a",
		"a123456789a123456789a123456789a123456789a123456789a123456789abcd.example",
		"a123456789a123456789a123456789a123456789a123456789a123456789."
		"b123456789a123456789a1"
		"23456789a123456789a123456789a123456789."
		"c123456789a123456789a123456789a123456789a123"
		"456789a123456789.d123456789a123456789a123456789a123456789a123456789a123456789."
		"e1234"
		"56789",
	};
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fixture_result.ncalls = 0;
		fixture_ask_until(names[i], FIXTURE_DEADLINE);
		fixture_advance(0);
		fixture_expect_failure(RESOLVER_BAD_NAME, 0);
	}
	cr_assert_eq(fake_nsends, 0);
	fixture_close();
}

Test(query, cancel_ends_the_attempts_without_done)
{
	struct resolver_conf conf = fixture_conf("uu");
	struct resolver_query *q;

	fixture_open(&conf);
	q = fixture_ask();
	fixture_advance(1000);
	noblockdns_resolver.cancel(q);
	cr_assert(!fake_sends[0].live && !fake_sends[1].live);
	cr_assert_eq(fixture_host.wake_ms, UINT64_MAX, "a timer is left");
	fixture_advance(FIXTURE_DEADLINE);
	cr_assert_eq(fixture_result.ncalls, 0);
	fixture_close();
}

Test(query, cancel_before_a_failure_that_is_due)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	noblockdns_resolver.cancel(fixture_ask_until("a..b", FIXTURE_DEADLINE));
	fixture_advance(1);
	cr_assert_eq(fixture_result.ncalls, 0);
	fixture_close();
}

Test(query, view_close_cancels_its_queries)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask_until(FIXTURE_NAME, FIXTURE_DEADLINE);
	fixture_ask_until(FIXTURE_NAME, FIXTURE_DEADLINE);
	noblockdns_resolver.view_close(fixture_view);
	cr_assert_eq(fixture_result.ncalls, 2);
	cr_assert_eq(fixture_result.failure, RESOLVER_CANCELLED);
	cr_assert_eq(fake_ntransports, 0);
	fixture_close();
}

Test(query, close_cancels_all_queries)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	fixture_close();
	cr_assert_eq(fixture_result.ncalls, 1);
	cr_assert_eq(fixture_result.failure, RESOLVER_CANCELLED);
}

Test(query, abandon_calls_nobody)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	noblockdns_resolver.abandon(fixture_r);
	cr_assert_eq(fixture_result.ncalls, 0);
	cr_assert_eq(fake_ntransports, 0);
}

static void close_view_in_done(void)
{
	noblockdns_resolver.view_close(fixture_view);
}

Test(query, done_may_close_the_view)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask_until(FIXTURE_NAME, FIXTURE_DEADLINE);
	fixture_ask_until(FIXTURE_NAME, FIXTURE_DEADLINE);
	fixture_then = close_view_in_done;
	/* both answers are there when the first done() closes the view */
	maker_begin(&m, 0, MAKER_ANSWER, FIXTURE_NAME, ns_t_a);
	maker_addr(&m, FIXTURE_NAME, 60, "192.0.2.1");
	fake_answer(0, m.bytes, m.len);
	fake_answer(1, m.bytes, m.len);
	noblockdns_resolver.tick(fixture_r, fixture_host.now_ms);
	cr_assert_eq(fixture_result.ncalls, 2);
	cr_assert_eq(fixture_result.failure, RESOLVER_CANCELLED);
	fixture_close();
}

static void ask_in_done(void)
{
	fixture_ask_until("other.example", FIXTURE_DEADLINE);
}

Test(query, done_may_ask_again)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	fixture_then = ask_in_done;
	fixture_answer(0, 0);
	fixture_expect_answer(0);
	fixture_expect_send(1, 0, RESOLVER_UDP, 0);
	cr_assert_neq(fixture_host.wake_ms, UINT64_MAX, "the new query has no timer");
	fixture_close();
}

/* ---- views ---- */

Test(query, view_that_cannot_be_asked_is_refused)
{
	struct resolver_conf none = fixture_conf(""), tls = fixture_conf("s");
	struct resolver_conf family = fixture_conf("u"), many = fixture_conf("u");
	struct resolver_view *view;

	family.upstreams[0].addr.ss_family = AF_UNIX;
	many.nupstreams = RESOLVER_MAX_UPSTREAMS + 1;
	fake_host_init(&fixture_host);
	cr_assert_eq(resolver_open_with(&fixture_host.host, fake_engines, &fixture_r), 0);
	cr_expect_eq(noblockdns_resolver.view_open(fixture_r, &none, &view), -EINVAL);
	cr_expect_eq(noblockdns_resolver.view_open(fixture_r, &tls, &view), -EINVAL);
	cr_expect_eq(noblockdns_resolver.view_open(fixture_r, &family, &view), -EINVAL);
	cr_expect_eq(noblockdns_resolver.view_open(fixture_r, &many, &view), -EINVAL);
	fixture_close();
}
