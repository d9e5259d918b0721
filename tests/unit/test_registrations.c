// SPDX-License-Identifier: MIT
/*
 * test_registrations.c - epoll sets and numbers that race: whatever way a number got into a set,
 * the winner is there, with the same events and data, and is reported as a socket that has
 * connected.
 */
#include "tests/unit/registrations_rig.h"

#include <sys/eventfd.h>

/*
 * Ways to be registered ---------------------------------------------------------------------------
 */

Test(registrations, level_triggered)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLIN), 0);
	cr_expect_eq(next(set, 0), 0);
	cr_expect_eq(next(set, PATIENCE_MS), EPOLLOUT);
	cr_expect_eq(next(set, 0), EPOLLOUT);
	cr_expect_eq(rig_peer(fd), 2);
}

Test(registrations, edge_triggered_comes_once)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLIN | EPOLLET | EPOLLRDHUP), 0);
	must_come_once(set, fd);
}

/* nginx. */
Test(registrations, edge_triggered_before_connect_comes_once)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_socket();
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLIN | EPOLLET | EPOLLRDHUP), 0);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	cr_expect_eq(next(set, 0), 0);
	must_come_once(set, fd);
}

Test(registrations, one_shot_comes_once_and_can_be_armed_again)
{
	int set = nbd_epoll_create1(0), fd;
	struct epoll_event event = wants(EPOLLOUT | EPOLLONESHOT);

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLONESHOT), 0);
	must_come_once(set, fd);
	cr_assert_eq(nbd_epoll_ctl(set, EPOLL_CTL_MOD, fd, &event), 0);
	cr_expect_eq(next(set, PATIENCE_MS), EPOLLOUT);
}

/* An unconnected socket is reported as hung up: the one shot was fired before connect(). */
Test(registrations, one_shot_that_was_fired_before_connect_stays_quiet)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_socket();
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLONESHOT), 0);
	cr_assert_eq(next(set, 0), EPOLLOUT | EPOLLHUP);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	cr_expect_eq(next(set, DELAY_MS * 10), 0);
	cr_expect_eq(rig_peer(fd), 2);
}

Test(registrations, exclusive)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLET | EPOLLEXCLUSIVE), 0);
	must_come_once(set, fd);
}

Test(registrations, nested)
{
	int inner = nbd_epoll_create1(0), outer = nbd_epoll_create(1), fd;

	rig_dead_and_alive();
	cr_assert_eq(enter(outer, inner, EPOLLIN), 0);
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(enter(inner, fd, EPOLLOUT | EPOLLET), 0);
	cr_expect_eq(next(outer, 0), 0);
	cr_expect_eq(next(outer, PATIENCE_MS), EPOLLIN);
	must_come_once(inner, fd);
}

Test(registrations, several_sets_while_it_races)
{
	int sets[3], fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	for (int i = 0; i < 3; i++) {
		sets[i] = nbd_epoll_create1(0);
		cr_assert_eq(enter(sets[i], fd, EPOLLOUT | EPOLLET), 0);
	}
	for (int i = 0; i < 3; i++)
		must_come_once(sets[i], fd);
}

Test(registrations, several_sets_before_connect)
{
	int sets[3], fd;

	rig_dead_and_alive();
	fd = rig_socket();
	for (int i = 0; i < 3; i++) {
		sets[i] = nbd_epoll_create1(0);
		cr_assert_eq(enter(sets[i], fd, EPOLLOUT | EPOLLET), 0);
	}
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	for (int i = 0; i < 3; i++)
		must_come_once(sets[i], fd);
}

Test(registrations, sets_after_many_others)
{
	int sets[200], fd;

	rig_dead_and_alive();
	for (int i = 0; i < 200; i++)
		sets[i] = nbd_epoll_create1(0);
	fd = rig_socket();
	for (int i = 198; i < 200; i++)
		cr_assert_eq(enter(sets[i], fd, EPOLLOUT | EPOLLET), 0);
	cr_assert_eq(next(sets[198], 0), EPOLLOUT | EPOLLHUP);
	cr_assert_eq(next(sets[199], 0), EPOLLOUT | EPOLLHUP);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	for (int i = 198; i < 200; i++)
		must_come_once(sets[i], fd);
}

Test(registrations, more_sets_than_are_kept_settle_it)
{
	int sets[REGISTRATIONS_MAX + 2], fd;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	for (unsigned i = 0; i < REGISTRATIONS_MAX + 2; i++) {
		sets[i] = nbd_epoll_create1(0);
		cr_assert_eq(enter(sets[i], fd, EPOLLOUT), 0);
	}
	cr_expect_not(racing_is(fd));
	cr_expect(rig_is_tcp(fd));
}

