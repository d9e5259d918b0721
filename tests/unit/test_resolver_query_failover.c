// SPDX-License-Identifier: MIT
/*
 * test_resolver_query_failover.c - upstreams that fail, do without EDNS or truncate, and the order
 * in which they are asked.
 */
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>

#include "query_fixture.h"

static struct maker m;

struct verdict {
	const char *what;
	int error; /* of the transport; 0: `rcode` */
	unsigned rcode;
	enum resolver_failure failure;
};

static const struct verdict verdicts[] = {
	{"SERVFAIL", 0, ns_r_servfail, RESOLVER_SERVFAIL},
	{"NOTIMP", 0, ns_r_notimpl, RESOLVER_REFUSED},
	{"REFUSED", 0, ns_r_refused, RESOLVER_REFUSED},
	{"NOTAUTH", 0, ns_r_notauth, RESOLVER_REFUSED},
	{"ICMP port unreachable", -ECONNREFUSED, 0, RESOLVER_UNREACHABLE},
	{"no route", -ENETUNREACH, 0, RESOLVER_UNREACHABLE},
	{"no descriptor", -EMFILE, 0, RESOLVER_LOCAL_ERROR},
	{"firewall", -EPERM, 0, RESOLVER_LOCAL_ERROR},
	{"filter", -EACCES, 0, RESOLVER_LOCAL_ERROR},
	{"family forbidden", -EAFNOSUPPORT, 0, RESOLVER_LOCAL_ERROR},
};

static void give(unsigned i, const struct verdict *v)
{
	if (v->error)
		fixture_fail(i, v->error);
	else
		fixture_answer(i, v->rcode);
}

Test(query_failover, failing_upstreams_hand_over_at_once_and_end_it)
{
	for (unsigned i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct resolver_conf conf = fixture_conf("uu");

		fixture_open(&conf);
		fixture_ask();
		fixture_advance(5);
		give(0, &verdicts[i]);
		fixture_expect_send(1, 1, RESOLVER_UDP, 5);
		fixture_advance(9);
		give(1, &verdicts[i]);
		fixture_expect_failure(verdicts[i].failure, 9);
		cr_assert_eq(fake_nsends, 2, "%s: %u packets", verdicts[i].what, fake_nsends);
		fixture_close();
	}
}

Test(query_failover, servfail_outweighs_refused_and_unreachable)
{
	struct resolver_conf conf = fixture_conf("uuu");

	fixture_open(&conf);
	fixture_ask();
	fixture_fail(0, -ECONNREFUSED);
	fixture_answer(1, ns_r_servfail);
	fixture_answer(2, ns_r_refused);
	fixture_expect_failure(RESOLVER_SERVFAIL, 0);
	fixture_close();
}

Test(query_failover, answer_of_the_second_upstream_after_servfail)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask();
	fixture_answer(0, ns_r_servfail);
	fixture_answer(1, 0);
	fixture_expect_answer(0);
	fixture_close();
}

Test(query_failover, failure_of_one_that_is_not_waited_for_asks_nobody)
{
	struct resolver_conf conf = fixture_conf("uuu");

	fixture_open(&conf);
	fixture_ask();
	fixture_advance(1000);
	fixture_expect_send(1, 1, RESOLVER_UDP, 1000);
	fixture_answer(0, ns_r_servfail);
	cr_assert_eq(fake_nsends, 2);
	fixture_advance(2000);
	fixture_expect_send(2, 2, RESOLVER_UDP, 2000);
	fixture_advance(3000);
	fixture_expect_send(3, 1, RESOLVER_UDP, 3000);
	fixture_close();
}

Test(query_failover, malformed_answer_hands_over)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask();
	maker_begin(&m, 0, MAKER_ANSWER, FIXTURE_NAME, ns_t_a);
	maker_cname(&m, FIXTURE_NAME, 60, "b.example");
	maker_cname(&m, "b.example", 60, FIXTURE_NAME);
	fake_answer(0, m.bytes, m.len);
	noblockdns_resolver.tick(fixture_r, fixture_host.now_ms);
	fixture_expect_send(1, 1, RESOLVER_UDP, 0);
	fake_answer(1, m.bytes, m.len);
	noblockdns_resolver.tick(fixture_r, fixture_host.now_ms);
	fixture_advance(0);
	fixture_expect_failure(RESOLVER_MALFORMED, 0);
	fixture_close();
}

