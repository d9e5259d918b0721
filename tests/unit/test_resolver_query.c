// SPDX-License-Identifier: MIT
/*
 * test_resolver_query.c - the policy of resolver/query.c, with a fake transport and a fake clock:
 * who is asked when, what ends a query and with what.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fake_host.h"
#include "fake_transport.h"
#include "packet_maker.h"
#include "resolver/view.h"

#define START	 1000000u
#define NAME	 "www.example.com"
#define DEADLINE 20000u /* after START, where a test does not say */

static struct fake_host host;
static struct resolver *r;
static struct resolver_view *view;
static struct maker m;

/* What done() was called with. */
static struct {
	unsigned ncalls;
	enum resolver_kind kind;
	enum resolver_failure failure;
	uint64_t at_ms;
	unsigned naddrs;
	bool ad;
	void (*then)(void); /* run inside done() */
} result;

static struct resolver_conf conf_of(unsigned nupstreams)
{
	struct resolver_conf conf = {.nupstreams = nupstreams, .timeout_ms = 5000, .attempts = 2};

	for (unsigned i = 0; i < nupstreams; i++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&conf.upstreams[i].addr;

		conf.upstreams[i].transport = RESOLVER_UDP;
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(0x0a000000 + i);
		in->sin_port = htons(53);
	}
	return conf;
}

static void open_view(const struct resolver_conf *conf)
{
	fake_host_init(&host);
	host.now_ms = START;
	cr_assert_eq(resolver_open_with(&host.host, fake_engines, &r), 0);
	cr_assert_eq(noblockdns_resolver.view_open(r, conf, &view), 0);
}

static void on_done(void *arg, const struct resolver_rrset *rrset)
{
	(void)arg;
	result.ncalls++;
	result.kind = rrset->kind;
	result.failure = rrset->failure;
	result.at_ms = host.now_ms - START;
	result.naddrs = rrset->naddrs;
	result.ad = rrset->ad;
	if (result.then)
		result.then();
}

static struct resolver_query *ask_until(const char *name, uint64_t deadline_ms)
{
	const struct resolver_question question = {.name = name,
						   .type = RESOLVER_A,
						   .deadline_ms = START + deadline_ms,
						   .done = on_done};
	struct resolver_query *q;
	unsigned ncalls = result.ncalls;

	cr_assert_eq(noblockdns_resolver.query(view, &question, host.now_ms, &q), 0);
	cr_assert_eq(result.ncalls, ncalls, "done() was called from inside query()");
	return q;
}

static struct resolver_query *ask(void)
{
	return ask_until(NAME, DEADLINE);
}

/* One tick, later than the resolver asked for. */
static void tick_late(void)
{
	host.wake_ms = UINT64_MAX;
	noblockdns_resolver.tick(r, host.now_ms);
}

static void advance_to(uint64_t at_ms)
{
	fake_host_advance(&host, r, START + at_ms);
}

/* Attempt `i` gets this answer, now. */
static void answer_flags(unsigned i, unsigned flags)
{
	maker_begin(&m, 0, MAKER_ANSWER | flags, NAME, ns_t_a);
	if (!(flags & 0xf) && !(flags & MAKER_TC))
		maker_addr(&m, NAME, 60, "192.0.2.1");
	fake_answer(i, m.bytes, m.len);
	noblockdns_resolver.tick(r, host.now_ms);
	advance_to(host.now_ms - START);
}

static void fail(unsigned i, int error)
{
	fake_fail(i, error);
	noblockdns_resolver.tick(r, host.now_ms);
	advance_to(host.now_ms - START);
}

static void expect_send(unsigned i, unsigned upstream, enum resolver_transport protocol,
			uint64_t at_ms)
{
	cr_assert_gt(fake_nsends, i, "packet %u was not sent", i);
	cr_assert_eq(fake_sends[i].upstream, upstream, "packet %u: upstream %u, not %u", i,
		     fake_sends[i].upstream, upstream);
	cr_assert_eq(fake_sends[i].protocol, protocol, "packet %u: protocol %d", i,
		     fake_sends[i].protocol);
	cr_assert_eq(fake_sends[i].at_ms - START, at_ms, "packet %u: at %lu ms, not %lu", i,
		     (unsigned long)(fake_sends[i].at_ms - START), (unsigned long)at_ms);
}