Test(registrations, set_that_has_gone_is_not_noted)
{
	struct registration_list list = {
		.n = 1, .r = {{.fd = rig_socket(), .epfd = 700, .events = EPOLLOUT}}};

	registrations_enter(&list);
	cr_expect_eq(registrations_notes[list.r[0].fd].set, 0);
}

/* io_uring does it without the hook's knowledge, as a raw system call does. */
Test(registrations, registration_past_the_hook_is_found)
{
	int set = nbd_epoll_create1(0), fd;
	struct epoll_event event = wants(EPOLLOUT | EPOLLET);

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
	must_come_once(set, fd);
}

Test(registrations, registration_past_the_hook_before_connect_is_found)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_socket();
	enter_past_the_hook(set, fd, EPOLLOUT | EPOLLET);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	must_come_once(set, fd);
}

static void enter_with_other_data(int set, int fd)
{
	struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 4711};

	cr_assert_eq(nbd_epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
}

/* Its next file is registered in the same set, with data of its own. */
Test(registrations, note_of_a_number_that_was_closed_is_not_believed)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_socket();
	enter_with_other_data(set, fd);
	cr_assert_eq(nbd_close(fd), 0);
	cr_assert_eq(rig_socket(), fd);
	enter_past_the_hook(set, fd, EPOLLOUT | EPOLLET);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	must_come_once(set, fd);
}

Test(registrations, note_of_a_number_that_was_replaced_is_not_believed)
{
	int set = nbd_epoll_create1(0), fd, next_file;

	rig_dead_and_alive();
	fd = rig_socket();
	enter_with_other_data(set, fd);
	next_file = rig_socket();
	cr_assert_eq(nbd_dup2(next_file, fd), fd);
	cr_assert_eq(nbd_close(next_file), 0);
	enter_past_the_hook(set, fd, EPOLLOUT | EPOLLET);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	must_come_once(set, fd);
}

Test(registrations, both_duplicates_are_registered)
{
	int set = nbd_epoll_create1(0), fd, copy;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	copy = nbd_dup(fd);
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLET), 0);
	cr_assert_eq(enter(set, copy, EPOLLOUT | EPOLLET), 0);
	cr_expect_eq(next(set, PATIENCE_MS), EPOLLOUT);
	cr_expect_eq(next(set, PATIENCE_MS), EPOLLOUT);
	cr_expect_eq(next(set, 50), 0);
}

/*
 * What epoll_ctl() says ---------------------------------------------------------------------------
 */

static void must_be_consistent(int set, int fd, bool registered)
{
	if (registered) {
		cr_expect_eq(error_of(set, EPOLL_CTL_ADD, fd), EEXIST);
		cr_expect_eq(error_of(set, EPOLL_CTL_MOD, fd), 0);
		cr_expect_eq(error_of(set, EPOLL_CTL_DEL, fd), 0);
	}
	cr_expect_eq(error_of(set, EPOLL_CTL_DEL, fd), ENOENT);
	cr_expect_eq(error_of(set, EPOLL_CTL_MOD, fd), ENOENT);
	cr_expect_eq(error_of(set, EPOLL_CTL_ADD, fd), 0);
}

Test(registrations, program_meets_no_errors_of_ours)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_socket();
	must_be_consistent(set, fd, false);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	must_be_consistent(set, fd, true);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	must_be_consistent(set, fd, true);
	cr_expect_eq(error_of(4711, EPOLL_CTL_ADD, fd), EBADF);
}

Test(registrations, one_that_was_taken_out_is_not_entered)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_socket();
	cr_assert_eq(enter(set, fd, EPOLLOUT), 0);
	cr_assert_eq(error_of(set, EPOLL_CTL_DEL, fd), 0);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(next(set, 0), 0);
	must_be_consistent(set, fd, false);
}

/* A note of a file that the number stood for before. */
Test(registrations, stale_note_enters_nothing)
{
	int set = nbd_epoll_create1(0), fd = eventfd(0, 0), there = fd;

	rig_dead_and_alive();
	cr_assert_eq(enter(set, fd, EPOLLIN), 0);
	close(fd);
	fd = rig_socket();
	if (fd != there) {
		cr_assert_eq(dup2(fd, there), there);
		close(fd);
	}
	cr_assert_eq(rig_begin_on(there, DELAY_MS), 0);
	cr_assert_eq(rig_wait(there, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(next(set, 0), 0);
}

Test(registrations, settled_race_is_registered_as_before)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLET), 0);
	racing_settle(fd);
	cr_expect_eq(next(set, 0), 0);
	must_be_consistent(set, fd, true);
}
