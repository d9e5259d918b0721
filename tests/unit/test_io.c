// SPDX-License-Identifier: MIT
/* io.c: the thread comes when there is work, does each thing once, and goes. */
#include "tests/unit/boot_clock.h"
#include "tests/unit/io_rig.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>

Test(io, task_runs_on_another_thread_with_all_signals_blocked)
{
	struct work work;

	submit_and_wait(&work);
	cr_expect_neq(work.tid, sys_gettid());
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			cr_expect(sigismember(&work.blocked, sig), "signal %d is open", sig);
}

Test(io, one_thread_runs_all_tasks)
{
	struct work a, b;

	submit_and_wait(&a);
	submit_and_wait(&b);
	cr_expect_eq(a.tid, b.tid);
}

enum { SUBMITTERS = 8, TASKS = 2000 };

static void *submit_many(void *arg)
{
	struct work *works = arg;

	for (int i = 0; i < TASKS; i++)
		submit(&works[i]);
	return NULL;
}

Test(io, every_task_of_many_threads_runs_once)
{
	struct work *works = calloc(SUBMITTERS * TASKS, sizeof *works);
	pthread_t threads[SUBMITTERS];

	for (int t = 0; t < SUBMITTERS; t++)
		cr_assert_eq(pthread_create(&threads[t], NULL, submit_many, works + t * TASKS), 0);
	for (int t = 0; t < SUBMITTERS; t++)
		pthread_join(threads[t], NULL);
	for (int i = 0; i < SUBMITTERS * TASKS; i++) {
		sem_wait(&works[i].done);
		cr_expect_eq(works[i].runs, 1u);
	}
	free(works);
}

/* Tasks of one thread run in their order. */
static unsigned order[3];
static unsigned ran;

static void note(struct io_task *task, uint64_t now_ms)
{
	struct work *work = (struct work *)task;

	(void)now_ms;
	order[ran++] = work->runs;
	sem_post(&work->done);
}

static void hold_back(struct io_task *task, uint64_t now_ms)
{
	(void)now_ms;
	sem_wait(&((struct work *)task)->done); /* until all others are queued */
}

Test(io, tasks_run_in_the_order_of_submission)
{
	struct work first = {.task.run = hold_back}, works[3];

	sem_init(&first.done, 0, 0);
	process_check();
	io_submit(&first.task);
	for (unsigned i = 0; i < 3; i++) {
		works[i] = (struct work){.task.run = note, .runs = i};
		sem_init(&works[i].done, 0, 0);
		io_submit(&works[i].task);
	}
	sem_post(&first.done);
	sem_wait(&works[2].done);
	cr_expect(order[0] == 0 && order[1] == 1 && order[2] == 2, "%u %u %u", order[0], order[1],
		  order[2]);
}

Test(io, idle_thread_ends_with_its_descriptors_and_comes_again)
{
	unsigned threads = count_in("/proc/self/task"), fds = count_in("/proc/self/fd");
	struct work work;

	io_idle_ms = 50;
	submit_and_wait(&work);
	cr_expect_eq(count_in("/proc/self/task"), threads + 1);
	while (count_in("/proc/self/task") != threads) /* the test's own time-out ends this */
		usleep(1000);
	cr_expect_eq(count_in("/proc/self/fd"), fds);
	submit_and_wait(&work);
	cr_expect_eq(work.runs, 1u);
}

Test(io, first_task_starts_the_thread)
{
	unsigned threads = count_in("/proc/self/task");
	struct work work = {.task.run = do_work};

	sem_init(&work.done, 0, 0);
	process_check();
	cr_assert_eq(io_run(&work.task, NULL), 0);
	sem_wait(&work.done);
	cr_expect_neq(work.tid, sys_gettid());
	cr_expect_eq(count_in("/proc/self/task"), threads + 1);
}

/* ---- timers and watches ---- */

static struct io_timer timer;

