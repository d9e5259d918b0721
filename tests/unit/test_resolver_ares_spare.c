// SPDX-License-Identifier: MIT
/*
 * test_resolver_ares_spare.c - the idle socket that is kept for the next question
 * (channel_spare.c).
 */
#include "loopback_rig.h"

static struct asked ask_and_answer(unsigned ncalls)
{
	struct asked a;

	ask(RESOLVER_A);
	a = take();
	answer(&a);
	run_until(ncalls);
	cr_assert_eq(result.rrset.kind, RESOLVER_ANSWER);
	return a;
}

Test(ares_spare, next_question_takes_the_spare_socket_and_another_port)
{
	struct asked first, second;

	open_view(false);
	first = ask_and_answer(1);
	second = ask_and_answer(2);
	cr_assert_eq(host.nsockets, 1);
	cr_assert_neq(first.from.sin_port, second.from.sin_port);
	close_all();
}

/* The timer has had no time to renew it. */
Test(ares_spare, spare_that_is_taken_at_once_has_another_port_too)
{
	struct asked first, second;

	open_view(false);
	ask(RESOLVER_A);
	first = take();
	answer(&first);
	while (result.ncalls == 0)
		cr_assert_gt(fake_host_poll(&host, r, PATIENCE_MS), 0);
	ask(RESOLVER_A);
	second = take();
	cr_assert_eq(host.nsockets, 1);
	cr_assert_neq(first.from.sin_port, second.from.sin_port);
	close_all();
}

static in_port_t port_of(unsigned socket)
{
	struct sockaddr_in self;
	socklen_t len = sizeof(self);

	cr_assert_eq(getsockname(host.sockets[socket].fd, (struct sockaddr *)&self, &len), 0);
	return self.sin_port;
}

/* It would stand in the way of the answer that is still to come. */
Test(ares_spare, spare_is_renewed_after_the_last_answer)
{
	struct asked first, second;

	open_view(false);
	ask(RESOLVER_A);
	first = take();
	ask(RESOLVER_A);
	second = take();
	answer(&first);
	run_until(1);
	run_briefly();
	cr_expect_eq(port_of(0), first.from.sin_port, "renewed while one is waited for");
	answer(&second);
	run_until(2);
	run_briefly();
	cr_expect_neq(port_of(0), first.from.sin_port, "not renewed");
	close_all();
}

Test(ares_spare, spare_that_is_sent_something_is_closed)
{
	struct asked a;
	socklen_t len = sizeof(a.from);

	open_view(false);
	a = ask_and_answer(1);
	cr_assert_eq(fake_host_nopen(&host), 1);
	cr_assert_eq(getsockname(host.sockets[0].fd, (struct sockaddr *)&a.from, &len), 0);
	answer(&a);
	run_briefly();
	cr_assert_eq(fake_host_nopen(&host), 0);
	ask_and_answer(2);
	close_all();
}

/* A second answer, perhaps a forged one, must not stay in the socket for the next question. */
Test(ares_spare, socket_that_holds_another_packet_is_no_spare)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	answer(&a);
	answer(&a);
	expect_answer();
	cr_assert_eq(fake_host_nopen(&host), 0);
	close_all();
}

/* What c-ares reads after it is nothing, and that is no error of the socket. */
Test(ares_spare, dropped_packet_does_not_cost_the_spare)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	make_answer((uint16_t)(id_of(&a) ^ 1), 0, NAME);
	send_from(server.udp, &a, m.bytes, m.len);
	run_briefly();
	cr_assert_eq(result.ncalls, 0);
	answer(&a);
	expect_answer();
	ask_and_answer(2);
	cr_assert_eq(host.nsockets, 1, "%u sockets were made", host.nsockets);
	close_all();
}

Test(ares_spare, spare_that_the_program_took_is_replaced)
{
	open_view(false);
	ask_and_answer(1);
	host.sockets[0].stolen = true;
	ask_and_answer(2);
	cr_assert_eq(host.nsockets, 2);
	close_all();
}