Test(query_failover, stolen_socket_counts_as_a_lost_packet)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	fixture_advance(3);
	fixture_fail(0, -EBADF);
	fixture_expect_send(1, 0, RESOLVER_UDP, 3);
	fixture_answer(1, 0);
	fixture_expect_answer(3);
	cr_assert_eq(fixture_view->upstreams[0].failures, 0);
	fixture_close();
}

Test(query_failover, no_memory_for_any_attempt_ends_it)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fake_start_error = -ENOMEM;
	fixture_ask();
	fixture_advance(0);
	fixture_expect_failure(RESOLVER_LOCAL_ERROR, 0);
	fixture_close();
}

/* ---- EDNS and truncation ---- */

Test(query_failover, formerr_repeats_without_edns_and_is_remembered)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask();
	cr_assert(fake_sends[0].edns);
	fixture_answer(0, ns_r_formerr);
	fixture_expect_send(1, 0, RESOLVER_UDP, 0);
	cr_assert(!fake_sends[1].edns);
	cr_assert_eq(fake_sends[1].len, fake_sends[0].len - 11);
	fixture_answer(1, 0);
	fixture_expect_answer(0);

	fixture_ask();
	fixture_expect_send(2, 0, RESOLVER_UDP, 0);
	cr_assert(!fake_sends[2].edns, "EDNS is on again");
	fixture_close();
}

Test(query_failover, formerr_without_edns_too_hands_over)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask();
	fixture_answer(0, ns_r_formerr);
	fixture_answer(1, ns_r_formerr);
	fixture_expect_send(2, 1, RESOLVER_UDP, 0);
	fixture_answer(2, ns_r_formerr);
	fixture_answer(3, ns_r_formerr);
	fixture_expect_failure(RESOLVER_FORMERR, 0);
	cr_assert_eq(fake_nsends, 4);
	fixture_close();
}

Test(query_failover, second_formerr_to_edns_does_not_repeat_twice)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	fixture_advance(1000);
	cr_assert_eq(fake_nsends, 2);
	fixture_answer(0, ns_r_formerr);
	cr_assert_eq(fake_nsends, 3);
	fixture_answer(1, ns_r_formerr);
	cr_assert_eq(fake_nsends, 3);
	fixture_answer(2, 0);
	fixture_expect_answer(1000);
	fixture_close();
}

Test(query_failover, truncation_repeats_over_tcp_even_with_an_address)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask();
	fixture_advance(7);
	maker_begin(&m, 0, MAKER_ANSWER | MAKER_TC, FIXTURE_NAME, ns_t_a);
	maker_addr(&m, FIXTURE_NAME, 60, "192.0.2.1");
	fake_answer(0, m.bytes, m.len);
	noblockdns_resolver.tick(fixture_r, fixture_host.now_ms);
	cr_assert_eq(fixture_result.ncalls, 0);
	fixture_expect_send(1, 0, RESOLVER_TCP, 7);
	fixture_answer(1, 0);
	fixture_expect_answer(7);
	fixture_close();
}

Test(query_failover, tcp_failure_after_truncation_hands_over)
{
	struct resolver_conf conf = fixture_conf("uu");

	fixture_open(&conf);
	fixture_ask();
	fixture_answer(0, MAKER_TC);
	fixture_fail(1, -ECONNREFUSED);
	fixture_expect_send(2, 1, RESOLVER_UDP, 0);
	fixture_answer(2, 0);
	fixture_expect_answer(0);
	fixture_close();
}

Test(query_failover, truncation_of_one_not_waited_for_starts_one_tcp_attempt)
{
	struct resolver_conf conf = fixture_conf("u");

	fixture_open(&conf);
	fixture_ask();
	fixture_advance(1000);
	fixture_answer(0, MAKER_TC);
	fixture_expect_send(2, 0, RESOLVER_TCP, 1000);
	fixture_answer(1, MAKER_TC);
	cr_assert_eq(fake_nsends, 3, "a second one was started");
	fixture_close();
}

Test(query_failover, rotate_starts_at_the_next_upstream)
{
	static const unsigned expected[] = {0, 1, 2, 0};
	struct resolver_conf conf = fixture_conf("uuu");

	conf.rotate = true;
	fixture_open(&conf);
	for (unsigned i = 0; i < 4; i++) {
		fixture_ask();
		fixture_expect_send(i, expected[i], RESOLVER_UDP, 0);
	}
	fixture_close();
}

Test(query_failover, without_rotate_the_first_is_asked_first)
{
	struct resolver_conf conf = fixture_conf("uuu");

	fixture_open(&conf);
	for (unsigned i = 0; i < 3; i++) {
		fixture_ask();
		fixture_expect_send(i, 0, RESOLVER_UDP, 0);
	}
	fixture_close();
}