static void expect_failure(enum resolver_failure failure, uint64_t at_ms)
{
	cr_assert_eq(result.ncalls, 1, "done() was called %u times", result.ncalls);
	cr_assert_eq(result.kind, RESOLVER_FAILURE, "kind %d", result.kind);
	cr_assert_eq(result.failure, failure, "failure %d, not %d", result.failure, failure);
	cr_assert_eq(result.at_ms, at_ms, "at %lu ms, not %lu", (unsigned long)result.at_ms,
		     (unsigned long)at_ms);
}

static void expect_answer(uint64_t at_ms)
{
	cr_assert_eq(result.ncalls, 1, "done() was called %u times", result.ncalls);
	cr_assert_eq(result.kind, RESOLVER_ANSWER, "kind %d, failure %d", result.kind,
		     result.failure);
	cr_assert_eq(result.at_ms, at_ms, "at %lu ms, not %lu", (unsigned long)result.at_ms,
		     (unsigned long)at_ms);
}

/* Leaves nothing behind. */
static void close_all(void)
{
	noblockdns_resolver.close(r);
	cr_assert_eq(host.wake_ms, UINT64_MAX, "the host would tick a resolver that is closed");
	cr_assert_eq(fake_ntransports, 0, "%u transports are open", fake_ntransports);
	for (unsigned i = 0; i < fake_nsends; i++)
		cr_assert(!fake_sends[i].live, "attempt %u is alive", i);
}

/* ---- the plain case ---- */

Test(query, answer_ends_it)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	expect_send(0, 0, RESOLVER_UDP, 0);
	advance_to(20);
	answer_flags(0, 0);
	expect_answer(20);
	cr_assert_eq(result.naddrs, 1);
	cr_assert_eq(host.wake_ms, UINT64_MAX, "a timer is left");
	close_all();
}

Test(query, packet_asks_the_question_with_edns)
{
	static const unsigned char tail[] = {0, 0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	cr_assert_eq(fake_sends[0].len, 12 + 17 + 4 + 11);
	cr_assert_eq(memcmp(fake_sends[0].packet + 12, "\3www\7example\3com", 16), 0);
	cr_assert_eq(memcmp(fake_sends[0].packet + 12 + 16, tail, sizeof(tail)), 0);
	cr_assert(!fake_sends[0].ad);
	close_all();
}

Test(query, nxdomain_is_final_with_more_upstreams)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask();
	answer_flags(0, ns_r_nxdomain);
	cr_assert_eq(result.ncalls, 1);
	cr_assert_eq(result.kind, RESOLVER_NXDOMAIN);
	cr_assert_eq(fake_nsends, 1);
	close_all();
}

Test(query, ad_is_asked_for_and_believed_with_trust_ad)
{
	struct resolver_conf conf = conf_of(1);

	conf.trust_ad = true;
	open_view(&conf);
	ask();
	cr_assert(fake_sends[0].ad);
	answer_flags(0, MAKER_AD);
	cr_assert(result.ad);
	close_all();
}

Test(query, ad_is_not_believed_without_trust_ad)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	answer_flags(0, MAKER_AD);
	expect_answer(0);
	cr_assert(!result.ad);
	close_all();
}

/* ---- silence ---- */

struct silence {
	const char *what;
	unsigned nupstreams, attempts;
	uint32_t timeout_ms, rtt_ms; /* 0: no answer was seen before */
	bool use_tcp;
	unsigned nsends;
	struct {
		unsigned upstream;
		uint64_t at_ms;
	} sends[12];
};

