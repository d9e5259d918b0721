// SPDX-License-Identifier: MIT
/*
 * test_hooks.c - the descriptor hooks beside private descriptors, and libc's functions before they
 * are known.
 *
 * The exported symbols are not linked in here, so close() is libc's and nbd_close() the hook.
 */
#include "shim/hooks.h"

#include "shim/private_fd.h"
#include "shim/process.h"
#include "tests/unit/asleep.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static int handle, number; /* a private descriptor */

static void make_private(void)
{
	hooks_resolve();
	handle = private_fd_socket(AF_UNIX, SOCK_STREAM, 0);
	number = private_fd_number(handle);
	cr_assert_geq(number, 0);
	errno = 0;
}

static bool is_open(int fd)
{
	return sys_fcntl(fd, F_GETFD, 0) >= 0;
}

/*
 * close -------------------------------------------------------------------------------------------
 */

Test(hooks, close_of_a_private_descriptor_succeeds_and_does_nothing, .init = make_private)
{
	errno = 4711;
	cr_assert_eq(nbd_close(number), 0);
	cr_assert_eq(nbd___close(number), 0);
	cr_assert_eq(errno, 4711);
	cr_assert_eq(private_fd_number(handle), number);
}

Test(hooks, close_of_the_programs_descriptor_closes, .init = make_private)
{
	int fd = dup(0);

	cr_assert_eq(nbd_close(fd), 0);
	cr_assert_not(is_open(fd));
	cr_assert_eq(nbd_close(fd), -1);
	cr_assert_eq(errno, EBADF);
	cr_assert_eq(nbd_close(-1), -1);
	cr_assert_eq(nbd_close(INT_MAX), -1);
}

/* The program closed ours with a raw system call and has a file of its own there now. */
Test(hooks, close_of_the_programs_file_under_our_number_closes_it, .init = make_private)
{
	sys_dup2(0, number);
	cr_assert_eq(nbd_close(number), 0);
	cr_assert_not(is_open(number));
}

Test(hooks, close_range_goes_around, .init = make_private)
{
	int below = fcntl(0, F_DUPFD, number - 1), above = fcntl(0, F_DUPFD, number + 1);

	cr_assert_eq(below, number - 1);
	cr_assert_eq(nbd_close_range((unsigned)below, UINT_MAX, 0), 0);
	cr_assert_not(is_open(below));
	cr_assert_not(is_open(above));
	cr_assert_eq(private_fd_number(handle), number);
}

Test(hooks, close_range_that_begins_and_ends_on_private_ones, .init = make_private)
{
	int middle = private_fd_socket(AF_UNIX, SOCK_STREAM, 0);
	int last = private_fd_number(private_fd_socket(AF_UNIX, SOCK_STREAM, 0));
	int between;

	private_fd_close(middle);
	between = fcntl(0, F_DUPFD, last - 1);
	cr_assert_eq(between, last - 1);
	cr_assert_eq(nbd_close_range((unsigned)number, (unsigned)last, 0), 0);
	cr_assert_not(is_open(between));
	cr_assert(is_open(number));
	cr_assert(is_open(last));
}

Test(hooks, close_range_keeps_cloexec_flag, .init = make_private)
{
	int fd = fcntl(0, F_DUPFD, number + 1);

	cr_assert_eq(nbd_close_range((unsigned)number, UINT_MAX, CLOSE_RANGE_CLOEXEC), 0);
	cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

Test(hooks, close_range_refuses_what_the_kernel_refuses, .init = make_private)
{
	cr_assert_eq(nbd_close_range(9, 8, 0), -1);
	cr_assert_eq(errno, EINVAL);
	errno = 0;
	cr_assert_eq(nbd_close_range(3, UINT_MAX, 1 << 20), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(private_fd_number(handle), number);
}

struct unshare_result {
	int fd;
	int ret;
	bool closed_here, private_here;
};

static void *unshare_and_close(void *arg)
{
	struct unshare_result *r = arg;

	r->ret = nbd_close_range((unsigned)number, UINT_MAX, CLOSE_RANGE_UNSHARE);
	r->closed_here = !is_open(r->fd);
	r->private_here = private_fd_number(handle) == number;
	return NULL;
}

/* The other threads' table stays as it is, and ours stays in both. */
Test(hooks, close_range_unshare_leaves_other_threads_alone, .init = make_private)
{
	struct unshare_result r = {.fd = fcntl(0, F_DUPFD, number + 1)};
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, unshare_and_close, &r), 0);
	pthread_join(thread, NULL);
	cr_assert_eq(r.ret, 0);
	cr_assert(r.closed_here);
	cr_assert(r.private_here);
	cr_assert(is_open(r.fd));
	cr_assert_eq(private_fd_number(handle), number);
}

