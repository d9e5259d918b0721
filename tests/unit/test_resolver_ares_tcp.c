// SPDX-License-Identifier: MIT
/*
 * test_resolver_ares_tcp.c - questions over TCP: after truncation or from the start, and what
 * happens to the connection.
 */
#include "loopback_rig.h"

#include "resolver/transport.h"

static int accept_one(void)
{
	wait_readable(server.tcp);
	return accept4(server.tcp, NULL, NULL, SOCK_CLOEXEC);
}

static struct asked take_stream(int fd)
{
	struct asked a = {.len = 0};
	unsigned char prefix[2];

	wait_readable(fd);
	cr_assert_eq(recv(fd, prefix, 2, MSG_WAITALL), 2);
	a.len = (unsigned)(prefix[0] << 8 | prefix[1]);
	cr_assert_leq(a.len, sizeof(a.bytes));
	cr_assert_eq(recv(fd, a.bytes, a.len, MSG_WAITALL), (ssize_t)a.len);
	return a;
}

/* Sends what the maker holds, as a message; the resolver reads while it is written. */
static void send_stream(int fd)
{
	static unsigned char message[2 + MAKER_MAX];
	unsigned sent = 0;

	message[0] = (unsigned char)(m.len >> 8);
	message[1] = (unsigned char)m.len;
	memcpy(message + 2, m.bytes, m.len);
	while (sent < m.len + 2) {
		ssize_t n = send(fd, message + sent, m.len + 2 - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			sent += (unsigned)n;
		else
			cr_assert(n < 0 && errno == EAGAIN, "send: %s", strerror(errno));
		fake_host_poll(&host, r, 0);
	}
}

static void answer_stream(int fd, const struct asked *a)
{
	make_answer(id_of(a), 0, NAME);
	send_stream(fd);
}

/* The next question of the connection is answered, and is the one that was waited for. */
static void serve(int fd)
{
	struct asked a = take_stream(fd);

	answer_stream(fd, &a);
	expect_answer();
}

Test(ares_tcp, truncated_answer_is_asked_again_over_tcp)
{
	struct asked a;
	int fd;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	make_answer(id_of(&a), MAKER_TC, NAME);
	send_from(server.udp, &a, m.bytes, m.len);
	run_briefly();
	fd = accept_one();
	serve(fd);
	close_all();
}

Test(ares_tcp, truncated_answer_and_no_tcp_fails_at_once)
{
	struct asked a;

	open_view(false);
	close(server.tcp);
	ask(RESOLVER_A);
	a = take();
	make_answer(id_of(&a), MAKER_TC, NAME);
	send_from(server.udp, &a, m.bytes, m.len);
	run_until(1);
	cr_assert_eq(result.rrset.failure, RESOLVER_UNREACHABLE);
	close_all();
}

Test(ares_tcp, answer_of_64_kb_over_tcp)
{
	struct asked a;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	a = take_stream(fd);
	maker_begin(&m, id_of(&a), MAKER_ANSWER, NAME, ns_t_a);
	for (uint32_t i = 0; i < 4093; i++)
		maker_question_addr(&m, 60, i);
	cr_assert(m.len > 65500);
	send_stream(fd);
	expect_answer();
	cr_assert_eq(result.rrset.naddrs, 4093);
	close_all();
}

Test(ares_tcp, answer_byte_by_byte_over_tcp)
{
	struct asked a;
	unsigned char prefix[2];
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	a = take_stream(fd);
	make_answer(id_of(&a), 0, NAME);
	prefix[0] = 0;
	prefix[1] = (unsigned char)m.len;
	for (unsigned i = 0; i < m.len + 2; i++) {
		cr_assert_eq(result.ncalls, 0);
		cr_assert_eq(send(fd, i < 2 ? prefix + i : m.bytes + i - 2, 1, 0), 1);
		run_briefly();
	}
	expect_answer();
	close_all();
}

Test(ares_tcp, answers_over_one_connection_in_any_order)
{
	struct asked first, second;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	ask(RESOLVER_A);
	fd = accept_one();
	first = take_stream(fd);
	second = take_stream(fd);
	cr_assert_neq(id_of(&first), id_of(&second));
	answer_stream(fd, &second);
	answer_stream(fd, &first);
	run_until(2);
	cr_assert_eq(host.nsockets, 1);
	close_all();
}

/* Asks and answers one question over TCP; returns the server's end of the connection. */
static int open_connection(void)
{
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	serve(fd);
	result.ncalls = 0;
	return fd;
}

Test(ares_tcp, connection_is_used_again)
{
	int fd = open_connection();

	ask(RESOLVER_A);
	serve(fd);
	cr_assert_eq(host.nsockets, 1);
	close_all();
}

Test(ares_tcp, connection_is_closed_when_idle)
{
	open_connection();
	cr_assert_eq(fake_host_nopen(&host), 1);
	fake_host_advance(&host, r, host.now_ms + 19999);
	cr_assert_eq(fake_host_nopen(&host), 1);
	fake_host_advance(&host, r, host.now_ms + 1);
	cr_assert_eq(fake_host_nopen(&host), 0);
	close_all();
}

Test(ares_tcp, connection_closed_by_the_server_while_idle_is_opened_anew)
{
	int fd = open_connection();

	close(fd);
	run_briefly();
	cr_assert_eq(fake_host_nopen(&host), 0);
	ask(RESOLVER_A);
	fd = accept_one();
	serve(fd);
	close_all();
}

Test(ares_tcp, connection_closed_under_a_question_is_not_a_failure)
{
	int fd = open_connection();

	ask(RESOLVER_A);
	take_stream(fd);
	close(fd);
	fd = accept_one();
	serve(fd);
	close_all();
}

Test(ares_tcp, new_connection_closed_without_an_answer_is_a_failure)
{
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	take_stream(fd);
	close(fd);
	run_until(1);
	cr_assert_eq(result.rrset.failure, RESOLVER_UNREACHABLE);
	close_all();
}

Test(ares_tcp, silent_connection_is_replaced)
{
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	take_stream(fd);
	fake_host_advance(&host, r, host.now_ms + 1000);
	cr_assert_eq(host.nsockets, 2);
	cr_assert_eq(fake_host_nopen(&host), 1, "the old connection is still open");
	fd = accept_one();
	serve(fd);
	close_all();
}

/* A question is answered after `first_ms`; the next is given up after `patience_ms`, and `at_ms`
 * later there is a third: over this many sockets in all. */
static void expect_sockets(unsigned first_ms, unsigned patience_ms, unsigned at_ms, unsigned n)
{
	struct asked late;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	fake_host_advance(&host, r, host.now_ms + first_ms);
	serve(fd);
	ask_for(RESOLVER_A, patience_ms);
	late = take_stream(fd);
	fake_host_advance(&host, r, host.now_ms + at_ms);
	result.ncalls = 0;
	ask(RESOLVER_A);
	cr_expect_eq(host.nsockets, n, "first %u, given up %u, at %u: %u sockets", first_ms,
		     patience_ms, at_ms, host.nsockets);
	serve(n == 2 ? accept_one() : fd);
	answer_stream(fd, &late);
	run_until(2);
	cr_expect_eq(fake_host_nopen(&host), 1);
	result.ncalls = 0;
	close_all();
}

Test(ares_tcp, connection_that_was_silent_until_somebody_gave_up_is_replaced)
{
	expect_sockets(0, ATTEMPT_PATIENCE_MS, ATTEMPT_PATIENCE_MS, 2);
}

Test(ares_tcp, connection_is_not_judged_before_somebody_gives_up)
{
	expect_sockets(0, ATTEMPT_PATIENCE_MS + 1, ATTEMPT_PATIENCE_MS, 1);
}

Test(ares_tcp, connection_is_not_judged_by_those_of_little_patience)
{
	expect_sockets(0, 1, ATTEMPT_PATIENCE_MS - 1, 1);
}

Test(ares_tcp, connection_over_a_slow_line_has_more_time)
{
	expect_sockets(400, 1, 799, 1);
	expect_sockets(400, 1, 800, 2);
}

/* The socket that it moves to is as good as it was. */
Test(ares_tcp, attempt_that_moves_is_judged_by_its_new_connection)
{
	int first = open_connection(), second;

	ask_for(RESOLVER_A, 300);
	take_stream(first);
	fake_host_advance(&host, r, host.now_ms + 600);
	ask(RESOLVER_A);
	second = accept_one();
	serve(second);
	cr_expect_eq(host.nsockets, 2);
	fake_host_advance(&host, r, host.now_ms + 100);
	close(first);
	take_stream(second);
	fake_host_advance(&host, r, host.now_ms + 1);
	ask(RESOLVER_A);
	cr_expect_eq(host.nsockets, 2);
	close_all();
}

/* What came over the socket before does not count. */
Test(ares_tcp, silent_connection_is_replaced_where_the_one_before_answered)
{
	int fd = open_connection();

	close(fd);
	run_briefly();
	ask(RESOLVER_A);
	take_stream(accept_one());
	fake_host_advance(&host, r, host.now_ms + 1000);
	cr_expect_eq(host.nsockets, 3);
	serve(accept_one());
	close_all();
}

/* Where it is black, the second packet finds out. */
Test(ares_tcp, connection_that_is_being_made_is_not_judged)
{
	open_view(true);
	ask_for(RESOLVER_A, 1);
	fake_host_advance(&host, r, host.now_ms + 999);
	ask(RESOLVER_A);
	cr_expect_eq(host.nsockets, 1);
	close_all();
}

Test(ares_tcp, message_of_length_zero_is_a_failure)
{
	static const unsigned char zero[2];
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	take_stream(fd);
	cr_assert_eq(send(fd, zero, 2, 0), 2);
	run_until(1);
	cr_assert_eq(result.rrset.kind, RESOLVER_FAILURE);
	close_all();
}

Test(ares_tcp, wrong_id_over_tcp_is_passed_over)
{
	struct asked a;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	a = take_stream(fd);
	make_answer(id_of(&a) ^ 1, 0, NAME);
	send_stream(fd);
	run_briefly();
	cr_assert_eq(result.ncalls, 0);
	answer_stream(fd, &a);
	expect_answer();
	close_all();
}
