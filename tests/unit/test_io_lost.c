// SPDX-License-Identifier: MIT
/* io.c: what the program does to the io thread's descriptors, past every hook. */
#include "tests/unit/io_rig.h"

#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>

Test(io, descriptors_taken_away_by_the_program_are_replaced)
{
	struct work work;

	submit_and_wait(&work);
	lose_all_descriptors();
	submit_and_wait(&work);
	cr_expect_eq(work.runs, 1u);
}

Test(io, task_that_would_run_here_replaces_lost_descriptors)
{
	struct work work;

	submit_and_wait(&work);
	run_on_this_thread(&work);
	lose_all_descriptors();
	sem_init(&work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, NULL), 0);
	sem_wait(&work.done);
	cr_expect_neq(work.tid, sys_gettid(), "ran beside a thread that cannot be woken");
}

static struct io_timer timer;

static void on_timer(void *arg, uint64_t now_ms)
{
	(void)arg;
	cr_expect_leq(timer.at_ms, now_ms);
	sem_post(&rig_work.done);
}

static void start_timer_and_lose_all(struct io_task *task, uint64_t now_ms)
{
	(void)task;
	timer.fire = on_timer;
	io_timer_start(&timer, now_ms + 20);
	lose_all_descriptors();
}

Test(io, timer_fires_though_the_program_took_the_descriptors)
{
	rig_work.task.run = start_timer_and_lose_all;
	sem_init(&rig_work.done, 0, 0);
	process_check();
	io_submit(&rig_work.task);
	sem_wait(&rig_work.done);
}

/* ---- the set of watches, or the table ---- */

/* Of the two epoll sets, the one that was made last. */
static void lose_set_of_watches(void)
{
	char path[64], what[64];
	int set = -1, fd;

	for (unsigned from = 0; (fd = private_fd_next(from, PRIVATE_FD_MAX - 1)) >= 0;
	     from = (unsigned)fd + 1) {
		ssize_t len;

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		len = readlink(path, what, sizeof what);
		if (len > 0 && memmem(what, (size_t)len, "eventpoll", 9) != NULL)
			set = fd;
	}
	cr_assert_geq(set, 0);
	sys_close(set);
}

Test(io, task_finds_a_new_set_of_watches_when_the_program_took_the_old_one)
{
	struct work first, work = {.task.run = watch_answer, .runs = 1};

	submit_and_wait(&first);
	run_on_this_thread(&first);
	lose_set_of_watches();
	sem_init(&rig_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, NULL), 0); /* expects io_watch() to succeed */
	sem_wait(&rig_work.done);
}

static void watch_and_lose_set(void)
{
	struct work first, work = {.task.run = watch_answer, .runs = 0};

	submit_and_wait(&first);
	run_on_this_thread(&first);
	sem_init(&rig_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, NULL), 0);
	lose_set_of_watches();
	submit_and_wait(&first);
	cr_assert_eq(write(rig_pair[1], "x", 1), 1);
	sem_wait(&rig_work.done);
}

Test(io, watch_outlives_the_loss_of_its_set)
{
	watch_and_lose_set();
}

Test(io, watch_of_the_thread_alone_outlives_the_loss_of_the_sets)
{
	rig_watched_by = IO_THREAD;
	watch_and_lose_set();
}

static void *leave_table(void *unused)
{
	private_fd_leave_table();
	return unused;
}

/* This one may have been created by the one that left. */
Test(io, no_thread_stands_in_once_one_has_left_the_descriptor_table)
{
	struct work work;
	pthread_t thread;

	submit_and_wait(&work);
	run_on_this_thread(&work);
	cr_assert_eq(pthread_create(&thread, NULL, leave_table, NULL), 0);
	pthread_join(thread, NULL);
	for (int i = 0; i < 50; i++) {
		sem_init(&work.done, 0, 0);
		cr_assert_eq(io_run(&work.task, NULL), 0);
		sem_wait(&work.done);
		cr_expect_neq(work.tid, sys_gettid());
		usleep(1000); /* it falls asleep */
	}
}

/* ---- a member of the set that nobody watches ---- */

static bool not_ours[1024]; /* descriptors: the test framework has sets, too */

static bool remember(int set, int arg)
{
	(void)arg;
	return not_ours[set] = true;
}

/* Does something for each epoll set of ours; returns for how many it is true. */
static unsigned for_epoll_sets(bool (*what)(int set, int arg), int arg)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++) {
		char path[64], link[64] = "";

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (!not_ours[fd] && readlink(path, link, sizeof link - 1) > 0 &&
		    strstr(link, "[eventpoll]") != NULL)
			n += what(fd, arg);
	}
	return n;
}

static uint64_t stray_data = 1000; /* no handle is as large here */

static bool add_member(int set, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = stray_data};

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static bool has_member(int set, int fd)
{
	char path[64], line[128], wanted[32];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", set);
	snprintf(wanted, sizeof wanted, "tfd: %8d ", fd);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		found |= strncmp(line, wanted, strlen(wanted)) == 0;
	if (f != NULL)
		fclose(f);
	return found;
}

/* It is readable for ever, and must not keep the thread busy for ever. */
static void throw_out_stray(void)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(for_epoll_sets(add_member, ends[0]), 2u);
	cr_assert_eq(write(ends[1], "", 1), 1); /* now: both sets had to be there still */
	for (unsigned i = 0; i < 100000 && for_epoll_sets(has_member, ends[0]) > 0; i++)
		sched_yield();
	cr_expect_eq(for_epoll_sets(has_member, ends[0]), 0u);
}

Test(io, stray_member_of_the_sets_is_thrown_out)
{
	struct work work;

	for_epoll_sets(remember, 0);
	submit_and_wait(&work);
	throw_out_stray();
	submit_and_wait(&work);
	cr_expect_eq(work.runs, 1u);
}

/* As one whose watch could not be ended. */
Test(io, stray_member_of_a_handle_that_was_watched_is_thrown_out)
{
	for_epoll_sets(remember, 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rig_pair), 0);
	rig_work.task.run = start_watch;
	sem_init(&rig_work.done, 0, 0);
	process_check();
	io_submit(&rig_work.task);
	sem_wait(&rig_work.done);
	stray_data = rig_handle;
	throw_out_stray();
}