static void *unshare_and_put_a_file_there(void *arg)
{
	bool *ok = arg;

	*ok = nbd_unshare(CLONE_FILES) == 0 && private_fd_left_table() &&
	      nbd_dup2(0, number) == number && private_fd_number(handle) == -EBADF &&
	      nbd_close(number) == 0 && !is_open(number);
	return NULL;
}

/* It is the thread's own table, so the thread gets the number; for all others nothing changes. */
Test(hooks, dup2_in_a_table_of_its_own_moves_nothing, .init = make_private)
{
	pthread_t thread;
	bool ok = false;

	cr_assert_eq(pthread_create(&thread, NULL, unshare_and_put_a_file_there, &ok), 0);
	pthread_join(thread, NULL);
	cr_assert(ok);
	cr_assert_eq(private_fd_number(handle), number);
	cr_assert_eq(private_fd_count(), 1);
}

Test(hooks, closefrom_goes_around, .init = make_private)
{
	int below = fcntl(0, F_DUPFD, number - 1), above = fcntl(0, F_DUPFD, number + 1);

	nbd_closefrom(below);
	cr_assert_not(is_open(below));
	cr_assert_not(is_open(above));
	cr_assert_eq(private_fd_number(handle), number);
}

/*
 * dup, fcntl --------------------------------------------------------------------------------------
 */

Test(hooks, dup2_onto_a_private_number_gets_it, .init = make_private)
{
	cr_assert_eq(nbd_dup2(0, number), number);
	cr_assert(is_open(number));
	cr_assert_neq(private_fd_number(handle), number);
	cr_assert_geq(private_fd_number(handle), 0);
	cr_assert_eq(errno, 0);
	cr_assert_eq(nbd_close(number), 0);
	cr_assert_not(is_open(number));
}

Test(hooks, dup3_onto_a_private_number_gets_it_with_its_flags, .init = make_private)
{
	cr_assert_eq(nbd_dup3(0, number, O_CLOEXEC), number);
	cr_assert_eq(fcntl(number, F_GETFD), FD_CLOEXEC);
	cr_assert_geq(private_fd_number(handle), 0);
}

Test(hooks, dup2_of_nothing_onto_a_private_number_leaves_it_free, .init = make_private)
{
	cr_assert_eq(nbd_dup2(700, number), -1);
	cr_assert_eq(errno, EBADF);
	cr_assert_not(is_open(number));
	cr_assert_geq(private_fd_number(handle), 0);
}

Test(hooks, private_descriptor_cannot_be_copied, .init = make_private)
{
	cr_assert_eq(nbd_dup(number), -1);
	cr_assert_eq(errno, EBADF);
	cr_assert_eq(nbd_dup2(number, 700), -1);
	cr_assert_eq(nbd___dup2(number, number), -1);
	cr_assert_eq(nbd_dup3(number, 700, 0), -1);
	cr_assert_eq(nbd_fcntl(number, F_DUPFD, NULL), -1);
	cr_assert_eq(nbd_fcntl64(number, F_DUPFD_CLOEXEC, NULL), -1);
	cr_assert_eq(nbd___fcntl(number, F_DUPFD, NULL), -1);
	cr_assert_not(is_open(700));
}

Test(hooks, flags_of_a_private_descriptor_cannot_be_changed, .init = make_private)
{
	cr_assert_eq(nbd_fcntl(number, F_GETFD, NULL), FD_CLOEXEC);
	cr_assert_eq(nbd_fcntl(number, F_SETFD, (void *)0), 0);
	cr_assert_eq(sys_fcntl(number, F_GETFD, 0), FD_CLOEXEC);
	cr_assert_eq(nbd_fcntl(number, F_SETFL, (void *)(long)O_NONBLOCK), 0);
	cr_assert_not(sys_fcntl(number, F_GETFL, 0) & O_NONBLOCK);
}

