// SPDX-License-Identifier: MIT
/*
 * test_private_fd_set.c - epoll sets of private handles, and who may have them: other threads, the
 * children of a fork.
 */
#include "shim/private_fd.h"
#include "shim/process.h"
#include "tests/unit/private_fd_rig.h"
#include "tests/unit/sandbox.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

/*
 * Sets -------------------------------------------------------------------------------------------
 */

struct set {
	int epoll, member, peer;
};

static struct set new_set(void)
{
	struct set s;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	s.epoll = private_fd_epoll();
	s.member = private_fd_adopt(pair[0]);
	s.peer = pair[1];
	cr_assert_gt(s.epoll, 0);
	cr_assert_eq(private_fd_watch(s.epoll, s.member, EPOLLIN, 77), 0);
	return s;
}

/* Number of events at hand; data of the first. */
static int poll_set(const struct set *s, uint64_t *ret_data)
{
	struct epoll_event events[8];
	int n = sys_epoll_wait(number_of(s->epoll), events, 8, 0);

	if (n > 0)
		*ret_data = events[0].data.u64;
	return n;
}

/* On this thread alone. */
static void *look_without_epoll_ctl(void *arg)
{
	const struct set *s = arg;
	if (!sandbox_refuses(SYS_epoll_ctl, EPERM))
		return arg;
	return private_fd_number(s->epoll) >= 0 ? NULL : arg;
}

Test(private_fd, set_is_still_ours_where_a_sandbox_refuses_to_say)
{
	struct set s = new_set();
	pthread_t thread;
	void *bad;

	cr_assert_eq(pthread_create(&thread, NULL, look_without_epoll_ctl, &s), 0);
	pthread_join(thread, &bad);
	cr_assert_null(bad);
}

/* It lies in the set that a look at it has asked. */
Test(private_fd, member_speaks_for_its_set_until_the_turn_ends)
{
	struct set s = new_set();
	int member = private_fd_adopt(eventfd(0, 0)), fd = number_of(s.epoll);

	cr_assert_eq(private_fd_watch(s.epoll, member, EPOLLIN, 1), 0);
	private_fd_turn();
	number_of(member);
	sys_close(fd);
	cr_expect_eq(private_fd_number(s.epoll), fd, "checked twice in a turn");
	private_fd_turn();
	cr_expect_eq(private_fd_number(s.epoll), -EBADF);
}

Test(private_fd, turn_in_a_turn_is_that_one)
{
	cr_assert_eq(process_check(), PROCESS_OWNER);
	cr_expect(private_fd_turn_begin());
	cr_expect_not(private_fd_turn_begin());
	private_fd_turn_over();
	cr_expect_not(private_fd_in_turn());
}

Test(private_fd, watch_reports_and_stops)
{
	struct set s = new_set();
	uint64_t data = 0;

	cr_assert_eq(poll_set(&s, &data), 0);
	sys_write(s.peer, "x", 1);
	cr_assert_eq(poll_set(&s, &data), 1);
	cr_assert_eq(data, 77);
	cr_assert_eq(private_fd_watch(s.epoll, s.member, EPOLLIN | EPOLLOUT, 78), 0);
	cr_assert_eq(poll_set(&s, &data), 1);
	cr_assert_eq(data, 78);
	cr_assert_eq(private_fd_watch(s.epoll, s.member, 0, 0), 0);
	cr_assert_eq(private_fd_watch(s.epoll, s.member, 0, 0), 0);
	cr_assert_eq(poll_set(&s, &data), 0);
}

/* epoll files by number: without care the old registration would stay, out of reach. */
Test(private_fd, member_that_moves_is_watched_on_and_once)
{
	struct set s = new_set();
	uint64_t data = 0;

	private_fd_move(number_of(s.member));
	sys_write(s.peer, "x", 1);
	cr_assert_eq(poll_set(&s, &data), 1);
	cr_assert_eq(data, 77);
	cr_assert_eq(private_fd_watch(s.epoll, s.member, 0, 0), 0);
	cr_assert_eq(poll_set(&s, &data), 0);
}

Test(private_fd, epoll_that_moves_keeps_its_members)
{
	struct set s = new_set();
	uint64_t data = 0;

	private_fd_move(number_of(s.epoll));
	sys_write(s.peer, "x", 1);
	cr_assert_eq(poll_set(&s, &data), 1);
	cr_assert_eq(private_fd_watch(s.epoll, s.member, EPOLLIN, 79), 0);
}

/* All epoll sets have the same inode. */
Test(private_fd, epoll_of_the_program_under_the_number_is_told_apart)
{
	struct set s = new_set();
	int fd = number_of(s.epoll), other = sys_epoll_create();
	struct epoll_event event = {.events = EPOLLIN};

	sys_dup2(other, fd);
	cr_assert_eq(private_fd_number(s.epoll), -EBADF);
	/* Asking left nothing behind in the program's set. */
	cr_assert_eq(sys_epoll_ctl(other, EPOLL_CTL_MOD, number_of(s.member), &event), -ENOENT);
}