static const struct silence silences[] = {
	{"one upstream, nothing known", 1, 2, 5000, 0, false, 3, {{0, 0}, {0, 1000}, {0, 3000}}},
	{"one attempt configured", 1, 1, 5000, 0, false, 2, {{0, 0}, {0, 1000}}},
	{"never more than three", 1, 5, 5000, 0, false, 3, {{0, 0}, {0, 1000}, {0, 3000}}},
	{"timeout caps each wait", 1, 2, 1500, 0, false, 3, {{0, 0}, {0, 1000}, {0, 2500}}},
	{"timeout below a second", 1, 2, 300, 0, false, 3, {{0, 0}, {0, 300}, {0, 600}}},
	{"known round trip, fast", 1, 2, 5000, 10, false, 3, {{0, 0}, {0, 250}, {0, 750}}},
	{"known round trip, slow", 1, 2, 5000, 200, false, 3, {{0, 0}, {0, 1000}, {0, 3000}}},
	{"round trip beyond the timeout",
	 1,
	 2,
	 2000,
	 600,
	 false,
	 3,
	 {{0, 0}, {0, 2000}, {0, 4000}}},
	{"two upstreams take turns",
	 2,
	 2,
	 5000,
	 0,
	 false,
	 6,
	 {{0, 0}, {1, 1000}, {0, 2000}, {1, 4000}, {0, 6000}, {1, 10000}}},
	{"over TCP", 1, 2, 5000, 0, true, 3, {{0, 0}, {0, 1000}, {0, 3000}}},
};

static void check_silence(const struct silence *c)
{
	struct resolver_conf conf = conf_of(c->nupstreams);

	fake_nsends = 0;
	result.ncalls = 0;
	conf.attempts = c->attempts;
	conf.timeout_ms = c->timeout_ms;
	conf.use_tcp = c->use_tcp;
	open_view(&conf);
	if (c->rtt_ms)
		upstream_measured(&view->upstreams[0], c->rtt_ms);
	ask();
	advance_to(DEADLINE - 1);
	cr_assert_eq(result.ncalls, 0, "%s: ended before the deadline", c->what);
	cr_assert_eq(fake_nsends, c->nsends, "%s: %u packets, not %u", c->what, fake_nsends,
		     c->nsends);
	for (unsigned i = 0; i < c->nsends; i++)
		expect_send(i, c->sends[i].upstream, c->use_tcp ? RESOLVER_TCP : RESOLVER_UDP,
			    c->sends[i].at_ms);
	advance_to(DEADLINE);
	expect_failure(RESOLVER_TIMEOUT, DEADLINE);
	close_all();
}

Test(query, silence_is_met_with_retransmits_until_the_deadline)
{
	for (unsigned i = 0; i < sizeof(silences) / sizeof(silences[0]); i++)
		check_silence(&silences[i]);
}

Test(query, deadline_before_the_first_retransmit)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask_until(NAME, 100);
	advance_to(100);
	expect_failure(RESOLVER_TIMEOUT, 100);
	cr_assert_eq(fake_nsends, 1);
	close_all();
}

Test(query, deadline_in_the_past_sends_nothing)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask_until(NAME, 0);
	advance_to(0);
	expect_failure(RESOLVER_TIMEOUT, 0);
	cr_assert_eq(fake_nsends, 0);
	close_all();
}

/* The host wakes the resolver after the retransmit and the deadline were due. */
Test(query, late_tick_sends_nothing_after_the_deadline)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask_until(NAME, 8000);
	cr_assert_lt(host.wake_ms, START + 8000, "the deadline is all that is waited for");
	host.now_ms = START + 9000;
	tick_late();
	cr_assert_eq(fake_nsends, 1, "%u packets were sent", fake_nsends);
	expect_failure(RESOLVER_TIMEOUT, 9000);
	close_all();
}

/* Likewise, but an answer that sends the query elsewhere is seen first. */
Test(query, late_servfail_and_truncation_send_nothing_after_the_deadline)
{
	static const unsigned flags[] = {ns_r_servfail, MAKER_TC};

	for (unsigned i = 0; i < 2; i++) {
		struct resolver_conf conf = conf_of(2);

		open_view(&conf);
		ask_until(NAME, 8000);
		host.now_ms = START + 9000;
		maker_begin(&m, 0, MAKER_ANSWER | flags[i], NAME, ns_t_a);
		fake_answer(i, m.bytes, m.len);
		noblockdns_resolver.ready(r, -1, 0, host.now_ms); /* before the timers */
		cr_assert_eq(fake_nsends, i + 1, "%u packets were sent", fake_nsends);
		tick_late();
		cr_assert_eq(result.ncalls, i + 1);
		cr_assert_eq(result.failure, RESOLVER_TIMEOUT);
		close_all();
	}
}

