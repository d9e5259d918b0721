// SPDX-License-Identifier: MIT
/*
 * test_resolver_query_tls.c - a question and upstreams over TLS: what is sent, who is asked as
 * well, and that nothing is ever sent in clear text.
 */
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>

#include "query_fixture.h"

static void open_view(const char *transports)
{
	struct resolver_conf conf = fixture_conf(transports);

	fixture_open(&conf);
}

/* ---- what is sent ---- */

Test(query_tls, packet_is_padded_and_asks_for_ad)
{
	open_view("s");
	fixture_ask();
	fixture_expect_send(0, 0, RESOLVER_TLS, 0);
	cr_assert_eq(fake_sends[0].len, 128, "%u bytes", fake_sends[0].len);
	cr_assert(fake_sends[0].edns);
	cr_assert(fake_sends[0].ad);
	fixture_close();
}

Test(query_tls, packet_over_tcp_has_a_keepalive_and_no_padding)
{
	open_view("t");
	fixture_ask();
	cr_assert_eq(fake_sends[0].len, 12 + 17 + 4 + 11 + 4, "%u bytes", fake_sends[0].len);
	fixture_close();
}

Test(query_tls, packet_over_udp_has_no_option)
{
	open_view("u");
	fixture_ask();
	cr_assert_eq(fake_sends[0].len, 12 + 17 + 4 + 11, "%u bytes", fake_sends[0].len);
	fixture_close();
}

Test(query_tls, formerr_repeats_without_edns_and_padding)
{
	open_view("ss");
	fixture_ask();
	fixture_answer(0, ns_r_formerr);
	fixture_expect_send(1, 0, RESOLVER_TLS, 0);
	cr_assert_eq(fake_sends[1].len, 12 + 17 + 4, "%u bytes", fake_sends[1].len);
	fixture_answer(1, 0);
	fixture_expect_answer(0);
	fixture_close();
}

/* ---- AD ---- */

struct trust {
	const char *what, *transports;
	bool trust_ad, authenticated;
	bool asked, believed;
};

Test(query_tls, ad_is_believed_of_an_authenticated_server)
{
	static const struct trust cases[] = {
		{"authenticated", "s", false, true, true, true},
		{"not authenticated", "s", false, false, true, false},
		{"not authenticated, trust-ad", "s", true, false, true, true},
		{"UDP", "u", false, true, false, false},
		{"TCP, trust-ad", "t", true, false, true, true},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct resolver_conf conf = fixture_conf(cases[i].transports);

		conf.trust_ad = cases[i].trust_ad;
		fake_authenticated = cases[i].authenticated;
		fixture_open(&conf);
		fixture_ask();
		cr_expect_eq(fake_sends[0].ad, cases[i].asked, "%s: asked", cases[i].what);
		fixture_answer(0, MAKER_AD);
		fixture_expect_answer(0);
		cr_expect_eq(fixture_result.ad, cases[i].believed, "%s: believed", cases[i].what);
		fixture_close();
	}
}

/* ---- who is asked as well ---- */

Test(query_tls, silence_is_never_met_with_a_second_packet)
{
	open_view("s");
	fixture_ask();
	fixture_advance(FIXTURE_DEADLINE - 1);
	fixture_expect_nsends(1);
	cr_assert(fake_sends[0].live, "the attempt was given up");
	fixture_advance(FIXTURE_DEADLINE);
	fixture_expect_failure(RESOLVER_TIMEOUT, FIXTURE_DEADLINE);
	fixture_close();
}

Test(query_tls, next_upstream_is_asked_too_after_two_seconds)
{
	open_view("sss");
	fixture_ask();
	fixture_advance(1999);
	fixture_expect_nsends(1);
	fixture_advance(FIXTURE_DEADLINE - 1);
	fixture_expect_nsends(3);
	fixture_expect_send(1, 1, RESOLVER_TLS, 2000);
	fixture_expect_send(2, 2, RESOLVER_TLS, 4000);
	for (unsigned i = 0; i < 3; i++)
		cr_assert(fake_sends[i].live, "attempt %u was given up", i);
	fixture_close();
}

Test(query_tls, first_attempt_may_still_win)
{
	open_view("ss");
	fixture_ask();
	fixture_advance(2500);
	fixture_expect_nsends(2);
	fixture_answer(0, 0);
	fixture_expect_answer(2500);
	cr_assert(!fake_sends[1].live, "the loser waits on");
	fixture_close();
}

Test(query_tls, resolv_conf_timeout_may_be_shorter)
{
	struct resolver_conf conf = fixture_conf("ss");

	conf.timeout_ms = 1000;
	fixture_open(&conf);
	fixture_ask();
	fixture_advance(1000);
	fixture_expect_send(1, 1, RESOLVER_TLS, 1000);
	fixture_close();
}

Test(query_tls, udp_beside_tls_is_asked_again_and_tls_is_not)
{
	open_view("su");
	fixture_ask();
	fixture_advance(FIXTURE_DEADLINE - 1);
	fixture_expect_nsends(4);
	fixture_expect_send(1, 1, RESOLVER_UDP, 2000);
	fixture_expect_send(2, 1, RESOLVER_UDP, 3000);
	fixture_expect_send(3, 1, RESOLVER_UDP, 5000);
	fixture_close();
}

