// SPDX-License-Identifier: MIT
/*
 * test_dot_wrong.c - the transport over TLS with servers that break the protocol, and with a
 * program that takes its descriptors away.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "dot_rig.h"
#include "resolver/dot_race.h"

static struct rig rig;

static void start(const char *tls, const char *rules)
{
	rig_serve(&rig, tls, rules);
	rig_open(&rig);
}

/* ---- no connection ---- */

Test(dot_wrong, server_that_says_nothing_has_3_s)
{
	const struct rig_call *call;

	start("silent", "");
	call = rig_ask(&rig, "www.test");
	rig_settle(&rig);
	rig_pass(&rig, DOT_CONNECT_MS - 1);
	cr_expect_not(call->ended);
	rig_pass(&rig, 1);
	rig_settle(&rig);
	cr_expect_eq(call->error, -ETIMEDOUT);
	cr_expect_eq(rig_nopen(&rig), 0);
	rig_close(&rig);
}

Test(dot_wrong, server_that_hangs_up_is_not_there)
{
	start("hangup", "");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -ECONNRESET);
	rig_close(&rig);
}

/* Nothing has been sent when it says so: its last flight is the handshake's last in TLS 1.2. */
Test(dot_wrong, server_that_leaves_after_each_handshake_is_asked_twice)
{
	static const char *const versions[] = {"version 1.2 tickets 0 leave", "leave"};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		start(versions[i], "");
		cr_expect_eq(rig_lookup(&rig, "www.test")->error, -ECONNRESET, "%s", versions[i]);
		rig_settle(&rig);
		cr_expect_eq(lab_dns_connections(rig.server), 2, "%s", versions[i]);
		rig_close(&rig);
	}
}

Test(dot_wrong, server_without_tls_is_named)
{
	start("plain", "");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -EPROTO);
	cr_expect(strstr(rig.host.log, ": no TLS: "), "%s", rig.host.log);
	rig_close(&rig);
}

Test(dot_wrong, server_with_an_old_version_is_refused)
{
	start("version 1.1", "");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -EPROTO);
	rig_close(&rig);
}

Test(dot_wrong, nobody_listens)
{
	start("cert good", "");
	lab_dns_vanish(rig.server);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -ECONNREFUSED);
	rig_close(&rig);
}

Test(dot_wrong, handshake_an_octet_at_a_time_works)
{
	start("drip 1", "");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	rig_close(&rig);
}

Test(dot_wrong, no_descriptors_is_said)
{
	start("cert good", "");
	rig.host.socket_error = EMFILE;
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -EMFILE);
	rig.host.socket_error = 0;
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	rig_close(&rig);
}

/* OpenSSL reads on behind a ticket, of which nobody but the client is told. */
Test(dot_wrong, flood_of_tickets_does_not_hold_the_thread)
{
	enum { TICKETS = 4000, ENTRY = 64 << 10, TICKET = 200 /* octets, at least */ };
	const struct rig_call *call;
	unsigned before = 0, most = 0;

	start("tickets 4000", "");
	call = rig_ask(&rig, "www.test");
	while (!call->ended) {
		fake_host_advance(&rig.host, rig.r, rig.host.now_ms);
		cr_assert_gt(fake_host_poll(&rig.host, rig.r, 10000), 0);
		if (rig.host.nputs - before > most)
			most = rig.host.nputs - before;
		before = rig.host.nputs;
	}
	cr_expect_eq(call->error, 0);
	cr_expect_eq(rig.host.nputs, TICKETS);
	cr_expect_leq(most, ENTRY / TICKET + 1, "%u tickets in one go", most);
	rig_close(&rig);
}

/* ---- in the middle ---- */

/* What the server does to the first question, and that the lookup and the next one work. */
static const struct wrong_case {
	const char *tls, *rule;
	unsigned connections;
} once[] = {
	{"cert good", "close", 2},
	{"cert good", "reset", 2},
	{"cert good", "reset-after", 2},
	{"cert good", "close-after", 2},
	{"cert good", "close-length", 2},
	{"cert good", "close-half", 2},
	{"cert good", "drip 1", 1},
	{"cert good", "twice", 1},
	{"version 1.2", "renegotiate", 2},
	/* it is refused, and the server gives up */ {"version 1.2", "close-half", 2},
};

