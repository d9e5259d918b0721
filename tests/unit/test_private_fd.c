// SPDX-License-Identifier: MIT
/*
 * test_private_fd.c - handles that outlive what a program does to their numbers.
 *
 * "The program" calls the kernel directly here (sys.h), or does what its hooks do.
 */
#include "shim/private_fd.h"
#include "shim/process.h"
#include "tests/unit/private_fd_rig.h"

#include <criterion/criterion.h>
#include <pthread.h>

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