static void on_timer(void *arg, uint64_t now_ms)
{
	cr_expect_leq(timer.at_ms, now_ms);
	(void)arg;
	sem_post(&rig_work.done);
}

static void start_timer(struct io_task *task, uint64_t now_ms)
{
	(void)task;
	timer.fire = on_timer;
	io_timer_start(&timer, now_ms + 20);
}

Test(io, timer_fires)
{
	rig_work.task.run = start_timer;
	sem_init(&rig_work.done, 0, 0);
	process_check();
	io_submit(&rig_work.task);
	sem_wait(&rig_work.done);
}

static void start_timer_here(struct io_task *task, uint64_t now_ms)
{
	rig_work.tid = sys_gettid();
	start_timer(task, now_ms);
}

/* The io thread sleeps for longer than the timer. */
Test(io, timer_of_a_task_on_the_calling_thread_fires)
{
	rig_work.task.run = start_timer_here;
	process_check();
	run_on_this_thread(&rig_work);
	cr_expect_eq(timer.place, 0u);
}

static void start_long_timer(struct io_task *task, uint64_t now_ms)
{
	(void)task;
	timer.fire = on_timer;
	timer.pressing = true;
	io_timer_start(&timer, now_ms + 100000);
}

/* While the machine is suspended epoll_wait() does not get on. */
Test(io, pressing_timer_fires_soon_after_a_suspend)
{
	const struct timespec nap_is_over = {.tv_nsec = 300000000};
	struct timespec until;

	rig_work.task.run = start_long_timer;
	sem_init(&rig_work.done, 0, 0);
	process_check();
	io_submit(&rig_work.task);
	nanosleep(&nap_is_over, NULL);
	atomic_store(&boot_clock_ahead_s, 3600);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 50;
	cr_expect_eq(sem_timedwait(&rig_work.done, &until), 0);
}

Test(io, watch_reports_what_is_readable)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rig_pair), 0);
	rig_work.task.run = start_watch;
	sem_init(&rig_work.done, 0, 0);
	process_check();
	io_submit(&rig_work.task);
	sem_wait(&rig_work.done);
}

/* ---- fork ---- */

static atomic_int at_work;

static void work_for_a_while(struct io_task *task, uint64_t now_ms)
{
	(void)task;
	(void)now_ms;
	atomic_store(&at_work, 1);
	usleep(10000);
	atomic_store(&at_work, 2);
}

/* A child never sees work half done: the locks of a library that is at work would stay taken. */
Test(io, fork_waits_for_the_work_at_hand)
{
	cr_assert_eq(process_check(), PROCESS_OWNER);
	cr_assert_eq(pthread_atfork(io_fork_prepare, io_fork_over, io_fork_over), 0);
	for (unsigned i = 0; i < 5; i++) {
		struct io_task task = {.run = work_for_a_while};
		struct work after;
		int status;
		pid_t pid;

		atomic_store(&at_work, 0);
		cr_assert_eq(io_submit(&task), 0);
		while (atomic_load(&at_work) == 0)
			;
		pid = fork();
		if (pid == 0)
			_exit(atomic_load(&at_work));
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_expect_eq(WEXITSTATUS(status), 2);
		submit_and_wait(&after); /* and the thread goes on */
		cr_expect_eq(after.runs, 1u);
	}
}

Test(io, forked_child_has_its_signals_and_a_thread_of_its_own)
{
	struct work work;
	sigset_t before = {0}, after = {0};
	int status;
	pid_t pid;

	submit_and_wait(&work);
	cr_assert_eq(pthread_atfork(io_fork_prepare, io_fork_over, io_fork_over), 0);
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	pid = fork();
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	if (pid == 0) {
		if (memcmp(&before, &after, sizeof before) != 0)
			_exit(1);
		submit_and_wait(&work);
		_exit(work.runs == 1 ? 0 : 2);
	}
	cr_expect(memcmp(&before, &after, sizeof before) == 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}