Test(dot_wrong, lookup_and_the_next_one_work)
{
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		char rules[128];

		snprintf(rules, sizeof(rules), "on www.test * first 1 %s", once[i].rule);
		start(once[i].tls, rules);
		cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0, "%s", once[i].rule);
		if (once[i].connections == 2)
			rig_settle(&rig);
		cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0, "%s", once[i].rule);
		cr_expect_eq(lab_dns_connections(rig.server), once[i].connections, "%s",
			     once[i].rule);
		rig_close(&rig);
	}
}

/* What the server answers wrongly before it answers rightly. */
static const char *const ignored[] = {
	"wrong-id",	 "wrong-question", "not-response", "garbage 300", "garbage 1",
	"garbage 65535", "cut 5",	   "cut 12",	   "no-question",
};

Test(dot_wrong, answer_to_another_question_is_ignored)
{
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		char rules[128];

		snprintf(rules, sizeof(rules), "on www.test * %s\non www.test * then-right 1",
			 ignored[i]);
		start("cert good", rules);
		cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0, "%s", ignored[i]);
		cr_expect_gt(rig.calls[0].len, 40u, "%s", ignored[i]);
		cr_expect_eq(lab_dns_connections(rig.server), 1);
		rig_close(&rig);
	}
}

/* ---- silence ---- */

Test(dot_wrong, silent_connection_gets_no_more_questions)
{
	const struct rig_call *first, *second;

	start("cert good", "on slow.test * drop");
	first = rig_ask(&rig, "slow.test");
	rig_settle(&rig);
	rig_pass(&rig, DOT_SILENT_MS);
	second = rig_lookup(&rig, "www.test");
	cr_expect_eq(second->error, 0);
	cr_expect_eq(lab_dns_connections(rig.server), 2);
	cr_expect_not(first->ended);
	cr_expect_eq(rig_nopen(&rig), 2, "the first is kept for what may come");
	transport_dot.cancel(first->attempt);
	cr_expect_eq(rig_nopen(&rig), 1);
	rig_close(&rig);
}

/* Asks for what is never answered, and gives up. */
static void give_up_after(unsigned ms)
{
	struct rig_call *call;

	start("cert good", "on slow.test * drop");
	call = rig_ask(&rig, "slow.test");
	rig_settle(&rig);
	rig_pass(&rig, ms);
	rig.r->reactor.now_ms = rig.host.now_ms;
	transport_dot.cancel(call->attempt);
}

Test(dot_wrong, connection_that_let_a_question_down_is_closed)
{
	give_up_after(ATTEMPT_PATIENCE_MS);
	cr_expect_eq(rig_nopen(&rig), 0);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	rig_close(&rig);
}

Test(dot_wrong, question_given_up_soon_says_nothing_of_the_connection)
{
	give_up_after(ATTEMPT_PATIENCE_MS - 1);
	cr_expect_eq(rig_nopen(&rig), 1);
	rig_close(&rig);
}

/* Asks for what is never answered, and `at_ms` later for something else, which has to be: over this
 * many connections. Whoever asked first waits for `patience_ms`. */
static void connections_after(unsigned patience_ms, unsigned at_ms, unsigned nconnections)
{
	start("cert good", "on slow.test * drop");
	rig.given_up_ms = rig.host.now_ms + patience_ms;
	rig_ask(&rig, "slow.test");
	rig_settle(&rig);
	rig_pass(&rig, at_ms);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	cr_expect_eq(lab_dns_connections(rig.server), nconnections, "given up at %u, at %u",
		     patience_ms, at_ms);
	transport_dot.cancel(rig.calls[0].attempt);
	rig_close(&rig);
}

Test(dot_wrong, connection_that_was_silent_until_somebody_gave_up_gets_no_more_questions)
{
	connections_after(ATTEMPT_PATIENCE_MS, ATTEMPT_PATIENCE_MS, 2);
}

Test(dot_wrong, connection_is_not_judged_before_somebody_gives_up)
{
	connections_after(DOT_SILENT_MS, DOT_SILENT_MS - 1, 1);
}

Test(dot_wrong, connection_is_not_judged_by_those_of_little_patience)
{
	connections_after(1, ATTEMPT_PATIENCE_MS - 1, 1);
}

/* Two round trips of the handshake are the measure of what an answer may take. */
static unsigned connections_of_slow_line(unsigned handshake_ms, unsigned at_ms)
{
	unsigned nconnections;

	start("cert good", "on slow.test * drop");
	rig.given_up_ms = 0;
	rig_ask(&rig, "slow.test");
	rig_pass(&rig, handshake_ms);
	rig_settle(&rig);
	rig_pass(&rig, at_ms);
	rig_lookup(&rig, "www.test");
	nconnections = (unsigned)lab_dns_connections(rig.server);
	transport_dot.cancel(rig.calls[0].attempt);
	rig_close(&rig);
	return nconnections;
}

