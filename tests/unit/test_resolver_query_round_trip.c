// SPDX-License-Identifier: MIT
/*
 * test_resolver_query_round_trip.c - how long a server's answers take: what the host is told of it,
 * and what a resolver that has had none makes of what the host remembers.
 */
#include <criterion/criterion.h>

#include "query_fixture.h"

static bool use_tcp;

static void open_with(const char *transports, uint32_t remembered_ms)
{
	struct resolver_conf conf = fixture_conf(transports);

	conf.use_tcp = use_tcp;
	fixture_remembered_ms = remembered_ms;
	fixture_open(&conf);
}

static void expect_times(enum resolver_transport protocol, uint64_t second_ms, uint64_t third_ms)
{
	fixture_advance(FIXTURE_DEADLINE - 1);
	cr_assert_eq(fake_nsends, 3);
	fixture_expect_send(1, 0, protocol, second_ms);
	fixture_expect_send(2, 0, protocol, third_ms);
	fixture_close();
}

Test(query_round_trip, quick_server_is_asked_again_sooner)
{
	open_with("u", 20);
	cr_expect_str_eq(fixture_host.remembered_of, "10.0.0.0:53 0");
	fixture_ask();
	expect_times(RESOLVER_UDP, 250, 2250);
}

/* Both are quick; the second round is as if nothing were remembered. */
Test(query_round_trip, two_quick_servers_take_turns)
{
	static const uint64_t at_ms[] = {0, 250, 500, 2500};

	open_with("uu", 20);
	fixture_ask();
	fixture_advance(2500);
	cr_assert_eq(fake_nsends, 4);
	for (unsigned i = 0; i < 4; i++)
		fixture_expect_send(i, i % 2, RESOLVER_UDP, at_ms[i]);
	fixture_close();
}

Test(query_round_trip, slow_server_is_asked_again_no_later)
{
	open_with("u", 4000);
	fixture_ask();
	expect_times(RESOLVER_UDP, 1000, 3000);
}

Test(query_round_trip, streams_are_not_remembered)
{
	open_with("ts", 20);
	cr_expect_str_eq(fixture_host.remembered_of, "");
	fixture_close();
}

Test(query_round_trip, nor_is_a_server_that_is_asked_over_tcp)
{
	use_tcp = true;
	open_with("u", 20);
	cr_expect_str_eq(fixture_host.remembered_of, "");
	fixture_ask();
	expect_times(RESOLVER_TCP, 1000, 3000);
}

/* 200 ms for the handshake of TCP, and 200 for the answer. */
Test(query_round_trip, truncated_answer_of_a_distant_server_is_waited_for)
{
	open_with("u", 0);
	for (unsigned i = 0; i < 20; i++)
		upstream_measured(&fixture_view->upstreams[0], 200);
	fixture_ask();
	fixture_advance(200);
	fixture_answer(0, MAKER_TC);
	fixture_advance(600);
	cr_expect_eq(fake_nsends, 2);
	fixture_answer(1, 0);
	cr_expect_eq(fixture_result.kind, RESOLVER_ANSWER);
	cr_expect_not(upstream_is_down(&fixture_view->upstreams[0]));
	fixture_close();
}

Test(query_round_trip, host_is_told_what_is_smoothed)
{
	open_with("u", 20);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t now_ms = fixture_host.now_ms - FIXTURE_START;

		fixture_ask();
		fixture_advance(now_ms + (i == 0 ? 40 : 120));
		fixture_answer(i, 0);
		cr_expect_eq(fixture_host.event.kind, RESOLVER_HEARD);
		cr_expect_eq(fixture_host.event.srtt_ms, i == 0 ? 40u : 50u, "%u ms",
			     fixture_host.event.srtt_ms);
	}
	fixture_close();
}
