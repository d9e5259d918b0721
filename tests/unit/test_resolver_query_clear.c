// SPDX-License-Identifier: MIT
/*
 * test_resolver_query_clear.c - opportunistic privacy (RFC 8310 5): when an upstream over TLS is
 * asked in clear text, and how it is found out that TLS is back.
 */
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "query_fixture.h"

#define MINUTE 60000u

static void open_view(const char *transports)
{
	struct resolver_conf conf = fixture_conf(transports);

	conf.tls.opportunistic = true;
	fixture_open(&conf);
}

/* One upstream is asked in clear text from 0 ms on: packets 0 and 1. */
static void lose_tls(void)
{
	open_view("s");
	fixture_ask();
	fixture_expect_send(0, 0, RESOLVER_TLS, 0);
	fixture_fail(0, -ECONNREFUSED);
	fixture_expect_send(1, 0, RESOLVER_UDP, 0);
	fixture_answer(1, 0);
	fixture_expect_answer(0);
}

/* A question at this time is answered in clear text; returns the number of its packet. */
static unsigned ask_in_clear(uint64_t at_ms)
{
	unsigned first = fake_nsends;

	fixture_advance(at_ms);
	fixture_ask();
	fixture_expect_send(first, 0, RESOLVER_UDP, at_ms);
	fixture_answer(first, 0);
	fixture_expect_answer(at_ms);
	return first;
}

static bool has_probe_after(unsigned i)
{
	return fake_nsends == i + 2 && fake_sends[i + 1].protocol == RESOLVER_TLS &&
	       fake_sends[i + 1].packet[12] == 0;
}

/* ---- falling back ---- */

Test(query_clear, same_upstream_is_asked_at_once_whatever_keeps_tls_from_it)
{
	static const int errors[] = {-ECONNREFUSED, -ECONNRESET, -EPROTO, -ETIMEDOUT};

	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		open_view("su");
		fixture_ask();
		fixture_advance(7);
		fixture_fail(0, errors[i]);
		fixture_expect_send(1, 0, RESOLVER_UDP, 7);
		fixture_close();
	}
}

Test(query_clear, port_is_that_of_plain_dns)
{
	lose_tls();
	cr_assert_eq(fake_sends[0].port, 853);
	cr_assert_eq(fake_sends[1].port, 53, "port %u", fake_sends[1].port);
	fixture_close();
}

Test(query_clear, packet_is_not_padded)
{
	lose_tls();
	cr_assert_eq(fake_sends[1].len, 12 + 17 + 4 + 11, "%u bytes", fake_sends[1].len);
	fixture_close();
}

Test(query_clear, truncation_goes_on_over_tcp)
{
	open_view("s");
	fixture_ask();
	fixture_fail(0, -ECONNREFUSED);
	fixture_answer(1, MAKER_TC);
	fixture_expect_send(2, 0, RESOLVER_TCP, 0);
	cr_assert_eq(fake_sends[2].port, 53);
	fixture_answer(2, 0);
	fixture_expect_answer(0);
	fixture_close();
}

Test(query_clear, use_vc_makes_it_tcp)
{
	struct resolver_conf conf = fixture_conf("s");

	conf.tls.opportunistic = true;
	conf.use_tcp = true;
	fixture_open(&conf);
	fixture_ask();
	fixture_fail(0, -EPROTO);
	fixture_expect_send(1, 0, RESOLVER_TCP, 0);
	fixture_close();
}

Test(query_clear, next_upstream_follows_when_clear_text_fails_too)
{
	open_view("ss");
	fixture_ask();
	fixture_fail(0, -ECONNREFUSED);
	fixture_fail(1, -ECONNREFUSED);
	fixture_expect_send(2, 1, RESOLVER_TLS, 0);
	fixture_fail(2, -ECONNREFUSED);
	fixture_fail(3, -ECONNREFUSED);
	fixture_expect_failure(RESOLVER_UNREACHABLE, 0);
	fixture_expect_nsends(4);
	fixture_close();
}

Test(query_clear, silence_over_tls_is_no_lack_of_it)
{
	open_view("s");
	fixture_ask();
	fixture_advance(FIXTURE_DEADLINE);
	fixture_expect_failure(RESOLVER_TIMEOUT, FIXTURE_DEADLINE);
	fixture_expect_nsends(1);
	fixture_close();
}

Test(query_clear, want_of_descriptors_is_no_lack_of_tls)
{
	open_view("s");
	fixture_ask();
	fixture_fail(0, -EMFILE);
	fixture_expect_failure(RESOLVER_LOCAL_ERROR, 0);
	fixture_expect_nsends(1);
	fixture_close();
}