Test(private_fd, eventfd_of_the_program_under_the_number_is_told_apart)
{
	struct set s = new_set();
	int handle = private_fd_adopt(eventfd(0, 0)), fd = number_of(handle);

	cr_assert_eq(private_fd_watch(s.epoll, handle, EPOLLIN, 1), 0);
	number_of(handle);
	sys_dup2(eventfd(0, 0), fd);
	cr_assert_eq(private_fd_number(handle), -EBADF);
}

Test(private_fd, epoll_survives_raw_close_of_one_member)
{
	struct set s = new_set();
	int second = new_socket();

	cr_assert_eq(private_fd_watch(s.epoll, second, EPOLLIN, 2), 0);
	sys_close(number_of(s.member));
	number_of(s.epoll);
}

/*
 * fork --------------------------------------------------------------------------------------------
 */

static int in_fork(int (*body)(const struct set *s), const struct set *s)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body(s));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int epoll_number, member_number;

static int inherited_are_closed(const struct set *s)
{
	if (process_check() != PROCESS_OWNER)
		return 1;
	if (is_open(epoll_number) || is_open(member_number))
		return 2;
	if (private_fd_number(s->member) != -EBADF || private_fd_close(s->epoll) != -EBADF)
		return 3;
	return private_fd_count() == 0 && private_fd_next(0, ~0u) < 0 ? 0 : 4;
}

Test(private_fd, child_closes_what_it_inherited_at_its_first_check)
{
	struct set s = new_set();
	uint64_t data = 0;

	epoll_number = number_of(s.epoll);
	member_number = number_of(s.member);
	cr_assert_eq(in_fork(inherited_are_closed, &s), 0);
	/* The parent's set is the same description: it must have lost nothing. */
	sys_write(s.peer, "x", 1);
	cr_assert_eq(poll_set(&s, &data), 1);
}

static int own_file_survives(const struct set *s)
{
	(void)s;
	sys_dup2(2, member_number);
	process_check();
	return is_open(member_number) ? 0 : 1;
}

Test(private_fd, child_does_not_close_a_file_of_its_own_under_the_number)
{
	struct set s = new_set();

	member_number = number_of(s.member);
	cr_assert_eq(in_fork(own_file_survives, &s), 0);
}

static int unclean_child_shields_nothing(const struct set *s)
{
	(void)s;
	return private_fd_shields(member_number) || private_fd_next(0, ~0u) >= 0;
}

Test(private_fd, unclean_child_shields_nothing)
{
	struct set s = new_set();

	member_number = number_of(s.member);
	cr_assert_eq(in_fork(unclean_child_shields_nothing, &s), 0);
}

/*
 * Threads -----------------------------------------------------------------------------------------
 */

static _Atomic bool stop;

static void *sweep(void *arg)
{
	while (!atomic_load(&stop)) {
		int fd = private_fd_next(0, ~0u);

		if (fd >= 0)
			private_fd_move(fd);
	}
	return arg;
}

Test(private_fd, handles_stay_valid_while_another_thread_moves_numbers, .timeout = 60)
{
	struct set s = new_set();
	pthread_t thread;
	uint64_t data;

	cr_assert_eq(pthread_create(&thread, NULL, sweep, NULL), 0);
	for (int i = 0; i < 5000; i++) {
		char byte = 'x';
		int fd, n;

		sys_write(s.peer, &byte, 1);
		private_fd_lock();
		fd = private_fd_number_locked(s.member);
		n = fd < 0 ? fd : (int)sys_read(fd, &byte, 1);
		private_fd_unlock();
		cr_assert_eq(n, 1, "round %d: %d", i, n);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	sys_write(s.peer, "x", 1);
	cr_assert_eq(poll_set(&s, &data), 1);
}

/* The members of a set stand before it in the table, as they do from the io thread's second start
 * on. The child has closed everything and made eventfds, which share the set's inode. */
Test(private_fd, child_keeps_its_own_files_at_the_numbers_of_a_set)
{
	int pair[2], numbers[2], status;
	pid_t child;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	numbers[0] = private_fd_adopt(pair[0]);
	numbers[1] = private_fd_epoll();
	cr_assert_eq(private_fd_watch(numbers[1], numbers[0], EPOLLIN, 1), 0);
	numbers[0] = number_of(numbers[0]);
	numbers[1] = number_of(numbers[1]);
	child = fork();
	if (child == 0) {
		bool kept = true;

		for (int i = 0; i < 2; i++) {
			int fd = eventfd(0, 0);

			sys_dup2(fd, numbers[i]);
			sys_close(fd);
		}
		private_fd_reset();
		for (int i = 0; i < 2; i++)
			kept = kept && is_open(numbers[i]);
		_exit(kept ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0, "its files were closed");
}
