// SPDX-License-Identifier: MIT
/* test_dot.c - the transport over TLS with a server that behaves. */
#include <criterion/criterion.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dot_rig.h"
#include "resolver/dot_conn.h"

static struct rig rig;

static void start(const char *tls, const char *rules)
{
	rig_serve(&rig, tls, rules);
	rig_open(&rig);
}

Test(dot, answer_comes_from_authenticated_server)
{
	const struct rig_call *call;

	start("cert good", "");
	call = rig_lookup(&rig, "www.test");
	cr_expect_eq(call->error, 0, "%d: %s", call->error, rig.host.log);
	cr_expect(call->authenticated);
	rig_close(&rig);
}

Test(dot, tls_1_2_works)
{
	start("version 1.2", "");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	rig_close(&rig);
}

Test(dot, second_question_goes_over_the_same_connection)
{
	start("cert good", "");
	rig_lookup(&rig, "www.test");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	cr_expect_eq(lab_dns_connections(rig.server), 1);
	rig_close(&rig);
}

Test(dot, questions_before_the_handshake_share_one_connection)
{
	start("cert good", "");
	for (unsigned i = 0; i < 1000; i++)
		rig_ask(&rig, "www.test");
	rig_wait(&rig, 1000);
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_eq(rig.calls[i].error, 0);
	cr_expect_eq(lab_dns_connections(rig.server), 1);
	rig_close(&rig);
}

Test(dot, questions_that_come_together_are_one_write)
{
	unsigned before;

	start("cert good", "");
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	before = rig.host.nholds;
	for (unsigned i = 0; i < 100; i++) /* 13,000 bytes */
		rig_ask(&rig, "www.test");
	fake_host_advance(&rig.host, rig.r, rig.host.now_ms);
	cr_expect_eq(rig.host.nholds - before, 1);
	rig_wait(&rig, 101);
	rig_close(&rig);
}