Test(hooks, fcntl_of_the_programs_descriptor_passes, .init = make_private)
{
	int fd = nbd_fcntl(0, F_DUPFD_CLOEXEC, (void *)100);

	cr_assert_geq(fd, 100);
	cr_assert_eq(nbd_fcntl64(fd, F_SETFD, (void *)0), 0);
	cr_assert_eq(fcntl(fd, F_GETFD), 0);
}

/* Two threads, dup2(x, y) and dup2(y, x); the first also pushes ours from number to number. */
static int crossed[2];

static void *cross(void *arg)
{
	bool first = arg == &crossed[0];
	int from = crossed[first], to = crossed[!first];

	for (int i = 0; i < 5000; i++) {
		int ours = first ? private_fd_number(handle) : -1;

		if (nbd_dup2(from, to) != to)
			return arg;
		if (first && (nbd_dup2(from, ours) != ours || nbd_close(ours) != 0))
			return arg;
	}
	return NULL;
}

Test(hooks, crossed_dup2_neither_hangs_nor_loses_ours, .init = make_private, .timeout = 60)
{
	pthread_t threads[2];
	void *bad;

	for (int i = 0; i < 2; i++)
		crossed[i] = dup(0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, cross, &crossed[i]);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &bad);
		cr_assert_null(bad);
	}
	cr_assert_geq(private_fd_number(handle), 0);
	cr_assert_eq(private_fd_count(), 1);
}

/* A thread that duplicates onto a number while ours may come there. */
#define COMES 60

static _Atomic pid_t duplicator;
static atomic_bool duplicated;

static void *duplicate(void *arg)
{
	atomic_store(&duplicator, gettid());
	if (nbd_dup2(0, COMES) != COMES)
		return arg;
	atomic_store(&duplicated, true);
	return NULL;
}

Test(hooks, dup2_waits_while_ours_may_come_to_its_number, .init = make_private, .timeout = 60)
{
	pthread_t thread;
	void *bad;

	cr_assert_not(is_open(COMES));
	private_fd_lock();
	cr_assert_eq(pthread_create(&thread, NULL, duplicate, &duplicator), 0);
	while (!atomic_load(&duplicated) &&
	       (atomic_load(&duplicator) == 0 || !is_asleep(atomic_load(&duplicator))))
		usleep(100);
	cr_expect_not(is_open(COMES), "duplicated while ours could come");
	private_fd_unlock();
	pthread_join(thread, &bad);
	cr_expect_null(bad);
	cr_expect(is_open(COMES));
}

/*
 * Children ----------------------------------------------------------------------------------------
 */

/* What CPython's subprocess does in the child, with and without close_range. */
static void close_all_hooked(void)
{
	for (int fd = 3; fd < 1024; fd++)
		nbd_close(fd);
	nbd_close_range(3, UINT_MAX, 0);
	nbd_closefrom(3);
	nbd_dup2(0, number);
}

Test(hooks, vfork_child_changes_nothing_of_the_parents, .init = make_private)
{
	pid_t pid = vfork();

	if (pid == 0) {
		close_all_hooked();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	cr_assert(private_fd_is(number));
	cr_assert_eq(private_fd_number(handle), number);
	cr_assert_eq(private_fd_count(), 1);
}

Test(hooks, forked_child_really_closes, .init = make_private)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		nbd_close(number);
		_exit(is_open(number));
	}
	waitpid(pid, &status, 0);
	cr_assert_eq(status, 0);
	cr_assert_eq(private_fd_number(handle), number);
}

/*
 * Before resolution -------------------------------------------------------------------------------
 */

/* One result of a descriptor function: value and errno. */
struct outcome {
	long value;
	int error;
};

#define OUTCOME(call)                                                                              \
	({                                                                                         \
		struct outcome o_;                                                                 \
		errno = 0;                                                                         \
		o_.value = (long)(call);                                                           \
		o_.error = errno;                                                                  \
		o_;                                                                                \
	})

#define CASES 33

