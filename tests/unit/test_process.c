// SPDX-License-Identifier: MIT
/*
 * test_process.c - fork, vfork and clone told apart, and the clean-up done once.
 *
 * Each test is a process of its own (Criterion forks), in which nothing has been checked yet.
 */
#include "shim/private_fd.h"
#include "shim/process.h"

#include <criterion/criterion.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* ThreadSanitizer makes a fork of vfork, cannot follow a bare clone, nor threads of a forked child.
 */
static void skip_under_tsan(void)
{
#ifdef __SANITIZE_THREAD__
	cr_skip_test("ThreadSanitizer cannot follow such children");
#endif
}

/* Exit status of a forked child that runs `body`. */
static int in_fork(int (*body)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int check(void)
{
	return (int)process_check();
}

static int peek(void)
{
	return (int)process_peek();
}

static int clean(void)
{
	return process_is_clean();
}

Test(process, first_check_owns_and_peek_agrees)
{
	cr_assert_not(process_is_clean());
	cr_assert_eq(process_peek(), PROCESS_FOREIGN);
	cr_assert_eq(process_check(), PROCESS_OWNER);
	cr_assert(process_is_clean());
	cr_assert_eq(process_peek(), PROCESS_OWNER);
}

Test(process, forked_child_is_foreign_to_peek)
{
	process_check();
	cr_assert_eq(in_fork(peek), PROCESS_FOREIGN);
	cr_assert_eq(in_fork(clean), 0);
}

Test(process, forked_child_owns_after_check)
{
	process_check();
	cr_assert_eq(in_fork(check), PROCESS_OWNER);
}

static int check_then_peek_and_fork(void)
{
	if (process_check() != PROCESS_OWNER || process_peek() != PROCESS_OWNER)
		return 99;
	return in_fork(check) == PROCESS_OWNER && in_fork(peek) == PROCESS_FOREIGN ? 0 : 98;
}

Test(process, grandchild_starts_over)
{
	process_check();
	cr_assert_eq(in_fork(check_then_peek_and_fork), 0);
}

Test(process, child_of_a_parent_that_never_checked_owns)
{
	cr_assert_eq(in_fork(check), PROCESS_OWNER);
}

/* A filter that lets read, write and exit through and kills for anything else. */
static int peek_under_seccomp(void)
{
	enum process_state state;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		return 97;
	state = process_peek();
	syscall(SYS_exit, (int)state);
	return 96;
}

Test(process, forked_child_learns_it_without_a_system_call)
{
	process_check();
	cr_assert_eq(in_fork(peek_under_seccomp), PROCESS_FOREIGN);
}

static volatile int result;

/* vfork()'s child shares variables with us, so it can leave its answer in one. */
static int in_vfork(int (*body)(void))
{
	pid_t pid;

	result = -1;
	pid = vfork();
	if (pid == 0) {
		result = body();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return result;
}

Test(process, vfork_child_is_foreign, .init = skip_under_tsan)
{
	process_check();
	cr_assert_eq(in_vfork(check), PROCESS_FOREIGN);
	cr_assert_eq(in_vfork(peek), PROCESS_FOREIGN);
	cr_assert_eq(process_check(), PROCESS_OWNER);
}

/* Else the parent would be foreign in its own memory for ever. */
Test(process, vfork_child_that_checks_first_makes_nothing, .init = skip_under_tsan)
{
	cr_assert_eq(in_vfork(check), PROCESS_FOREIGN);
	cr_assert_null(process_page);
	cr_assert_eq(process_check(), PROCESS_OWNER);
}

static int vfork_before_clean_up(void)
{
	if (in_vfork(check) != PROCESS_FOREIGN || process_is_clean())
		return 99;
	return process_check() == PROCESS_OWNER ? 0 : 98;
}

Test(process, vfork_child_of_an_unclean_child_cleans_nothing, .init = skip_under_tsan)
{
	process_check();
	cr_assert_eq(in_fork(vfork_before_clean_up), 0);
}

static int clone_main(void *arg)
{
	(void)arg;
	result = (int)process_check();
	return 0;
}

Test(process, clone_with_shared_memory_is_foreign, .init = skip_under_tsan)
{
	static _Alignas(16) char stack[65536];

	process_check();
	result = -1;
	waitpid(clone(clone_main, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL), NULL, 0);
	cr_assert_eq(result, PROCESS_FOREIGN);
}

Test(process, check_keeps_errno)
{
	errno = 4711;
	process_check();
	cr_assert_eq(errno, 4711);
}

static void *check_and_use(void *arg)
{
	pthread_barrier_wait(arg);
	if (process_check() != PROCESS_OWNER)
		return NULL;
	return (void *)(intptr_t)private_fd_socket(AF_UNIX, SOCK_STREAM, 0);
}

/* A second clean-up would take away what a thread made after the first. */
static int race_of_eight(void)
{
	pthread_t threads[8];
	pthread_barrier_t barrier;
	int bad = 0;

	pthread_barrier_init(&barrier, NULL, 8);
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, check_and_use, &barrier);
	for (int i = 0; i < 8; i++) {
		void *handle = NULL;

		pthread_join(threads[i], &handle);
		if (private_fd_number((int)(intptr_t)handle) < 0)
			bad++;
	}
	return bad;
}

Test(process, eight_threads_of_a_child_clean_up_once, .init = skip_under_tsan)
{
	process_check();
	private_fd_socket(AF_UNIX, SOCK_STREAM, 0);
	for (int i = 0; i < 50; i++)
		cr_assert_eq(in_fork(race_of_eight), 0);
}

Test(process, eight_threads_of_a_fresh_process_make_one_page, .init = skip_under_tsan)
{
	for (int i = 0; i < 50; i++)
		cr_assert_eq(in_fork(race_of_eight), 0);
}

static int check_with_everything_locked(void)
{
	if (process_check() != PROCESS_OWNER)
		return 99;
	return private_fd_socket(AF_UNIX, SOCK_STREAM, 0) > 0 ? 0 : 98;
}

/* As if another thread had been inside when this one forked. */
Test(process, locks_held_at_fork_are_free_in_the_child, .timeout = 60)
{
	int r;

	process_check();
	private_fd_lock();
	r = in_fork(check_with_everything_locked);
	private_fd_unlock();
	cr_assert_eq(r, 0);
}