Test(query_clear, upstream_that_lost_tls_meanwhile_is_asked_in_clear)
{
	open_view("ss");
	fixture_ask();
	fixture_fail(0, -ECONNREFUSED);
	fixture_answer(1, 0); /* upstream 0 in clear */
	fixture_ask();	      /* packet 2, to upstream 0 */
	fixture_fail(2, -ECONNREFUSED);
	fixture_fail(3, -ECONNREFUSED); /* upstream 1 over TLS */
	fixture_expect_send(4, 1, RESOLVER_UDP, 0);
	fixture_close();
}

Test(query_clear, ad_is_not_believed)
{
	open_view("s");
	fake_authenticated = true;
	fixture_ask();
	fixture_fail(0, -ECONNREFUSED);
	fixture_answer(1, MAKER_AD);
	fixture_expect_answer(0);
	cr_assert(!fixture_result.ad);
	fixture_close();
}

Test(query_clear, strict_view_sends_nothing_in_clear_whoever_asks)
{
	struct resolver_conf conf = fixture_conf("s");
	const struct attempt_user nobody = {.done = NULL};
	struct packet_question question;
	struct attempt *attempt;

	fixture_open(&conf);
	packet_question_init(&question, FIXTURE_NAME, RESOLVER_A);
	cr_assert_eq(view_send(fixture_view, 0, RESOLVER_UDP, &question, &nobody, &attempt),
		     -EACCES);
	cr_assert_eq(view_send(fixture_view, 0, RESOLVER_TCP, &question, &nobody, &attempt),
		     -EACCES);
	fixture_expect_nsends(0);
	fixture_close();
}

/* ---- and back again ---- */

Test(query_clear, clear_text_stays_without_another_attempt_for_a_minute)
{
	lose_tls();
	for (unsigned i = 1; i < 60; i++)
		ask_in_clear(1000 * i);
	fixture_expect_nsends(2 + 59);
	fixture_close();
}

Test(query_clear, probes_come_ever_more_rarely)
{
	static const unsigned minutes[] = {1, 3, 7, 15, 31, 63, 123, 183};
	unsigned nprobes = 0;

	lose_tls();
	for (unsigned half = 1; half <= 2 * 183; half++) {
		unsigned i;

		fake_nsends = 0;
		i = ask_in_clear(half * MINUTE / 2);
		if (!has_probe_after(i))
			continue;
		cr_assert_eq(half, 2 * minutes[nprobes], "probe %u after %u half minutes", nprobes,
			     half);
		fixture_fail(i + 1, -ECONNREFUSED);
		nprobes++;
	}
	cr_assert_eq(nprobes, sizeof(minutes) / sizeof(minutes[0]));
	fixture_close();
}

Test(query_clear, tls_is_used_again_when_a_probe_is_answered)
{
	unsigned i;

	lose_tls();
	i = ask_in_clear(MINUTE);
	cr_assert(has_probe_after(i));
	fixture_ask();
	fixture_expect_send(i + 2, 0, RESOLVER_UDP, MINUTE); /* nobody waits for the probe */
	fixture_answer(i + 2, 0);
	fixture_answer(i + 1, 0);
	fixture_ask();
	fixture_expect_send(i + 3, 0, RESOLVER_TLS, MINUTE);
	fixture_close();
}

Test(query_clear, silence_of_a_probe_proves_nothing)
{
	unsigned i;

	lose_tls();
	i = ask_in_clear(MINUTE);
	cr_assert(has_probe_after(i));
	i = ask_in_clear(2 * MINUTE);
	cr_assert_eq(fake_nsends, i + 1, "probed again too early");
	i = ask_in_clear(3 * MINUTE + 10000);
	cr_assert(has_probe_after(i));
	fixture_close();
}

Test(query_clear, many_failures_of_one_outage_count_once)
{
	open_view("s");
	for (unsigned i = 0; i < 5; i++)
		fixture_ask();
	for (unsigned i = 0; i < 5; i++)
		fixture_fail(i, -ECONNRESET);
	cr_assert_eq(fixture_view->upstreams[0].tls_failures, 1);
	fixture_close();
}

Test(query_clear, round_trip_over_tls_is_forgotten)
{
	open_view("s");
	fixture_ask();
	fixture_advance(400);
	fixture_answer(0, 0);
	fixture_ask();
	fixture_fail(1, -ECONNREFUSED);
	cr_assert(!fixture_view->upstreams[0].measured);
	fixture_close();
}

Test(query_clear, log_says_both_once)
{
	unsigned i;

	lose_tls();
	i = ask_in_clear(MINUTE);
	fixture_fail(i + 1, -ECONNREFUSED);
	i = ask_in_clear(3 * MINUTE);
	fixture_answer(i + 1, 0);
	cr_assert_eq(fixture_count_log("10.0.0.0:853 cannot be had over TLS"), 1, "%s",
		     fixture_host.log);
	cr_assert_eq(fixture_count_log("10.0.0.0:853 can be had over TLS again"), 1, "%s",
		     fixture_host.log);
	cr_assert_eq(fixture_count_log("answer"), 0, "%s", fixture_host.log);
	fixture_close();
}