Test(query, late_answer_to_the_first_packet_counts)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask();
	advance_to(2500);
	cr_assert_eq(fake_nsends, 3);
	answer_flags(0, 0);
	expect_answer(2500);
	close_all();
}

Test(query, late_answer_counts_while_nobody_is_left_to_be_asked)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	advance_to(19000);
	cr_assert_eq(fake_nsends, 3);
	answer_flags(2, 0);
	expect_answer(19000);
	close_all();
}

Test(query, tcp_retry_gives_up_the_connection)
{
	struct resolver_conf conf = conf_of(1);

	conf.use_tcp = true;
	open_view(&conf);
	ask();
	advance_to(1000);
	cr_assert_eq(fake_nsends, 2);
	cr_assert(!fake_sends[0].live, "the first attempt still waits");
	cr_assert(fake_sends[1].live);
	close_all();
}

/* ---- upstreams that fail ---- */

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
	{"no descriptor", -EMFILE, 0, RESOLVER_NO_MEMORY},
};

static void give(unsigned i, const struct verdict *v)
{
	if (v->error)
		fail(i, v->error);
	else
		answer_flags(i, v->rcode);
}

Test(query, failing_upstreams_hand_over_at_once_and_end_it)
{
	for (unsigned i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct resolver_conf conf = conf_of(2);

		fake_nsends = 0;
		result.ncalls = 0;
		open_view(&conf);
		ask();
		advance_to(5);
		give(0, &verdicts[i]);
		expect_send(1, 1, RESOLVER_UDP, 5);
		advance_to(9);
		give(1, &verdicts[i]);
		expect_failure(verdicts[i].failure, 9);
		cr_assert_eq(fake_nsends, 2, "%s: %u packets", verdicts[i].what, fake_nsends);
		close_all();
	}
}

Test(query, servfail_outweighs_refused_and_unreachable)
{
	struct resolver_conf conf = conf_of(3);

	open_view(&conf);
	ask();
	fail(0, -ECONNREFUSED);
	answer_flags(1, ns_r_servfail);
	answer_flags(2, ns_r_refused);
	expect_failure(RESOLVER_SERVFAIL, 0);
	close_all();
}

Test(query, answer_of_the_second_upstream_after_servfail)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask();
	answer_flags(0, ns_r_servfail);
	answer_flags(1, 0);
	expect_answer(0);
	close_all();
}

Test(query, failure_of_one_that_is_not_waited_for_asks_nobody)
{
	struct resolver_conf conf = conf_of(3);

	open_view(&conf);
	ask();
	advance_to(1000);
	expect_send(1, 1, RESOLVER_UDP, 1000);
	answer_flags(0, ns_r_servfail);
	cr_assert_eq(fake_nsends, 2);
	advance_to(2000);
	expect_send(2, 2, RESOLVER_UDP, 2000);
	advance_to(3000);
	expect_send(3, 1, RESOLVER_UDP, 3000);
	close_all();
}

Test(query, malformed_answer_hands_over)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask();
	maker_begin(&m, 0, MAKER_ANSWER, NAME, ns_t_a);
	maker_cname(&m, NAME, 60, "b.example");
	maker_cname(&m, "b.example", 60, NAME);
	fake_answer(0, m.bytes, m.len);
	noblockdns_resolver.tick(r, host.now_ms);
	expect_send(1, 1, RESOLVER_UDP, 0);
	fake_answer(1, m.bytes, m.len);
	noblockdns_resolver.tick(r, host.now_ms);
	advance_to(0);
	expect_failure(RESOLVER_MALFORMED, 0);
	close_all();
}

Test(query, stolen_socket_counts_as_a_lost_packet)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	advance_to(3);
	fail(0, -EBADF);
	expect_send(1, 0, RESOLVER_UDP, 3);
	answer_flags(1, 0);
	expect_answer(3);
	cr_assert_eq(view->upstreams[0].failures, 0);
	close_all();
}

