// SPDX-License-Identifier: MIT
/*
 * io_rig.h - tasks for the io thread that say where they ran and how often, something for it to
 * watch, and a program that takes its descriptors away.
 */
#ifndef IO_RIG_H
#define IO_RIG_H

#include "shim/io.h"

#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/sys.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct work {
	struct io_task task;
	sem_t done;
	pid_t tid;
	unsigned runs;
	sigset_t blocked;
};

static inline void do_work(struct io_task *task, uint64_t now_ms)
{
	struct work *work = (struct work *)task;

	(void)now_ms;
	work->tid = sys_gettid();
	work->runs++;
	pthread_sigmask(SIG_BLOCK, NULL, &work->blocked);
	sem_post(&work->done);
}

static inline void submit(struct work *work)
{
	memset(work, 0, sizeof *work);
	work->task.run = do_work;
	sem_init(&work->done, 0, 0);
	cr_assert_eq(process_check(), PROCESS_OWNER);
	cr_assert_eq(io_submit(&work->task), 0);
}

static inline void submit_and_wait(struct work *work)
{
	submit(work);
	sem_wait(&work->done);
}

static inline unsigned count_in(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* As the program would close them, past every hook. */
static inline void lose_all_descriptors(void)
{
	unsigned from = 0;

	for (int fd; (fd = private_fd_next(from, PRIVATE_FD_MAX - 1)) >= 0; from = (unsigned)fd + 1)
		sys_close(fd);
}

/* Until the io thread sleeps, a task is handed over to it. */
static inline void run_on_this_thread(struct work *work)
{
	do {
		sem_init(&work->done, 0, 0);
		cr_assert_eq(io_run(&work->task, NULL), 0);
		sem_wait(&work->done);
	} while (work->tid != sys_gettid());
}

/* What waits for a byte that comes through a socket pair. */
static struct work rig_work;
static int rig_pair[2];
static uint64_t rig_handle; /* the last one that was read from */

static inline void on_readable(void *arg, int handle, unsigned events, uint64_t now_ms)
{
	char c;

	(void)arg;
	(void)now_ms;
	cr_expect_eq(events, (unsigned)IO_READ);
	private_fd_lock();
	cr_expect_eq(sys_read(private_fd_number_locked(handle), &c, 1), 1);
	private_fd_unlock();
	io_watch(handle, 0, on_readable, NULL);
	rig_handle = (uint64_t)handle;
	sem_post(&rig_work.done);
}

static inline void start_watch(struct io_task *task, uint64_t now_ms)
{
	(void)task;
	(void)now_ms;
	cr_expect_eq(io_watch(private_fd_adopt(rig_pair[0]), IO_READ, on_readable, NULL), 0);
	cr_expect_eq(write(rig_pair[1], "x", 1), 1);
}

static volatile pid_t rig_reader;
static volatile bool rig_answered;

static unsigned rig_watched_by; /* IO_THREAD, or 0 */

static inline void on_answer(void *arg, int handle, unsigned events, uint64_t now_ms)
{
	rig_reader = sys_gettid();
	rig_answered = true;
	on_readable(arg, handle, events, now_ms); /* posts rig_work.done */
}

static inline void watch_answer(struct io_task *task, uint64_t now_ms)
{
	struct work *work = (struct work *)task;

	(void)now_ms;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rig_pair), 0);
	cr_expect_eq(
		io_watch(private_fd_adopt(rig_pair[0]), IO_READ | rig_watched_by, on_answer, NULL),
		0);
	work->tid = sys_gettid();
	if (work->runs > 0) /* the answer comes at once */
		cr_expect_eq(write(rig_pair[1], "x", 1), 1);
}

#endif
