// SPDX-License-Identifier: MIT
/*
 * test_private_fd.c - handles that outlive what a program does to their numbers.
 *
 * "The program" calls the kernel directly here (sys.h), or does what its hooks do.
 */
#include "shim/private_fd.h"
#include "shim/process.h"
#include "tests/unit/sandbox.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

static int new_socket(void)
{
	int handle = private_fd_socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert_gt(handle, 0, "private_fd_socket: %d", handle);
	return handle;
}

static int number_of(int handle)
{
	int fd = private_fd_number(handle);

	cr_assert_geq(fd, 0, "handle %#x: %d", handle, fd);
	return fd;
}

/* A soft limit, and back: what runs after a test (a leak checker) needs descriptors too. */
static rlim_t limit_descriptors(rlim_t soft)
{
	struct rlimit limit;
	rlim_t before;

	getrlimit(RLIMIT_NOFILE, &limit);
	before = limit.rlim_cur;
	limit.rlim_cur = soft;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

static bool is_open(int fd)
{
	return sys_fcntl(fd, F_GETFD, 0) >= 0;
}

Test(private_fd, number_is_high_and_close_on_exec)
{
	int fd = number_of(new_socket());

	cr_assert_geq(fd, 40);
	cr_assert_lt(fd, 64, "%d is past the first table, and enlarging it takes milliseconds", fd);
	cr_assert_eq(sys_fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
	cr_assert(private_fd_is(fd));
}

Test(private_fd, adopt_closes_the_low_number)
{
	int low = dup(2);
	int handle = private_fd_adopt(low);

	cr_assert_gt(handle, 0);
	cr_assert_not(is_open(low));
	cr_assert(is_open(number_of(handle)));
}

/* The program closed the number, and has it again, before it was moved. */
Test(private_fd, adopt_leaves_a_file_of_the_program_alone)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), foreign = open("/dev/null", O_RDONLY);
	struct stat was, now, null;

	cr_assert_eq(fstat(fd, &was), 0);
	cr_assert_eq(fstat(foreign, &null), 0);
	cr_assert_eq(sys_dup3(foreign, fd, 0), fd);
	cr_expect_eq(private_fd_adopt_seen(fd, &was), -EBADF);
	cr_assert(is_open(fd), "the program's descriptor was closed");
	cr_assert_eq(fstat(fd, &now), 0);
	cr_expect_eq(now.st_ino, null.st_ino);
	cr_expect_eq(private_fd_count(), 0u);
	cr_expect_not(is_open(40), "a copy of the program's file stayed open");
}

Test(private_fd, adopt_of_a_closed_number_is_ebadf)
{
	cr_assert_eq(private_fd_adopt(500), -EBADF);
	cr_assert_eq(private_fd_count(), 0);
}

Test(private_fd, tiny_limit_still_gives_a_number)
{
	rlim_t before = limit_descriptors(24);
	int fd = number_of(new_socket());

	limit_descriptors(before);
	cr_assert_geq(fd, 3);
	cr_assert_lt(fd, 24);
}

Test(private_fd, full_table_is_emfile)
{
	rlim_t before = limit_descriptors(24);
	int r = 0;

	for (int i = 0; i < 30 && r >= 0; i++)
		r = private_fd_socket(AF_UNIX, SOCK_STREAM, 0);
	limit_descriptors(before);
	cr_assert_eq(r, -EMFILE, "%d", r);
}

Test(private_fd, thousands_fit_and_go)
{
	const struct rlimit wide = {20000, 20000};
	static int handles[PRIVATE_FD_HANDLES];

	if (setrlimit(RLIMIT_NOFILE, &wide) != 0)
		cr_skip_test("no permission for 20,000 descriptors");
	for (int i = 0; i < PRIVATE_FD_HANDLES; i++)
		handles[i] = new_socket();
	cr_assert_eq(private_fd_socket(AF_UNIX, SOCK_STREAM, 0), -ENFILE);
	cr_assert_eq(private_fd_count(), PRIVATE_FD_HANDLES);
	for (int i = 0; i < PRIVATE_FD_HANDLES; i++)
		cr_assert_eq(private_fd_close(handles[i]), 0);
	cr_assert_eq(private_fd_count(), 0);
	new_socket();
}

Test(private_fd, close_frees_the_number_and_kills_the_handle)
{
	int handle = new_socket(), fd = number_of(handle);

	cr_assert_eq(private_fd_close(handle), 0);
	cr_assert_not(is_open(fd));
	cr_assert_not(private_fd_is(fd));
	cr_assert_eq(private_fd_number(handle), -EBADF);
	cr_assert_eq(private_fd_close(handle), -EBADF);
}

Test(private_fd, old_handle_does_not_reach_the_next_owner_of_its_slot)
{
	int old = new_socket(), fresh;

	private_fd_close(old);
	fresh = new_socket();
	cr_assert_neq(old, fresh);
	cr_assert_eq(private_fd_close(old), -EBADF);
	number_of(fresh);
}