Test(query_tls, connection_that_cannot_be_had_sends_the_query_on_at_once)
{
	static const int errors[] = {-ECONNREFUSED, -ECONNRESET, -EACCES, -EPROTO, -ETIMEDOUT};

	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		open_view("ss");
		fixture_ask();
		fixture_advance(7);
		fixture_fail(0, errors[i]);
		fixture_expect_send(1, 1, RESOLVER_TLS, 7);
		fixture_advance(9);
		fixture_fail(1, errors[i]);
		fixture_expect_failure(RESOLVER_UNREACHABLE, 9);
		fixture_expect_nsends(2);
		fixture_close();
	}
}

Test(query_tls, failure_of_the_first_leaves_the_second_alone)
{
	open_view("ss");
	fixture_ask();
	fixture_advance(2000);
	fixture_fail(0, -ETIMEDOUT);
	fixture_expect_nsends(2);
	cr_assert_eq(fixture_result.ncalls, 0);
	fixture_answer(1, 0);
	fixture_expect_answer(2000);
	fixture_close();
}

Test(query_tls, stolen_socket_sends_the_packet_again)
{
	open_view("s");
	fixture_ask();
	fixture_advance(3);
	fixture_fail(0, -EBADF);
	fixture_expect_send(1, 0, RESOLVER_TLS, 3);
	fixture_close();
}

Test(query_tls, stolen_socket_is_noticed_when_nobody_is_left_to_be_asked)
{
	open_view("s");
	fixture_ask();
	fixture_advance(5000);
	fixture_fail(0, -EBADF);
	fixture_expect_send(1, 0, RESOLVER_TLS, 5000);
	fixture_close();
}

/* ---- strict ---- */

Test(query_tls, truncation_is_malformed)
{
	open_view("ss");
	fixture_ask();
	fixture_answer(0, MAKER_TC);
	fixture_expect_send(1, 1, RESOLVER_TLS, 0);
	fixture_answer(1, MAKER_TC);
	fixture_expect_failure(RESOLVER_MALFORMED, 0);
	fixture_expect_nsends(2);
	fixture_close();
}

/* Whatever each of three upstreams does, alone and in all combinations. */
Test(query_tls, strict_never_uses_another_protocol)
{
	static const int errors[] = {-ECONNREFUSED, -EACCES, -EPROTO, -ETIMEDOUT, -EMFILE, -EBADF};
	static const unsigned rcodes[] = {ns_r_formerr, ns_r_servfail, ns_r_refused, MAKER_TC};
	enum { NERRORS = 6, NRCODES = 4, NFATES = NERRORS + NRCODES + 1 };

	for (unsigned round = 0; round < NFATES * NFATES * NFATES; round++) {
		struct resolver_conf conf = fixture_conf("sss");
		unsigned left = round;

		conf.use_tcp = round & 1;
		fixture_open(&conf);
		fixture_ask();
		for (unsigned i = 0; i < fake_nsends && i < 12; i++) {
			unsigned fate = left % NFATES;

			left /= NFATES;
			if (fixture_result.ncalls)
				break;
			if (fate < NERRORS)
				fixture_fail(i, errors[fate]);
			else if (fate < NERRORS + NRCODES)
				fixture_answer(i, rcodes[fate - NERRORS]);
			else
				fixture_advance(2000 * (i + 1));
		}
		fixture_advance(FIXTURE_DEADLINE);
		cr_assert_eq(fixture_result.ncalls, 1, "round %u", round);
		for (unsigned i = 0; i < fake_nsends; i++)
			cr_assert_eq(fake_sends[i].protocol, RESOLVER_TLS, "round %u, packet %u",
				     round, i);
		fixture_close();
	}
}

/* ---- round trips ---- */

Test(query_tls, round_trip_is_measured_on_a_warm_connection_only)
{
	open_view("s");
	fake_connecting = true;
	fixture_ask();
	fixture_advance(80);
	fixture_answer(0, 0);
	cr_assert(!fixture_view->upstreams[0].measured, "a handshake was measured");
	fake_connecting = false;
	fixture_ask();
	fixture_advance(100);
	fixture_answer(1, 0);
	cr_assert_eq(fixture_view->upstreams[0].srtt_8, 8 * 20);
	fixture_close();
}

/* ---- EDNS, over whatever protocol ---- */

Test(query_edns, off_after_formerr_and_on_again_after_an_hour)
{
	open_view("u");
	fixture_ask();
	fixture_answer(0, ns_r_formerr);
	fixture_answer(1, 0);
	fixture_advance(UPSTREAM_EDNS_OFF_MS - 1);
	fixture_ask();
	cr_assert(!fake_sends[2].edns, "EDNS is on again too early");
	fixture_answer(2, 0);
	fixture_advance(UPSTREAM_EDNS_OFF_MS);
	fixture_ask();
	cr_assert(fake_sends[3].edns, "EDNS is off for good");
	fixture_close();
}
