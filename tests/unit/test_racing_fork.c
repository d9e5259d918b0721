// SPDX-License-Identifier: MIT
/*
 * test_racing_fork.c - children, and other threads, while races are on.
 */
#include "shim/racing_table.h"
#include "tests/unit/asleep.h"
#include "tests/unit/racing_rig.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int status_of(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

Test(racing_fork, child_finds_its_own_socket)
{
	int fd, before;
	pid_t pid;

	rig_dead_and_alive();
	before = count_descriptors();
	fd = rig_begin(DELAY_MS);
	pid = fork();
	if (pid == 0) {
		/* and nothing private but what it shared before, if that */
		_exit(!rig_is_tcp(fd)			 ? 1
		      : racing_is(fd)			 ? 2
		      : count_descriptors() > before + 1 ? 3
							 : 0);
	}
	cr_expect_eq(status_of(pid), 0);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_peer(fd), 2);
	rig_all_gone();
}

Test(racing_fork, child_that_is_used_again_can_race)
{
#ifdef __SANITIZE_ADDRESS__
	cr_skip_test("the fork copies a lock of the sanitizer's allocator that the new io thread "
		     "holds");
#endif
	int fd;
	pid_t pid;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	pid = fork();
	if (pid == 0) {
		if (process_check() != PROCESS_OWNER)
			_exit(1);
		nbd_close(fd);
		fd = rig_socket();
		if (rig_begin_on(fd, DELAY_MS) != 0)
			_exit(2);
		if (rig_wait(fd, POLLOUT, PATIENCE_MS) != POLLOUT)
			_exit(3);
		_exit(rig_peer(fd) == 2 ? 0 : 4);
	}
	cr_expect_eq(status_of(pid), 0);
}

Test(racing_fork, child_of_vfork_changes_nothing)
{
	int fd;
	pid_t pid;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	pid = vfork();
	if (pid == 0) {
		nbd_close(fd);
		nbd_dup2(0, fd);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	cr_expect(racing_is(fd));
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_peer(fd), 2);
}

/* Without the handlers of pthread_atfork(). */
Test(racing_fork, child_of_a_raw_fork_finds_its_own_socket_at_its_first_lookup)
{
	int fd;
	pid_t pid;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		racing_reset();
		_exit(!rig_is_tcp(fd));
	}
	cr_expect_eq(status_of(pid), 0);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
}

/* At work on the races until fork() is seen to wait for it. */
static _Atomic pid_t forker;
static atomic_bool at_work, done;

static void *work(void *arg)
{
	struct racing_session s;

	racing_open(&s);
	atomic_store(&at_work, true);
	for (int i = 0; i < 50 && !is_asleep(atomic_load(&forker)); i++)
		usleep(100);
	atomic_store(&done, true);
	racing_close_session(&s);
	return arg;
}

Test(racing_fork, fork_waits_for_who_is_at_work)
{
	pthread_t thread;
	pid_t pid;

	rig_dead_and_alive();
	rig_begin(NEVER_MS);
	atomic_store(&forker, gettid());
	pthread_create(&thread, NULL, work, NULL);
	while (!atomic_load(&at_work))
		sched_yield();
	pid = fork();
	if (pid == 0)
		_exit(!atomic_load(&done));
	cr_expect_eq(status_of(pid), 0);
	pthread_join(thread, NULL);
}

/* A handler of pthread_atfork() that runs while the races are held. */
static int closes;

static void close_it(void)
{
	nbd_close(closes);
}

Test(racing_fork, handlers_of_others_may_end_a_race, .timeout = 60)
{
	pid_t pid;

	rig_dead_and_alive();
	pthread_atfork(close_it, NULL, NULL);
	closes = rig_begin(NEVER_MS);
	pid = fork();
	if (pid == 0)
		_exit(fcntl(closes, F_GETFD) >= 0);
	cr_expect_eq(status_of(pid), 0);
	rig_all_gone();
}

/*
 * Threads -----------------------------------------------------------------------------------------
 */

static int settled;

static void *settle_soon(void *arg)
{
	(void)arg;
	usleep(30000);
	racing_settle(settled);
	return NULL;
}

/* The black hole opens when its queue is emptied; the SYN is sent again after a second. */
Test(racing_fork, sleeper_hears_of_the_own_socket_after_it_was_settled, .timeout = 60)
{
	pthread_t thread;
	int hole;

	hooks_resolve();
	cr_assert_eq(process_check(), PROCESS_OWNER);
	hole = race_black_hole(1);
	race_black_hole(2);
	rig_candidate(1);
	rig_candidate(2);
	settled = rig_begin(NEVER_MS);
	cr_assert_eq(pthread_create(&thread, NULL, settle_soon, NULL), 0);
	usleep(10000);
	cr_assert_eq(listen(hole, 64), 0);
	cr_expect_eq(rig_wait(settled, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_peer(settled), 1);
	pthread_join(thread, NULL);
	rig_all_gone();
}

#define THREADS 8
#define ROUNDS	40

/* One race, and one of the things that a program does meanwhile. */
static void one(unsigned what)
{
	static const int on = 1;
	int fd = rig_socket(), copy, peer;
	struct attempts *a = attempts_new(&rig_goal);
	struct swap_id id;

	cr_assert_not_null(a);
	cr_assert_eq(attempts_first(a, fd), -EINPROGRESS);
	cr_assert_eq(swap_identify(fd, &id), 0);
	cr_assert_eq(racing_begin(fd, &id, swap_copy(fd, &id), a), 0);
	switch (what % 6) {
	case 0:
		break;
	case 1:
		nbd_close(fd);
		return;
	case 2:
		copy = nbd_dup(fd);
		nbd_close(fd);
		fd = copy;
		break;
	case 3:
		racing_settle(fd);
		nbd_close(fd);
		return;
	case 4:
		nbd_setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
		break;
	case 5:
		usleep(DELAY_MS * 1000);
		nbd_dup2(0, fd);
		nbd_close(fd);
		return;
	}
	cr_expect_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT, "case %u", what % 6);
	peer = (int)rig_peer(fd);
	cr_expect_eq(peer, 2, "case %u: peer %d", what % 6, peer);
	nbd_close(fd);
}

static void *many(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < ROUNDS; i++)
		one(seed + i);
	return NULL;
}

Test(racing_fork, many_threads_race, .timeout = 120)
{
	pthread_t threads[THREADS];
	int before;

	rig_dead_and_alive();
	rig_goal.family = AF_INET;
	rig_goal.ipv4 = true;
	rig_goal.port = race_port();
	rig_goal.delay_ms = 10;
	before = count_descriptors();
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, many, (void *)(uintptr_t)(i * 7));
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	rig_all_gone();
	cr_expect_leq(count_descriptors(), before + IO_DESCRIPTORS);
}

/* All at once, each right, one io thread. */
Test(racing_fork, a_thousand_races_at_once, .timeout = 120)
{
	static int fds[1000];
	struct rlimit limit;
	int before;

	rig_dead_and_alive();
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	before = count_descriptors();
	for (int i = 0; i < 1000; i++)
		fds[i] = rig_begin(100);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(rig_wait(fds[i], POLLOUT, PATIENCE_MS), POLLOUT);
	for (int i = 0; i < 1000; i++) {
		cr_expect_eq(rig_peer(fds[i]), 2);
		nbd_close(fds[i]);
	}
	rig_all_gone();
	cr_expect_leq(count_descriptors(), before + IO_DESCRIPTORS);
}