Test(private_fd, raw_close_kills_the_handle)
{
	int handle = new_socket(), fd = number_of(handle);

	sys_close(fd);
	cr_assert_eq(private_fd_number(handle), -EBADF);
	cr_assert_not(private_fd_is(fd));
	cr_assert_eq(private_fd_count(), 0);
}

/* The number belongs to the program now: closing our handle must not close the program's file. */
Test(private_fd, raw_dup2_over_it_leaves_the_programs_file_alone)
{
	int handle = new_socket(), fd = number_of(handle);

	sys_dup2(2, fd);
	cr_assert_not(private_fd_shields(fd));
	cr_assert_eq(private_fd_close(handle), -EBADF);
	cr_assert(is_open(fd));
}

Test(private_fd, raw_socket_under_the_number_is_told_apart)
{
	int handle = new_socket(), fd = number_of(handle), other;

	sys_close(fd);
	other = sys_socket(AF_UNIX, SOCK_STREAM, 0);
	sys_dup2(other, fd);
	cr_assert_eq(private_fd_number(handle), -EBADF);
}

/* The kernel gives the number of a lost one to the next, before anybody has noticed the loss. */
Test(private_fd, number_of_a_lost_one_goes_to_the_next)
{
	int lost = new_socket(), fd = number_of(lost), next;

	sys_close(fd);
	next = new_socket();
	cr_assert_eq(number_of(next), fd);
	cr_assert_eq(private_fd_number(lost), -EBADF);
	cr_assert(private_fd_is(fd));
	cr_assert(private_fd_shields(fd));
	cr_assert_eq(private_fd_count(), 1);
}

Test(private_fd, move_keeps_handle_and_file)
{
	int pair[2], handle, old, now;
	char byte;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	handle = private_fd_adopt(pair[0]);
	old = number_of(handle);
	private_fd_move(old);
	now = number_of(handle);
	cr_assert_neq(now, old);
	cr_assert_not(is_open(old));
	cr_assert_eq(sys_fcntl(now, F_GETFD, 0), FD_CLOEXEC);
	cr_assert_eq(sys_write(pair[1], "x", 1), 1);
	cr_assert_eq(sys_read(now, &byte, 1), 1);
}

Test(private_fd, move_without_room_gives_the_number_up)
{
	int handle = new_socket(), fd = number_of(handle);
	rlim_t before = limit_descriptors(3);

	private_fd_move(fd);
	limit_descriptors(before);
	cr_assert_not(is_open(fd));
	cr_assert_eq(private_fd_number(handle), -EBADF);
}

Test(private_fd, next_walks_them_in_order)
{
	int a = number_of(new_socket()), b = number_of(new_socket());

	cr_assert_lt(a, b);
	cr_assert_eq(private_fd_next(0, ~0u), a);
	cr_assert_eq(private_fd_next((unsigned)a + 1, ~0u), b);
	cr_assert_eq(private_fd_next((unsigned)b + 1, ~0u), -1);
	cr_assert_eq(private_fd_next(0, (unsigned)a - 1), -1);
}

/*
 * Turns -------------------------------------------------------------------------------------------
 */

static void *number_elsewhere(void *arg)
{
	*(int *)arg = private_fd_number(*(int *)arg);
	return NULL;
}

/* A raw close during a turn is noticed by the next turn at the latest. */
Test(private_fd, next_turn_checks_again)
{
	int handle, fd;

	process_check();
	private_fd_turn();
	handle = new_socket();
	fd = number_of(handle);
	sys_close(fd);
	cr_assert_eq(private_fd_number(handle), fd, "checked twice in a turn");
	private_fd_turn();
	cr_assert_eq(private_fd_number(handle), -EBADF);
}

Test(private_fd, turn_is_of_one_thread_only)
{
	int handle, answer;
	pthread_t other;

	process_check();
	private_fd_turn();
	handle = answer = new_socket();
	sys_close(number_of(handle));
	cr_assert_eq(pthread_create(&other, NULL, number_elsewhere, &answer), 0);
	pthread_join(other, NULL);
	cr_assert_eq(answer, -EBADF);
	cr_assert_eq(private_fd_number(handle), -EBADF);
}

/* A number below the usual base, where the limit cuts it. */
Test(private_fd, limit_below_the_base_gives_a_number_below_it)
{
	rlim_t before = limit_descriptors(40);
	int fd = number_of(new_socket());

	limit_descriptors(before);
	cr_assert_geq(fd, 3);
	cr_assert_lt(fd, 40);
}

Test(private_fd, numbers_beyond_a_hundred_thousand_work)
{
	struct rlimit limit = {.rlim_cur = 200000, .rlim_max = 200000};
	int fd;

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		cr_skip_test("RLIMIT_NOFILE cannot be raised");
	for (fd = 0; fd < 120000; fd = sys_dup(2)) /* a busy program's table */
		cr_assert_geq(fd, 0);
	fd = number_of(new_socket());
	cr_assert_geq(fd, 120000);
	cr_assert(private_fd_is(fd));
}

/*
 * epoll -------------------------------------------------------------------------------------------
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
