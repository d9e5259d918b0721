// SPDX-License-Identifier: MIT
/*
 * test_racing_exec.c - what a program that is started while races are on is handed down. No test
 * starts one: they look at the table of descriptors right before, and exec fails.
 */
#include "tests/unit/racing_rig.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* A race under a number that exec leaves open. */
static int begin_inherited(uint32_t delay_ms)
{
	int fd = rig_begin(delay_ms);

	cr_assert_eq(fcntl(fd, F_SETFD, 0), 0);
	return fd;
}

static int exec_nothing(void)
{
	char name[] = "nothing", *argv[] = {name, NULL};

	return nbd_execv("/nonexistent", argv);
}

static int status_of(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void wins_by_the_second(int fd)
{
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_peer(fd), 2);
}

Test(racing_exec, settles_what_is_handed_down)
{
	int inherited, closed;

	rig_dead_and_alive();
	inherited = begin_inherited(NEVER_MS);
	closed = rig_begin(DELAY_MS);
	cr_assert_eq(exec_nothing(), -1);
	cr_expect_eq(errno, ENOENT);
	cr_expect(rig_is_tcp(inherited));
	cr_expect_not(racing_is(inherited));
	cr_expect_eq(fcntl(inherited, F_GETFD), 0);
	wins_by_the_second(closed);
	cr_expect_eq(rig_wait(inherited, POLLOUT, 0), 0);
	rig_all_gone();
}

Test(racing_exec, settles_by_the_duplicate_that_is_handed_down)
{
	int fd, copy;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	copy = nbd_dup(fd);
	cr_assert_eq(exec_nothing(), -1);
	cr_expect(rig_is_tcp(copy));
	cr_expect(rig_is_tcp(fd));
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	rig_all_gone();
}

/* Of another thread: it holds its own socket in any case. */
Test(racing_exec, leaves_sockets_that_block_alone)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct swap_id id;
	struct attempts *a;

	rig_dead_and_alive();
	rig_goal.family = AF_INET;
	rig_goal.ipv4 = true;
	rig_goal.port = race_port();
	a = attempts_new(&rig_goal);
	cr_assert_not_null(a);
	cr_assert_eq(swap_identify(fd, &id), 0);
	cr_assert_eq(racing_watch(fd, &id, a), 0);
	cr_assert_eq(exec_nothing(), -1);
	cr_expect(racing_is(fd));
	racing_unwatch(a);
	attempts_release(a);
}

/* The child's table is repaired, the parent's race goes on. */
Test(racing_exec, child_of_vfork_finds_its_own_socket)
{
	int fd;
	pid_t pid;

	rig_dead_and_alive();
	fd = begin_inherited(DELAY_MS);
	pid = vfork();
	if (pid == 0)
		_exit(exec_nothing() != -1 || errno != ENOENT ? 1 : !rig_is_tcp(fd));
	cr_expect_eq(status_of(pid), 0);
	cr_expect(racing_is(fd));
	wins_by_the_second(fd);
}

/* Standard input and output, mostly; the number itself is close-on-exec. */
Test(racing_exec, child_of_vfork_duplicates_its_own_socket)
{
	int fd;
	pid_t pid;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	pid = vfork();
	if (pid == 0) {
		_exit(nbd_dup2(fd, 700) != 700 || !rig_is_tcp(700)	 ? 1
		      : nbd_dup3(fd, 701, 0) != 701 || !rig_is_tcp(701)	 ? 2
		      : !rig_is_tcp(nbd_dup(fd))			 ? 3
		      : !rig_is_tcp(nbd_fcntl(fd, F_DUPFD, (void *)700)) ? 4
									 : 0);
	}
	cr_expect_eq(status_of(pid), 0);
	cr_expect(racing_is(fd));
	wins_by_the_second(fd);
}

Test(racing_exec, child_of_a_raw_fork_finds_its_own_socket)
{
	int fd;
	pid_t pid;

	rig_dead_and_alive();
	fd = begin_inherited(DELAY_MS);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(exec_nothing() != -1 || !rig_is_tcp(fd));
	cr_expect_eq(status_of(pid), 0);
	wins_by_the_second(fd);
}

static void *exec_in_a_table_of_its_own(void *arg)
{
	const int *fd = arg;

	if (nbd_unshare(CLONE_FILES) != 0 || exec_nothing() != -1)
		return NULL;
	return rig_is_tcp(*fd) ? arg : NULL;
}

Test(racing_exec, thread_with_a_table_of_its_own_finds_its_own_socket)
{
	pthread_t thread;
	void *ok = NULL;
	int fd;

	rig_dead_and_alive();
	fd = begin_inherited(DELAY_MS);
	cr_assert_eq(pthread_create(&thread, NULL, exec_in_a_table_of_its_own, &fd), 0);
	pthread_join(thread, &ok);
	cr_expect_not_null(ok);
	cr_expect(racing_is(fd));
	wins_by_the_second(fd);
}

/* What the program has put there behind the hooks stays there. */
Test(racing_exec, file_of_the_programs_stays_in_a_child_of_vfork)
{
	int file[2], fd;
	char byte = 'b';
	pid_t pid;

	cr_assert_eq(pipe(file), 0);
	cr_assert_eq(write(file[1], &byte, 1), 1);
	rig_dead_and_alive();
	fd = begin_inherited(DELAY_MS);
	pid = vfork();
	if (pid == 0) {
		sys_dup2(file[0], fd);
		(void)exec_nothing();
		_exit(sys_read(fd, &byte, 1) != 1 || byte != 'b');
	}
	cr_expect_eq(status_of(pid), 0);
	wins_by_the_second(fd);
}