Test(dot_wrong, connection_over_a_slow_line_has_more_time)
{
	const unsigned handshake_ms = 3 * ATTEMPT_PATIENCE_MS;

	cr_expect_eq(connections_of_slow_line(handshake_ms, handshake_ms - 1), 1);
	cr_expect_eq(connections_of_slow_line(handshake_ms, handshake_ms), 2);
}

/* It takes 400 ms, so a connection has twice as long: no more and no less. */
static unsigned connections_of_slow_server(unsigned at_ms)
{
	unsigned nconnections;

	start("cert good", "on slow.test * drop");
	rig_lookup(&rig, "www.test");
	kill(lab_dns_pid(rig.server), SIGSTOP);
	rig_ask(&rig, "www.test");
	rig_pass(&rig, 400);
	kill(lab_dns_pid(rig.server), SIGCONT);
	rig_wait(&rig, 2);
	rig.given_up_ms = 0;
	rig_ask(&rig, "slow.test");
	rig_pass(&rig, at_ms);
	rig_ask(&rig, "www.test");
	rig_wait(&rig, 3);
	nconnections = (unsigned)lab_dns_connections(rig.server);
	transport_dot.cancel(rig.calls[2].attempt);
	rig_close(&rig);
	return nconnections;
}

Test(dot_wrong, connection_to_a_slow_server_has_more_time)
{
	cr_expect_eq(connections_of_slow_server(799), 1);
	cr_expect_eq(connections_of_slow_server(800), 2);
}

Test(dot_wrong, slowest_answer_fades)
{
	cr_expect_eq(attempt_slowest_ms(0, 400), 400);
	cr_expect_eq(attempt_slowest_ms(400, 20), 350);
	cr_expect_eq(attempt_slowest_ms(350, 350), 350);
	cr_expect_eq(attempt_slowest_ms(0, 0), 0);
}

Test(dot_wrong, slow_answer_is_no_silence_if_others_come)
{
	start("cert good", "on slow.test * drop");
	rig_ask(&rig, "slow.test");
	rig_lookup(&rig, "www.test");
	rig_pass(&rig, DOT_SILENT_MS);
	rig_lookup(&rig, "www.test");
	cr_expect_eq(lab_dns_connections(rig.server), 1);
	transport_dot.cancel(rig.calls[0].attempt);
	rig_close(&rig);
}

/* Nothing comes from it for 30 s, then everything. */
Test(dot_wrong, server_that_disappears_and_returns)
{
	start("cert good", "");
	rig_lookup(&rig, "www.test");
	kill(lab_dns_pid(rig.server), SIGSTOP);
	for (int i = 1; i <= 8; i++) {
		struct rig_call *call = rig_ask(&rig, "www.test");

		rig_settle(&rig);
		rig_pass(&rig, 4000);
		rig_settle(&rig);
		if (!call->ended)
			transport_dot.cancel(call->attempt);
		else
			cr_expect_eq(call->error, -ETIMEDOUT);
		cr_assert_leq(rig_nopen(&rig), 1);
	}
	kill(lab_dns_pid(rig.server), SIGCONT);
	cr_expect_eq(rig_ask(&rig, "www.test")->error, 0);
	rig_wait(&rig, rig.nended + 1);
	cr_expect_eq(rig.calls[rig.ncalls - 1].error, 0);
	rig_close(&rig);
}

Test(dot_wrong, server_that_restarts)
{
	start("cert good", "");
	rig_lookup(&rig, "www.test");
	lab_dns_vanish(rig.server);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -ECONNREFUSED);
	lab_dns_return(rig.server);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	rig_close(&rig);
}

/* ---- the program ---- */

Test(dot_wrong, stolen_descriptor_costs_a_connection)
{
	start("cert good", "");
	rig_lookup(&rig, "www.test");
	rig.host.sockets[0].stolen = true;
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	cr_expect_eq(lab_dns_connections(rig.server), 2);
	rig_close(&rig);
}

Test(dot_wrong, descriptor_stolen_while_connecting_is_said)
{
	start("cert good", "");
	rig_ask(&rig, "www.test");
	fake_host_advance(&rig.host, rig.r, rig.host.now_ms);
	rig.host.sockets[0].stolen = true;
	rig_wait(&rig, 1);
	cr_expect_eq(rig.calls[0].error, -EBADF);
	rig_close(&rig);
}
