// SPDX-License-Identifier: MIT
/* io_run.c: a task on its caller's thread, and in a signal handler, while the io thread sleeps. */
#include "tests/unit/io_rig.h"

#include <errno.h>

Test(io, task_runs_on_the_calling_thread_while_the_io_thread_sleeps)
{
	struct work work;
	sigset_t now;

	submit_and_wait(&work);
	run_on_this_thread(&work);
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			cr_expect(sigismember(&work.blocked, sig), "signal %d is open", sig);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	cr_expect_not(sigismember(&now, SIGUSR1), "blocked for good");
}

/* ---- a caller that waits in the place of the io thread ---- */

static bool is_answered(const struct io_task *task)
{
	(void)task;
	return rig_answered;
}

Test(io, answer_that_comes_at_once_is_handled_on_the_calling_thread)
{
	struct work first, work = {.task.run = watch_answer, .runs = 1};

	submit_and_wait(&first);
	run_on_this_thread(&first); /* the io thread sleeps */
	sem_init(&rig_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, is_answered), 0);
	cr_assert_eq(work.tid, sys_gettid());
	cr_expect(rig_answered, "nobody waited for it");
	cr_expect_eq(rig_reader, sys_gettid());
}

Test(io, answer_that_takes_longer_is_handled_on_the_io_thread)
{
	struct work first, work = {.task.run = watch_answer, .runs = 0};

	submit_and_wait(&first);
	run_on_this_thread(&first);
	sem_init(&rig_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, is_answered), 0);
	cr_assert_eq(work.tid, sys_gettid());
	cr_assert_eq(write(rig_pair[1], "x", 1), 1);
	sem_wait(&rig_work.done);
	cr_expect_neq(rig_reader, sys_gettid());
}

Test(io, answer_to_the_thread_alone_is_handled_there_though_a_caller_waits)
{
	struct work first, work = {.task.run = watch_answer, .runs = 1};

	rig_watched_by = IO_THREAD;
	submit_and_wait(&first);
	run_on_this_thread(&first);
	sem_init(&rig_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, is_answered), 0);
	sem_wait(&rig_work.done);
	cr_expect_neq(rig_reader, sys_gettid());
}

/* ---- signal handlers ---- */

static int from_handler;
static struct work handler_work;

static void run_in_handler(int sig)
{
	(void)sig;
	from_handler = io_run(&handler_work.task, NULL);
}

static void raise_to_run(bool in_any_context)
{
	handler_work = (struct work){.task = {.run = do_work, .in_any_context = in_any_context}};
	sem_init(&handler_work.done, 0, 0);
	signal(SIGUSR1, run_in_handler);
	raise(SIGUSR1);
}

/* It may have interrupted malloc(). */
Test(io, handler_does_not_start_the_thread)
{
	unsigned threads = count_in("/proc/self/task");

	cr_assert_eq(process_check(), PROCESS_OWNER);
	raise_to_run(true);
	cr_expect_eq(from_handler, -EAGAIN);
	cr_expect_eq(handler_work.runs, 0u);
	cr_expect_eq(count_in("/proc/self/task"), threads);
	run_in_handler(0); /* by a plain call: there is a handler, and it does not run */
	cr_expect_eq(from_handler, 0);
	sem_wait(&handler_work.done);
}

Test(io, handler_has_the_thread_work_that_is_there)
{
	struct work first;

	submit_and_wait(&first);
	raise_to_run(true);
	cr_expect_eq(from_handler, 0);
	sem_wait(&handler_work.done);
	cr_expect_eq(handler_work.runs, 1u);
}

/* A lookup in a handler is on its own. */
Test(io, task_of_no_handler_starts_the_thread_everywhere)
{
#ifdef __SANITIZE_THREAD__
	cr_skip_test("the sanitizer takes pthread_create() in a handler for a mistake");
#endif
	cr_assert_eq(process_check(), PROCESS_OWNER);
	raise_to_run(false);
	cr_expect_eq(from_handler, 0);
	sem_wait(&handler_work.done);
}