Test(query, no_memory_for_any_attempt_ends_it)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	fake_start_error = -ENOMEM;
	ask();
	advance_to(0);
	expect_failure(RESOLVER_NO_MEMORY, 0);
	close_all();
}

/* ---- EDNS and truncation ---- */

Test(query, formerr_repeats_without_edns_and_is_remembered)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask();
	cr_assert(fake_sends[0].edns);
	answer_flags(0, ns_r_formerr);
	expect_send(1, 0, RESOLVER_UDP, 0);
	cr_assert(!fake_sends[1].edns);
	cr_assert_eq(fake_sends[1].len, fake_sends[0].len - 11);
	answer_flags(1, 0);
	expect_answer(0);

	ask();
	expect_send(2, 0, RESOLVER_UDP, 0);
	cr_assert(!fake_sends[2].edns, "EDNS is on again");
	close_all();
}

Test(query, formerr_without_edns_too_hands_over)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask();
	answer_flags(0, ns_r_formerr);
	answer_flags(1, ns_r_formerr);
	expect_send(2, 1, RESOLVER_UDP, 0);
	answer_flags(2, ns_r_formerr);
	answer_flags(3, ns_r_formerr);
	expect_failure(RESOLVER_FORMERR, 0);
	cr_assert_eq(fake_nsends, 4);
	close_all();
}

Test(query, second_formerr_to_edns_does_not_repeat_twice)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	advance_to(1000);
	cr_assert_eq(fake_nsends, 2);
	answer_flags(0, ns_r_formerr);
	cr_assert_eq(fake_nsends, 3);
	answer_flags(1, ns_r_formerr);
	cr_assert_eq(fake_nsends, 3);
	answer_flags(2, 0);
	expect_answer(1000);
	close_all();
}

Test(query, truncation_repeats_over_tcp_even_with_an_address)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask();
	advance_to(7);
	maker_begin(&m, 0, MAKER_ANSWER | MAKER_TC, NAME, ns_t_a);
	maker_addr(&m, NAME, 60, "192.0.2.1");
	fake_answer(0, m.bytes, m.len);
	noblockdns_resolver.tick(r, host.now_ms);
	cr_assert_eq(result.ncalls, 0);
	expect_send(1, 0, RESOLVER_TCP, 7);
	answer_flags(1, 0);
	expect_answer(7);
	close_all();
}

Test(query, tcp_failure_after_truncation_hands_over)
{
	struct resolver_conf conf = conf_of(2);

	open_view(&conf);
	ask();
	answer_flags(0, MAKER_TC);
	fail(1, -ECONNREFUSED);
	expect_send(2, 1, RESOLVER_UDP, 0);
	answer_flags(2, 0);
	expect_answer(0);
	close_all();
}

Test(query, truncation_of_one_not_waited_for_starts_one_tcp_attempt)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	advance_to(1000);
	answer_flags(0, MAKER_TC);
	expect_send(2, 0, RESOLVER_TCP, 1000);
	answer_flags(1, MAKER_TC);
	cr_assert_eq(fake_nsends, 3, "a second one was started");
	close_all();
}

/* ---- order ---- */

Test(query, rotate_starts_at_the_next_upstream)
{
	static const unsigned expected[] = {0, 1, 2, 0};
	struct resolver_conf conf = conf_of(3);

	conf.rotate = true;
	open_view(&conf);
	for (unsigned i = 0; i < 4; i++) {
		ask();
		expect_send(i, expected[i], RESOLVER_UDP, 0);
	}
	close_all();
}

Test(query, without_rotate_the_first_is_asked_first)
{
	struct resolver_conf conf = conf_of(3);

	open_view(&conf);
	for (unsigned i = 0; i < 3; i++) {
		ask();
		expect_send(i, 0, RESOLVER_UDP, 0);
	}
	close_all();
}

/* ---- names, cancel, close ---- */

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
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		result.ncalls = 0;
		ask_until(names[i], DEADLINE);
		advance_to(0);
		expect_failure(RESOLVER_BAD_NAME, 0);
	}
	cr_assert_eq(fake_nsends, 0);
	close_all();
}