Test(dot, more_questions_than_may_be_in_flight_wait)
{
	const unsigned n = DOT_TABLE_MAX + 100;

	start("cert good", "");
	cr_assert_leq(n, RIG_CALLS_MAX);
	for (unsigned i = 0; i < n; i++)
		rig_ask(&rig, "www.test");
	rig_wait(&rig, n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(rig.calls[i].error, 0);
	rig_close(&rig);
}

Test(dot, answers_come_in_any_order)
{
	const struct rig_call *slow, *quick;

	start("cert good", "on slow.test * delay 100");
	slow = rig_ask(&rig, "slow.test");
	quick = rig_ask(&rig, "www.test");
	rig_wait(&rig, 2);
	cr_expect_eq(quick->order, 1);
	cr_expect_eq(slow->order, 2);
	cr_expect_eq(slow->rcode, 3, "each has its own answer");
	rig_close(&rig);
}

Test(dot, answer_of_64_kilobytes_is_whole)
{
	const struct rig_call *call;

	start("cert good", "rr big.test 60 A 10.0.0.1*4000");
	call = rig_lookup(&rig, "big.test");
	cr_expect_eq(call->error, 0);
	cr_expect_gt(call->len, 64000u);
	rig_close(&rig);
}

Test(dot, sent_time_is_that_of_the_packet)
{
	const struct rig_call *call;

	start("cert good", "");
	rig_ask(&rig, "www.test");
	fake_host_advance(&rig.host, rig.r, rig.host.now_ms);
	rig.host.now_ms += 100; /* while it connects */
	rig_wait(&rig, 1);
	call = &rig.calls[0];
	cr_expect_eq(call->sent_ms, rig.host.now_ms);
	rig_close(&rig);
}

/* ---- the socket ---- */

/* A level-triggered loop would spin on a socket that can be written to. */
Test(dot, open_connection_waits_for_reading_alone)
{
	start("cert good", "");
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	cr_expect_eq(rig.host.sockets[0].events, RESOLVER_READ);
	rig_close(&rig);
}

Test(dot, handshake_waits_for_reading_alone)
{
	struct rig_call *call;

	start("silent", "");
	call = rig_ask(&rig, "www.test");
	rig_settle(&rig);
	cr_expect_eq(rig.host.sockets[0].events, RESOLVER_READ);
	transport_dot.cancel(call->attempt);
	rig_close(&rig);
}

Test(dot, full_socket_is_waited_for)
{
	const unsigned n = 4000; /* half a megabyte */
	const int little = 4096;

	start("cert good", "");
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	setsockopt(rig.host.sockets[0].fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
	kill(lab_dns_pid(rig.server), SIGSTOP);
	for (unsigned i = 0; i < n; i++)
		rig_ask(&rig, "www.test");
	rig_settle(&rig);
	cr_expect_eq(rig.host.sockets[0].events, RESOLVER_READ | RESOLVER_WRITE);
	kill(lab_dns_pid(rig.server), SIGCONT);
	rig_wait(&rig, n + 1);
	rig_settle(&rig);
	for (unsigned i = 0; i <= n; i++)
		cr_assert_eq(rig.calls[i].error, 0);
	cr_expect_eq(rig.host.sockets[0].events, RESOLVER_READ);
	cr_expect_eq(lab_dns_connections(rig.server), 1);
	rig_close(&rig);
}

Test(dot, socket_neither_waits_for_acks_nor_for_ever)
{
	int value = 0;
	socklen_t len = sizeof(value);

	start("cert good", "");
	rig_lookup(&rig, "www.test");
	getsockopt(rig.host.sockets[0].fd, IPPROTO_TCP, TCP_NODELAY, &value, &len);
	cr_expect_eq(value, 1);
	getsockopt(rig.host.sockets[0].fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &len);
	cr_expect_eq(value, DOT_UNACKED_MS);
	getsockopt(rig.host.sockets[0].fd, IPPROTO_TCP, TCP_MAXSEG, &value, &len);
	cr_expect_leq(value, 468 + 2 + 22 + 12, "what one padded answer fills");
	rig_close(&rig);
}

/* ---- ends of connections ---- */

Test(dot, idle_connection_closes_after_20_s)
{
	start("cert good", "");
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	rig_pass(&rig, DOT_IDLE_MS - 1);
	cr_expect_eq(rig_nopen(&rig), 1);
	rig_pass(&rig, 1);
	cr_expect_eq(rig_nopen(&rig), 0);
	rig_close(&rig);
}

Test(dot, idle_connection_has_one_timer_and_no_ticks)
{
	unsigned before;

	start("cert good", "");
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	cr_expect_eq(rig.r->reactor.nheap, 1);
	before = rig.host.nwakes;
	rig_pass(&rig, DOT_IDLE_MS - 1);
	cr_expect_eq(rig.host.nwakes, before);
	rig_close(&rig);
}

Test(dot, question_prolongs_the_idle_time)
{
	start("cert good", "");
	rig_lookup(&rig, "www.test");
	rig_pass(&rig, DOT_IDLE_MS - 1);
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	rig_pass(&rig, DOT_IDLE_MS - 1);
	cr_expect_eq(rig_nopen(&rig), 1);
	rig_close(&rig);
}

/* 5 s, of which we take nine tenths. */
Test(dot, server_says_how_long_idle_may_be)
{
	start("cert good", "on * * keepalive 50");
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	rig_pass(&rig, 4499);
	cr_expect_eq(rig_nopen(&rig), 1);
	rig_pass(&rig, 1);
	cr_expect_eq(rig_nopen(&rig), 0);
	rig_close(&rig);
}

Test(dot, keepalive_of_zero_closes_with_the_last_answer)
{
	start("cert good", "on * * keepalive 0\non slow.test * delay 50");
	rig_ask(&rig, "slow.test");
	rig_lookup(&rig, "www.test");
	cr_expect_eq(rig_nopen(&rig), 1, "one is in flight");
	rig_wait(&rig, 2);
	rig_settle(&rig);
	cr_expect_eq(rig_nopen(&rig), 0);
	rig_close(&rig);
}

Test(dot, close_after_an_answer_is_nothing_to_speak_of)
{
	start("answers 1", "");
	rig_lookup(&rig, "www.test");
	rig_wait_nopen(&rig, 0);
	cr_expect_null(strstr(rig.host.log, "upstream"), "%s", rig.host.log);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	rig_close(&rig);
}

Test(dot, question_in_flight_goes_to_a_new_connection)
{
	start("cert good", "on www.test * first 1 close");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	cr_expect_eq(lab_dns_connections(rig.server), 2);
	rig_close(&rig);
}

Test(dot, second_loss_is_the_end_of_a_question)
{
	start("cert good", "on www.test * close");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -ECONNRESET);
	cr_expect_eq(lab_dns_connections(rig.server), 2);
	rig_close(&rig);
}

Test(dot, server_that_answers_once_a_connection_answers_all)
{
	start("answers 1", "");
	for (unsigned i = 0; i < 20; i++)
		rig_ask(&rig, "www.test");
	rig_wait(&rig, 20);
	for (unsigned i = 0; i < 20; i++)
		cr_expect_eq(rig.calls[i].error, 0);
	rig_close(&rig);
}

Test(dot, cancelled_question_leaves_the_others_alone)
{
	struct rig_call *slow;

	start("cert good", "on slow.test * delay 50");
	slow = rig_ask(&rig, "slow.test");
	rig_lookup(&rig, "www.test");
	transport_dot.cancel(slow->attempt);
	rig_settle(&rig);
	cr_expect_not(slow->ended);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	cr_expect_eq(lab_dns_connections(rig.server), 1);
	rig_close(&rig);
}

Test(dot, question_can_be_cancelled_while_it_waits)
{
	struct rig_call *call;

	start("cert good", "");
	call = rig_ask(&rig, "www.test");
	transport_dot.cancel(call->attempt);
	rig_settle(&rig);
	cr_expect_not(call->ended);
	rig_close(&rig);
}

/* ---- room ---- */

#define STACK_SIZE ((size_t)256 << 10) /* shim/io_thread.c's */

static void *look_up(void *arg)
{
	rig_lookup(arg, "www.test");
	return NULL;
}

/* A full handshake, with its certificates: the deepest that OpenSSL goes. */
Test(dot, handshake_takes_half_of_the_io_threads_stack)
{
	unsigned char *stack = aligned_alloc(4096, STACK_SIZE);
	size_t unused = 0;
	pthread_attr_t attr;
	pthread_t thread;

	if (RIG_SANITIZED)
		cr_skip_test("a sanitizer's frames are larger");
	start("cert good", "");
	memset(stack, 0x5a, STACK_SIZE);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, STACK_SIZE);
	cr_assert_eq(pthread_create(&thread, &attr, look_up, &rig), 0);
	pthread_join(thread, NULL);
	while (stack[unused] == 0x5a)
		unused++;
	cr_expect_lt(STACK_SIZE - unused, STACK_SIZE / 2);
	rig_close(&rig);
	free(stack);
}

static size_t allocated(void)
{
	return mallinfo2().uordblks;
}

Test(dot, open_connection_takes_less_than_200_kb)
{
	size_t before;

	start("cert good", "");
	rig_lookup(&rig, "www.test"); /* what all connections share is there now */
	rig_settle(&rig);
	rig_pass(&rig, DOT_IDLE_MS);
	cr_assert_eq(rig_nopen(&rig), 0);
	before = allocated();
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	cr_assert_eq(rig_nopen(&rig), 1);
	cr_expect_lt(allocated() - before, 200u << 10);
	rig_close(&rig);
}

Test(dot, connection_full_of_answers_takes_less_than_200_kb)
{
	size_t before;

	start("cert good", "rr big.test 60 A 10.0.0.1*4000");
	rig_lookup(&rig, "www.test");
	rig_settle(&rig);
	rig_pass(&rig, DOT_IDLE_MS);
	before = allocated();
	rig_lookup(&rig, "big.test");
	cr_expect_lt(allocated() - before, 200u << 10);
	rig_close(&rig);
}
