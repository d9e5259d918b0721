// SPDX-License-Identifier: MIT
/*
 * attempts.c and its parts: races over loopback, on the io thread. A listener answers, a port that
 * nobody listens on refuses, and a listener whose queue is full is a black hole.
 */
#include "shim/clock.h"
#include "shim/counters.h"
#include "tests/unit/attempts_rig.h"

#include <arpa/inet.h>
#include <sys/resource.h>

Test(attempts, first_attempt_wins_alone)
{
	int second;

	race_listen(2);
	second = race_listen(3);
	candidate(2);
	candidate(3);
	begin(false, NEVER_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_assert_eq(attempts_winner(a), attempts_own(a));
	cr_assert_eq(attempts_arg(a), &goal);
	cr_assert(!has_connection(second));
	attempts_release(a);
}

Test(attempts, second_wins_over_a_black_hole)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;

	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(false, DELAY_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_assert_neq(attempts_winner(a), attempts_own(a));
	cr_assert_eq(getpeername(number_of(attempts_winner(a)), (struct sockaddr *)&peer, &len), 0);
	cr_assert_eq(peer.sin_addr.s_addr, race_server_at(3).sin_addr.s_addr);
	attempts_release(a);
}

/* Were it not at once, the next attempt would be NEVER_MS away. */
Test(attempts, refusal_starts_the_next_at_once)
{
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(false, NEVER_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	attempts_release(a);
}

/* As connect() itself would have had it: the error is to be read from what is shown. */
Test(attempts, all_refused_leaves_the_error_to_be_read)
{
	int error = 0;
	socklen_t len = sizeof error;

	close(race_listen(2));
	candidate(2);
	candidate(3);
	candidate(4);
	begin(false, NEVER_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_LOST);
	cr_assert_eq(attempts_error(a), ECONNREFUSED);
	getsockopt(number_of(attempts_winner(a)), SOL_SOCKET, SO_ERROR, &error, &len);
	cr_assert_eq(error, ECONNREFUSED);
	attempts_release(a);
}

static void candidate_ipv6(const char *text)
{
	struct order_dest *dest = &goal.dests[goal.n++];
	struct in6_addr addr;

	cr_assert_eq(inet_pton(AF_INET6, text, &addr), 1);
	dest->family = IN6_IS_ADDR_V4MAPPED(&addr) ? AF_INET : AF_INET6;
	memcpy(dest->addr, &addr.s6_addr[dest->family == AF_INET ? 12 : 0],
	       dest->family == AF_INET ? 4 : 16);
}

/* History may have another address tried before the one that was asked for. */
Test(attempts, refused_at_once_is_the_error_of_the_address_asked_for)
{
	goal.family = AF_INET6;
	goal.ipv4 = true;
	goal.port = race_port();
	candidate_ipv6("fe80::1");	    /* has no scope: EINVAL */
	candidate_ipv6("::ffff:224.0.0.1"); /* ENETUNREACH */
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	for (unsigned reversed = 0; reversed < 2; reversed++) {
		a = attempts_new(&goal);
		cr_assert_not_null(a);
		a->race.order[0] = (unsigned char)reversed;
		a->race.order[1] = (unsigned char)!reversed;
		cr_expect_eq(attempts_first(a, fd), -EINVAL);
		attempts_release(a);
	}
}

Test(attempts, stop_ends_all_but_the_first)
{
	unsigned before;
	int listener;

	/* The io thread's own descriptors are there from here on. */
	listener = race_listen(2);
	candidate(2);
	candidate(3);
	begin(false, NEVER_MS);
	wait_end();
	attempts_release(a);
	wait_private(before = IO_DESCRIPTORS);

	goal.n = 0;
	close(listener);
	overs = 0;
	race_black_hole(2);
	race_black_hole(3);
	candidate(2);
	candidate(3);
	begin(false, DELAY_MS);
	wait_private(before + 2); /* the copy of the first, and the second */
	cr_assert(attempts_stop(a));
	cr_assert(!attempts_stop(a));
	cr_assert_eq(attempts_end(a), ATTEMPTS_STOPPED);
	wait_private(before + 1);
	attempts_release(a);
	wait_private(before);
	cr_assert_eq(overs, 0);
	cr_assert_eq(poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 0), 0,
		     "the program's own attempt has ended");
}

Test(attempts, server_on_this_machine_has_answered)
{
	race_listen(2);
	candidate(2);
	first(false, NEVER_MS);
	cr_assert(attempts_answered(a, fd));
	attempts_release(a);
}

Test(attempts, black_hole_has_not_answered)
{
	race_black_hole(2);
	candidate(2);
	first(false, NEVER_MS);
	cr_assert(!attempts_answered(a, fd));
	attempts_release(a);
}

Test(attempts, refusal_is_no_answer_and_stays_to_be_read)
{
	int error = 0;
	socklen_t len = sizeof error;

	close(race_listen(2));
	candidate(2);
	first(false, NEVER_MS);
	cr_assert(!attempts_answered(a, fd));
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	cr_assert_eq(error, ECONNREFUSED);
	attempts_release(a);
}

Test(attempts, late_address_does_no_harm_to_a_race_that_is_over)
{
	race_listen(2);
	candidate(2);
	goal.more = true;
	begin(false, NEVER_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	attempts_release(a);
}

/* From then on the race is counted. */
static void wait_over(void)
{
	while (atomic_load(&overs) == 0)
		usleep(1000);
	cr_assert_eq(attempts_end(a), ATTEMPTS_WON);
}

Test(attempts, each_connect_is_counted)
{
	race_listen(4);
	candidate(2); /* refuses */
	candidate(3); /* refuses */
	candidate(4);
	begin(false, NEVER_MS);
	wait_over();
	cr_expect_eq(counters_read(COUNTER_ATTEMPTS), 3u);
	cr_expect_eq(counters_read(COUNTER_FAILED), 2u);
	cr_expect_eq(counters_read(COUNTER_SAVED_MS), 0u, "the first had failed");
	attempts_release(a);
}

Test(attempts, no_more_is_saved_than_the_first_was_silent)
{
	uint64_t since_ms = clock_boot_ms();

	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(false, DELAY_MS);
	wait_over();
	cr_expect_geq(counters_read(COUNTER_SAVED_MS), DELAY_MS);
	cr_expect_leq(counters_read(COUNTER_SAVED_MS), clock_boot_ms() - since_ms);
	attempts_release(a);
}

#define RACES 1000

Test(attempts, thousand_at_once_all_win)
{
	static struct attempts *races[RACES];
	struct rlimit limit;
	unsigned before;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 4 * RACES)
		cr_skip_test("%lu descriptors are allowed", (unsigned long)limit.rlim_cur);
	race_listen(2);
	candidate(3); /* refuses */
	candidate(2);
	begin(false, NEVER_MS);
	wait_end();
	attempts_release(a);
	wait_private(before = IO_DESCRIPTORS);
	for (int i = 0; i < RACES; i++) {
		begin(false, NEVER_MS);
		races[i] = a;
		close(fd);
	}
	for (int i = 0; i < RACES; i++) {
		a = races[i];
		cr_assert_eq(wait_end(), ATTEMPTS_WON);
		attempts_release(a);
	}
	wait_private(before);
}