Test(query, cancel_ends_the_attempts_without_done)
{
	struct resolver_conf conf = conf_of(2);
	struct resolver_query *q;

	open_view(&conf);
	q = ask();
	advance_to(1000);
	noblockdns_resolver.cancel(q);
	cr_assert(!fake_sends[0].live && !fake_sends[1].live);
	cr_assert_eq(host.wake_ms, UINT64_MAX, "a timer is left");
	advance_to(DEADLINE);
	cr_assert_eq(result.ncalls, 0);
	close_all();
}

Test(query, cancel_before_a_failure_that_is_due)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	noblockdns_resolver.cancel(ask_until("a..b", DEADLINE));
	advance_to(1);
	cr_assert_eq(result.ncalls, 0);
	close_all();
}

Test(query, view_close_cancels_its_queries)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	ask();
	noblockdns_resolver.view_close(view);
	cr_assert_eq(result.ncalls, 2);
	cr_assert_eq(result.failure, RESOLVER_CANCELLED);
	cr_assert_eq(fake_ntransports, 0);
	close_all();
}

Test(query, close_cancels_all_queries)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	close_all();
	cr_assert_eq(result.ncalls, 1);
	cr_assert_eq(result.failure, RESOLVER_CANCELLED);
}

Test(query, abandon_calls_nobody)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	noblockdns_resolver.abandon(r);
	cr_assert_eq(result.ncalls, 0);
	cr_assert_eq(fake_ntransports, 0);
}

static void close_view_in_done(void)
{
	result.then = NULL;
	noblockdns_resolver.view_close(view);
}

Test(query, done_may_close_the_view)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	ask();
	result.then = close_view_in_done;
	/* both answers are there when the first done() closes the view */
	maker_begin(&m, 0, MAKER_ANSWER, NAME, ns_t_a);
	maker_addr(&m, NAME, 60, "192.0.2.1");
	fake_answer(0, m.bytes, m.len);
	fake_answer(1, m.bytes, m.len);
	noblockdns_resolver.tick(r, host.now_ms);
	cr_assert_eq(result.ncalls, 2);
	cr_assert_eq(result.failure, RESOLVER_CANCELLED);
	close_all();
}

static void ask_in_done(void)
{
	result.then = NULL;
	ask_until("other.example", DEADLINE);
}

Test(query, done_may_ask_again)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	ask();
	result.then = ask_in_done;
	answer_flags(0, 0);
	expect_answer(0);
	expect_send(1, 0, RESOLVER_UDP, 0);
	cr_assert_neq(host.wake_ms, UINT64_MAX, "the new query has no timer");
	close_all();
}

Test(query, a_thousand_at_once_end_at_their_own_deadlines)
{
	struct resolver_conf conf = conf_of(1);

	open_view(&conf);
	fake_start_error = -ENOMEM; /* no packets: this is about the timers */
	for (unsigned i = 0; i < 1000; i++)
		ask_until(NAME, 1 + (i * 7919) % 1000);
	advance_to(0);
	cr_assert_eq(result.ncalls, 1000, "%u", result.ncalls);
	close_all();
}

/* ---- views ---- */

Test(query, view_that_cannot_be_asked_is_refused)
{
	struct resolver_conf good = conf_of(1), none = conf_of(0), tls = conf_of(1);
	struct resolver_conf family = conf_of(1), many = conf_of(1);
	struct resolver_view *other;

	tls.upstreams[0].transport = RESOLVER_TLS; /* the fake engines have none */
	family.upstreams[0].addr.ss_family = AF_UNIX;
	many.nupstreams = RESOLVER_MAX_UPSTREAMS + 1;
	open_view(&good);
	cr_assert_eq(noblockdns_resolver.view_open(r, &none, &other), -EINVAL);
	cr_assert_eq(noblockdns_resolver.view_open(r, &tls, &other), -EINVAL);
	cr_assert_eq(noblockdns_resolver.view_open(r, &family, &other), -EINVAL);
	cr_assert_eq(noblockdns_resolver.view_open(r, &many, &other), -EINVAL);
	close_all();
}
