// SPDX-License-Identifier: MIT
/*
 * test_racing_blocking.c - a blocking socket that races stays under its number, and is watched for
 * what other threads do with it.
 */
#include "tests/unit/racing_rig.h"

#include <sys/epoll.h>

static struct attempts *a;
static struct swap_id id;

static void over(struct attempts *race, uint64_t now_ms)
{
	(void)now_ms;
	(void)sys_futex_wake(attempts_end_word(race), 1, false);
}

static int begin(uint32_t delay_ms)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a = rig_begin_blocking(fd, delay_ms, over, &id);
	return fd;
}

static enum attempts_end wait_end(void)
{
	return rig_wait_end(a);
}

static void leave(void)
{
	(void)attempts_stop(a);
	racing_unwatch(a);
	attempts_release(a);
	rig_all_gone();
}

Test(racing_blocking, winner_takes_the_place_with_its_flags)
{
	int fd, copy, set = nbd_epoll_create1(0);
	struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.u64 = 4711};

	rig_dead_and_alive();
	fd = begin(DELAY_MS);
	copy = nbd_dup(fd);
	cr_assert_eq(nbd_epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_assert_eq(racing_replace(a), 0);
	leave();
	cr_expect_eq(rig_peer(fd), 2);
	cr_expect_eq(rig_peer(copy), 2);
	cr_expect_eq(fcntl(fd, F_GETFL), O_RDWR);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(fcntl(copy, F_GETFD), 0);
	event.data.u64 = 0;
	cr_assert_eq(epoll_wait(set, &event, 1, PATIENCE_MS), 1);
	cr_expect_eq(event.events, EPOLLOUT);
	cr_expect_eq(event.data.u64, 4711);
}

/* The kernel's connect() sleeps on, too. */
Test(racing_blocking, goes_on_when_another_thread_closes)
{
	int fd;

	rig_dead_and_alive();
	fd = begin(DELAY_MS);
	cr_assert_eq(nbd_close(fd), 0);
	cr_expect_not(racing_is(fd));
	cr_expect_eq(wait_end(), ATTEMPTS_WON);
	cr_expect_eq(racing_replace(a), 0);
	leave();
	cr_expect_eq(fcntl(fd, F_GETFD), -1);
}

Test(racing_blocking, dup2_onto_it_stays)
{
	int fd, null = open("/dev/null", O_RDWR);
	char c;

	rig_dead_and_alive();
	fd = begin(DELAY_MS);
	cr_assert_eq(nbd_dup2(null, fd), fd);
	cr_expect_eq(wait_end(), ATTEMPTS_WON);
	cr_expect_eq(racing_replace(a), 0);
	leave();
	cr_expect_eq(read(fd, &c, 1), 0);
}

/* Past the hooks: the winner must not take the place of the program's file. */
Test(racing_blocking, raw_dup2_onto_is_left_alone)
{
	int fd, null = open("/dev/null", O_RDWR);
	char c;

	rig_dead_and_alive();
	fd = begin(DELAY_MS);
	cr_assert_eq(dup2(null, fd), fd);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_expect_eq(racing_replace(a), 0);
	leave();
	cr_expect_eq(read(fd, &c, 1), 0);
}

/* With the error that connect() is to say; and nobody has taken it away. */
Test(racing_blocking, shutdown_by_another_thread_ends_the_first_attempt)
{
	int fd;

	rig_dead_and_alive();
	fd = begin(NEVER_MS);
	cr_expect_eq(nbd_shutdown(fd, SHUT_RDWR), 0);
	cr_expect_eq(wait_end(), ATTEMPTS_STOPPED);
	cr_expect_eq(racing_replace(a), -ECANCELED);
	racing_unwatch(a);
	usleep(20000); /* a look by the io thread would have been before that */
	cr_expect_eq(rig_error(fd), ECONNRESET);
	leave();
}

/* Between the end of the race and the sleeper's turn: it is the winner that is settled on. */
Test(racing_blocking, settled_by_another_thread_when_it_is_won_shows_the_winner)
{
	int fd;

	rig_dead_and_alive();
	fd = begin(DELAY_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	racing_settle(fd);
	cr_expect_eq(rig_peer(fd), 2);
	cr_expect_eq(racing_replace(a), 0, "that has been done");
	leave();
}

/* Its first attempt cannot be ended any more: the child has it, too. */
Test(racing_blocking, fork_leaves_the_first_attempt_alone)
{
	int fd;

	rig_dead_and_alive();
	fd = begin(NEVER_MS);
	rig_exit_of_child(fork());
	cr_expect_eq(attempts_end(a), ATTEMPTS_STOPPED);
	cr_expect_eq(racing_replace(a), -ECANCELED);
	cr_expect(swap_is(fd, &id));
	cr_expect_eq(rig_wait(fd, POLLOUT, 0), 0, "it connects");
	leave();
}

/* Once that has failed the others are private to this process. */
Test(racing_blocking, fork_lets_the_race_go_on_without_its_first_attempt)
{
	rig_dead_and_alive();
	race_black_hole(3);
	rig_goal.n = 1;
	rig_candidate(3);
	(void)begin(NEVER_MS);
	cr_assert_eq(attempts_failed(a, ECONNREFUSED), 0);
	rig_exit_of_child(fork());
	cr_expect_eq(attempts_end(a), ATTEMPTS_RUNNING);
	leave();
}

/* The copy of the socket is no duplicate of the program's. */
Test(racing_blocking, number_that_was_a_duplicate_can_be_private)
{
	int fd, null;

	rig_dead_and_alive();
	null = open("/dev/null", O_RDWR);
	for (int n = 40; n < 60; n++)
		cr_assert_eq(nbd_dup2(null, n), n);
	for (int n = 40; n < 60; n++)
		cr_assert_eq(nbd_close(n), 0);
	nbd_close(null);
	fd = begin(NEVER_MS); /* watched, with a copy there */
	cr_expect_eq(fd, null);
	leave();
}

/* Between what the call has found and what it does. */
Test(racing_blocking, number_of_another_file_is_not_watched)
{
	int fd;

	rig_dead_and_alive();
	fd = begin(NEVER_MS);
	leave();
	cr_assert_eq(dup2(open("/dev/null", O_RDWR), fd), fd);
	cr_expect_eq(swap_copy(fd, &id), -EBADF);
	cr_expect_eq(racing_watch(fd, &id, a), -EBADF);
	cr_expect_not(racing_is(fd));
	rig_all_gone();
}

/* Its connect() returns with the error; a thread that asks meanwhile must not take it away. */
Test(racing_blocking, options_are_asked_of_the_socket_itself)
{
	int fd, on = 1, value = 0;
	socklen_t len = sizeof value;

	rig_dead_and_alive();
	fd = begin(DELAY_MS);
	cr_assert_eq(nbd_setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), 0);
	cr_assert_eq(nbd_getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
	cr_expect_eq(value, 1);
	cr_expect_eq(rig_peer(fd), 0);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_assert_eq(racing_replace(a), 0);
	leave();
	value = 0;
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
	cr_expect_eq(value, 1);
}