static void early_functions(struct outcome ret[CASES])
{
	char name[] = "no-program", *argv[] = {name, NULL}, *envp[] = {NULL};
	int n = 0;

	ret[n++] = OUTCOME(real_close(-1));
	ret[n++] = OUTCOME(real_close(700));
	ret[n++] = OUTCOME(real_dup(700));
	ret[n++] = OUTCOME(real_close(real_dup(0)));
	ret[n++] = OUTCOME(real_dup2(0, 700));
	ret[n++] = OUTCOME(real_dup2(700, 700));
	ret[n++] = OUTCOME(real_dup2(701, 701));
	ret[n++] = OUTCOME(real_dup2(701, 702));
	ret[n++] = OUTCOME(real_dup2(0, -1));
	ret[n++] = OUTCOME(real_dup3(0, 700, O_CLOEXEC));
	ret[n++] = OUTCOME(real_dup3(0, 0, 0));
	ret[n++] = OUTCOME(real_dup3(0, 700, 1));
	ret[n++] = OUTCOME(real_fcntl(700, F_GETFD, NULL));
	ret[n++] = OUTCOME(real_fcntl(701, F_GETFD, NULL));
	ret[n++] = OUTCOME(real_fcntl(700, 4711, NULL));
	ret[n++] = OUTCOME(real_fcntl64(700, F_GETFL, NULL));
	ret[n++] = OUTCOME(real_fcntl(number, F_GETOWN, NULL));
	ret[n++] = OUTCOME(real_fcntl(701, F_GETOWN, NULL));
	ret[n++] = OUTCOME(real_close_range(700, 700, 0));
	ret[n++] = OUTCOME(real_close_range(5, 4, 0));
	ret[n++] = OUTCOME(real_close_range(700, 700, 4711));
	ret[n++] = OUTCOME(real_close(700));
	ret[n++] = OUTCOME(real_execve("/nonexistent", argv, envp));
	ret[n++] = OUTCOME(real_execve("/", argv, envp));
	ret[n++] = OUTCOME(real_execve("", argv, envp));
	ret[n++] = OUTCOME(real_execv("/nonexistent", argv));
	ret[n++] = OUTCOME(real_fexecve(-1, argv, envp));
	ret[n++] = OUTCOME(real_fexecve(701, argv, envp));
	ret[n++] = OUTCOME(real_fexecve(number, argv, envp));
	ret[n++] = OUTCOME(real_fexecve(number, NULL, envp));
	ret[n++] = OUTCOME(real_fexecve(number, argv, NULL));
	ret[n++] = OUTCOME(real_execveat(AT_FDCWD, "nonexistent", argv, envp, 0));
	ret[n++] = OUTCOME(real_execveat(701, "nonexistent", argv, envp, 4711));
	cr_assert_eq(n, CASES);
}

/* F_GETOWN of a process group is a small negative number, which the bare call makes an error. */
Test(hooks, early_functions_answer_as_libcs)
{
	struct outcome early[CASES], late[CASES];

	number = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(fcntl(number, F_SETOWN, -getpgrp()), 0);
	early_functions(early);
	hooks_resolve();
	cr_assert_eq((void *)real_close, (void *)close);
	early_functions(late);
	for (int i = 0; i < CASES; i++) {
		cr_assert_eq(early[i].value, late[i].value, "case %d: early %ld, libc %ld", i,
			     early[i].value, late[i].value);
		cr_assert_eq(early[i].error, late[i].error, "case %d: early errno %d, libc %d", i,
			     early[i].error, late[i].error);
	}
}

Test(hooks, early_closefrom_closes)
{
	int fd = fcntl(0, F_DUPFD, 900);

	real_closefrom(900);
	cr_assert_not(is_open(fd));
}

Test(hooks, name_function_that_is_called_early_finds_libcs)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *res = NULL;

	cr_assert_neq((void *)real_getaddrinfo, (void *)getaddrinfo);
	cr_assert_eq(real_getaddrinfo("192.0.2.1", NULL, &hints, &res), 0);
	freeaddrinfo(res);
	cr_assert_eq((void *)real_getaddrinfo, (void *)getaddrinfo);
}

Test(hooks, search_in_path_that_is_called_early_finds_libcs)
{
	char name[] = "no-program", *argv[] = {name, NULL};

	cr_assert_neq((void *)real_execvp, (void *)execvp);
	cr_assert_eq(real_execvp("no-program", argv), -1);
	cr_assert_eq(errno, ENOENT);
	cr_assert_eq((void *)real_execvp, (void *)execvp);
}

Test(hooks, resolution_keeps_errno)
{
	errno = 4711;
	hooks_resolve();
	cr_assert_eq(errno, 4711);
}
