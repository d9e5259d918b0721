// SPDX-License-Identifier: MIT
/* attempts.c: the options that the sockets of a race have, and are closed with. */
#include "shim/clock.h"
#include "tests/unit/attempts_rig.h"

#include <fcntl.h>
#include <netinet/tcp.h>

static int linger_of(int number)
{
	struct linger linger = {.l_onoff = -1};
	socklen_t len = sizeof linger;

	cr_assert_eq(getsockopt(number, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
	return linger.l_onoff;
}

static void first_that_lingers(void)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 5};

	first(false, DELAY_MS);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
	cr_assert_eq(attempts_start(a, private_fd_copy(fd), over, &goal), 0);
}

/* The test has what is closed as well, and so can see what it was like. */
Test(attempts, first_that_has_lost_does_not_linger)
{
	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	first_that_lingers();
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_expect_eq(linger_of(number_of(attempts_winner(a))), 1);
	cr_expect_eq(linger_of(fd), 1, "before its end it is the program's");
	attempts_release(a);
	wait_private(IO_DESCRIPTORS);
	cr_expect_eq(linger_of(fd), 0);
}

Test(attempts, private_socket_that_has_lost_does_not_linger)
{
	int handle, kept;

	race_black_hole(2);
	race_black_hole(3);
	candidate(2);
	candidate(3);
	first_that_lingers();
	wait_private(IO_DESCRIPTORS + 2);
	while ((handle = atomic_load(&a->attempts[1].handle)) == 0)
		usleep(1000);
	private_fd_lock(); /* the options are copied under it */
	kept = fcntl(private_fd_number_locked(handle), F_DUPFD_CLOEXEC, 0);
	private_fd_unlock();
	cr_assert_eq(linger_of(kept), 1);
	cr_assert(attempts_stop(a));
	wait_private(IO_DESCRIPTORS + 1);
	cr_expect_eq(linger_of(kept), 0);
	cr_expect_eq(linger_of(fd), 1, "the first attempt goes on");
	attempts_release(a);
}

/* It takes some 60 us to make an attempt like the first: the option is set somewhere in them. */
#define OPTION_RACES 40

Test(attempts, option_set_while_an_attempt_starts_is_set_on_it)
{
	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	for (int i = 1; i <= OPTION_RACES; i++) {
		unsigned before;
		int got = 0;
		socklen_t len = sizeof got;

		begin(false, 2);
		before = i == 1 ? IO_DESCRIPTORS + 1 : private_fd_count();
		while (private_fd_count() <= before && attempts_end(a) == ATTEMPTS_RUNNING)
			;
		for (uint64_t now = clock_boot_ns(); clock_boot_ns() < now + (unsigned)i * 4000;)
			;
		cr_assert_eq(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &i, sizeof i), 0);
		attempts_option(a, IPPROTO_TCP, TCP_KEEPIDLE, &i, sizeof i);
		cr_assert_eq(wait_end(), ATTEMPTS_WON);
		cr_assert_eq(getsockopt(number_of(attempts_winner(a)), IPPROTO_TCP, TCP_KEEPIDLE,
					&got, &len),
			     0);
		cr_assert_eq(got, i);
		attempts_release(a);
		close(fd);
	}
}
