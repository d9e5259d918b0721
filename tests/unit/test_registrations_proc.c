// SPDX-License-Identifier: MIT
/*
 * test_registrations_proc.c - what the kernel says in /proc of who is in an epoll set, and what is
 * done where it cannot be read.
 */
#include "tests/unit/registrations_rig.h"
#include "tests/unit/sandbox.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/*
 * Without /proc -----------------------------------------------------------------------------------
 */

/* No file can be opened any more: to be called before there is an io thread. */
static void hide_files(void)
{
	cr_assert(sandbox_refuses(SYS_openat, ENOENT));
}

/* The plain connect goes on, and is registered as it was. */
static void must_not_race(int set, int fd)
{
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), -ENODATA);
	cr_expect_not(racing_is(fd));
	cr_expect(rig_is_tcp(fd));
	cr_expect_eq(error_of(set, EPOLL_CTL_MOD, fd), 0);
}

/* Nobody can say whether it has been disarmed. */
Test(registrations, without_proc_one_shot_does_not_race)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	hide_files();
	fd = rig_socket();
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLONESHOT), 0);
	must_not_race(set, fd);
}

Test(registrations, without_proc_one_past_the_hook_does_not_race)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	hide_files();
	fd = rig_socket();
	enter_past_the_hook(set, fd, EPOLLOUT);
	must_not_race(set, fd);
}

Test(registrations, without_proc_several_sets_do_not_race)
{
	int sets[] = {nbd_epoll_create1(0), nbd_epoll_create1(0)}, fd;

	rig_dead_and_alive();
	hide_files();
	fd = rig_socket();
	cr_assert_eq(enter(sets[0], fd, EPOLLOUT), 0);
	cr_assert_eq(enter(sets[1], fd, EPOLLOUT), 0);
	must_not_race(sets[0], fd);
	cr_expect_eq(error_of(sets[1], EPOLL_CTL_MOD, fd), 0);
}

static void over(struct attempts *a, uint64_t now_ms)
{
	(void)now_ms;
	(void)sys_futex_wake(attempts_end_word(a), 1, false);
}

Test(registrations, without_proc_a_socket_that_blocks_is_not_replaced)
{
	int set = nbd_epoll_create1(0), fd = socket(AF_INET, SOCK_STREAM, 0);
	struct attempts *a;
	struct swap_id id;

	rig_dead_and_alive();
	hide_files();
	enter_past_the_hook(set, fd, EPOLLOUT);
	a = rig_begin_blocking(fd, DELAY_MS, over, &id);
	cr_assert_eq(rig_wait_end(a), ATTEMPTS_WON);
	cr_expect_eq(racing_replace(a), -ECANCELED);
	cr_expect(swap_is(fd, &id));
	cr_expect_eq(racing_replace(a), -ECANCELED, "nor later");
	racing_unwatch(a);
	attempts_release(a);
	rig_all_gone();
}

Test(registrations, without_proc_what_is_noted_races)
{
	int set = nbd_epoll_create1(0), fd;

	rig_dead_and_alive();
	hide_files();
	fd = rig_socket();
	cr_assert_eq(enter(set, fd, EPOLLOUT | EPOLLET), 0);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	must_come_once(set, fd);
}

Test(registrations, without_proc_more_sets_than_are_kept_keep_it)
{
	int sets[REGISTRATIONS_MAX + 2], fd;

	rig_dead_and_alive();
	hide_files();
	fd = rig_begin(NEVER_MS);
	for (unsigned i = 0; i < REGISTRATIONS_MAX + 2; i++) {
		sets[i] = nbd_epoll_create1(0);
		cr_assert_eq(enter(sets[i], fd, EPOLLOUT), 0);
	}
	for (unsigned i = 0; i < REGISTRATIONS_MAX + 2; i++)
		cr_expect_eq(error_of(sets[i], EPOLL_CTL_MOD, fd), 0);
}

/*
 * fdinfo ------------------------------------------------------------------------------------------
 */

Test(registrations, kernel_is_read_among_many)
{
	struct registration r = {.fd = -1};
	int set = epoll_create1(0), fd = eventfd(0, 0);
	struct epoll_event event = wants(EPOLLIN | EPOLLET), other = {.events = EPOLLOUT};
	struct stat st;

	for (int i = 0; i < 300; i++)
		cr_assert_eq(epoll_ctl(set, EPOLL_CTL_ADD, dup(fd), &other), 0);
	cr_assert_eq(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(registrations_read(set, fd, st.st_ino, &r), 0);
	cr_expect_eq(r.fd, fd);
	cr_expect_eq(r.epfd, set);
	cr_expect_eq(r.data, DATA);
	cr_expect_eq(r.events & ~(uint32_t)(EPOLLERR | EPOLLHUP), (uint32_t)(EPOLLIN | EPOLLET));
	cr_expect_eq(registrations_read(set, fd + 4711, st.st_ino, &r), -ENOENT);
	cr_expect_eq(registrations_read(set, fd, st.st_ino + 1, &r), -ENOENT);
	cr_expect_eq(registrations_read(4711, fd, st.st_ino, &r), -ENODATA);
}

/* Thread sanitizer starts no threads in a child of its own thread's. */
#ifndef __SANITIZE_THREAD__
static int orphan_set, orphan_fd;

/* /proc/self stands for the main thread, which has no descriptors any more. */
static void *read_as_orphan(void *arg)
{
	struct registration r;
	char path[64];
	struct stat st;

	(void)arg;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", orphan_set);
	while (access(path, F_OK) == 0)
		usleep(1000);
	_exit(fstat(orphan_fd, &st) != 0 ||
	      registrations_read(orphan_set, orphan_fd, st.st_ino, &r) != 0 || r.data != DATA);
}

Test(registrations, kernel_is_read_when_the_main_thread_has_ended)
{
	pthread_t thread;
	int status = -1;
	pid_t pid;

	orphan_set = epoll_create1(0);
	orphan_fd = eventfd(0, 0);
	enter_past_the_hook(orphan_set, orphan_fd, EPOLLIN);
	pid = fork();
	if (pid == 0) {
		pthread_create(&thread, NULL, read_as_orphan, NULL);
		syscall(SYS_exit, 0); /* of this thread alone */
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}
#endif
