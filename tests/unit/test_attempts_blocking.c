// SPDX-License-Identifier: MIT
/* attempts.c: a race whose first attempt the caller of a blocking connect() waits for, and tells.
 */
#include "shim/counters.h"
#include "tests/unit/attempts_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

/* The caller of a blocking connect(): sleeps in a second one, and tells. The error, or 0. */
static int wait_first(void)
{
	struct sockaddr_in addr = race_server_at(2);
	int error = connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ? errno : 0;

	if (error == 0)
		cr_assert(attempts_connected(a, 0));
	else
		cr_assert_eq(attempts_failed(a, error), 0);
	return error;
}

static void error_is_of_the_first(bool blocking)
{
	const int retries = 1; /* 3 s */
	int error = 0;
	socklen_t len = sizeof error;

	race_black_hole(2);
	close(race_listen(3));
	candidate(2);
	candidate(3);
	first(blocking, DELAY_MS);
	cr_assert_eq(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof retries), 0);
	cr_assert_eq(attempts_start(a, private_fd_copy(fd), over, &goal), 0);
	if (blocking)
		cr_assert_eq(wait_first(), ETIMEDOUT);
	cr_assert_eq(wait_end(), ATTEMPTS_LOST);
	cr_assert(blocking || attempts_winner(a) == attempts_own(a));
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	cr_expect_eq(blocking ? attempts_error(a) : error, ETIMEDOUT);
	attempts_release(a);
}

Test(attempts, error_is_that_of_the_first_though_another_failed_before)
{
	error_is_of_the_first(false);
}

Test(attempts, error_of_a_blocking_socket_is_that_of_the_first)
{
	error_is_of_the_first(true);
}

Test(attempts, refused_blocking_socket_can_be_used_again)
{
	struct sockaddr_in addr;

	close(race_listen(2));
	candidate(2);
	candidate(3);
	begin(true, NEVER_MS);
	cr_assert_eq(wait_first(), ECONNREFUSED);
	cr_assert_eq(wait_end(), ATTEMPTS_LOST);
	cr_assert_eq(attempts_error(a), ECONNREFUSED);
	attempts_release(a);
	race_listen(4);
	addr = race_server_at(4);
	cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
}

/* What connect() says the second time depends on the kind of the first (attempt_result.h). */
Test(attempts, connected_socket_is_as_after_a_connect_of_its_kind)
{
	for (int blocking = 0; blocking < 2; blocking++) {
		struct sockaddr_in addr = race_server_at(2);
		int listener = race_listen(2);

		goal.n = 0;
		candidate(2);
		candidate(3);
		begin(blocking, NEVER_MS);
		if (blocking)
			cr_assert_eq(wait_first(), 0);
		cr_assert_eq(wait_end(), blocking ? ATTEMPTS_FIRST : ATTEMPTS_WON);
		cr_assert_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, blocking ? 0 : O_NONBLOCK);
		errno = 0;
		cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), -blocking);
		cr_assert_eq(errno, blocking ? EISCONN : 0);
		attempts_release(a);
		close(listener);
	}
}

/* Of a blocking socket the caller tells; were its failure not the next one's turn, that would be
 * NEVER_MS away. */
Test(attempts, blocking_refusal_starts_the_next_at_once)
{
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(true, NEVER_MS);
	cr_assert_eq(wait_first(), ECONNREFUSED);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	attempts_release(a);
}

/* What it says when the race is over changes nothing. */
Test(attempts, first_that_is_connected_too_late_has_not_won)
{
	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(true, DELAY_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_expect_not(attempts_connected(a, 0));
	cr_expect_eq(attempts_failed(a, ECONNRESET), 0);
	cr_expect_eq(attempts_end(a), ATTEMPTS_WON);
	cr_expect_neq(attempts_winner(a), attempts_own(a));
	attempts_release(a);
}

Test(attempts, blocking_first_that_wins_is_counted_once)
{
	uint64_t won = counters_read(COUNTER_WON_IPV4_FIRST);
	uint64_t stopped = counters_read(COUNTER_STOPPED);

	race_listen(2);
	candidate(2);
	candidate(3);
	begin(true, NEVER_MS);
	cr_assert_eq(wait_first(), 0);
	cr_expect_not(attempts_stop(a));
	attempts_release(a);
	wait_private(IO_DESCRIPTORS); /* the io thread, which may have been starting, is through */
	cr_expect_eq(counters_read(COUNTER_WON_IPV4_FIRST), won + 1);
	cr_expect_eq(counters_read(COUNTER_STOPPED), stopped);
}

/* How often the io thread has gone to sleep. */
static unsigned long io_sleeps(void)
{
	static const char field[] = "voluntary_ctxt_switches:";
	unsigned long sleeps = 0;
	DIR *tasks = opendir("/proc/self/task");

	cr_assert_not_null(tasks);
	for (struct dirent *d; (d = readdir(tasks)) != NULL;) {
		char path[300], text[2048] = "";
		int in;

		snprintf(path, sizeof path, "/proc/self/task/%s/status", d->d_name);
		in = open(path, O_RDONLY | O_CLOEXEC);
		if (in >= 0 && read(in, text, sizeof text - 1) > 0 &&
		    strstr(text, "\tnoblockdns\n") != NULL)
			sleeps = strtoul(strstr(text, field) + sizeof field - 1, NULL, 10);
		close(in);
	}
	closedir(tasks);
	return sleeps;
}

/* The caller is woken by the kernel alone: the first repetition of its SYN, after a second, is
 * answered, by when the io thread has come to rest. */
Test(attempts, blocking_first_that_wins_wakes_no_other_thread)
{
	unsigned long sleeps;
	int listener = race_black_hole(2);

	candidate(2);
	candidate(3);
	begin(true, NEVER_MS);
	cr_assert_eq(listen(listener, 2048), 0);
	usleep(500000);
	sleeps = io_sleeps();
	cr_assert_gt(sleeps, 0u);
	cr_assert_eq(wait_first(), 0);
	attempts_release(a);
	cr_expect_eq(io_sleeps(), sleeps);
	wait_private(IO_DESCRIPTORS);
	cr_expect_eq(io_sleeps(), sleeps);
}
