// SPDX-License-Identifier: MIT
/* io.c: the thread comes when there is work, does each thing once, and goes. */
#include "shim/io.h"

#include "shim/clock.h"
#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/sys.h"
#include "tests/unit/boot_clock.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct work {
	struct io_task task;
	sem_t done;
	pid_t tid;
	unsigned runs;
	sigset_t blocked;
};

static void do_work(struct io_task *task, uint64_t now_ms)
{
	struct work *work = (struct work *)task;

	(void)now_ms;
	work->tid = sys_gettid();
	work->runs++;
	pthread_sigmask(SIG_BLOCK, NULL, &work->blocked);
	sem_post(&work->done);
}

static void submit(struct work *work)
{
	memset(work, 0, sizeof *work);
	work->task.run = do_work;
	sem_init(&work->done, 0, 0);
	cr_assert_eq(process_check(), PROCESS_OWNER);
	cr_assert_eq(io_submit(&work->task), 0);
}

static void submit_and_wait(struct work *work)
{
	submit(work);
	sem_wait(&work->done);
}

static unsigned count_in(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

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

/* As the program would close them, past every hook. */
static void lose_all_descriptors(void)
{
	unsigned from = 0;

	for (int fd; (fd = private_fd_next(from, PRIVATE_FD_MAX - 1)) >= 0; from = (unsigned)fd + 1)
		sys_close(fd);
}

Test(io, descriptors_taken_away_by_the_program_are_replaced)
{
	struct work work;

	submit_and_wait(&work);
	lose_all_descriptors();
	submit_and_wait(&work);
	cr_expect_eq(work.runs, 1u);
}

/* Until the io thread sleeps, a task is handed over to it. */
static void run_on_this_thread(struct work *work)
{
	do {
		sem_init(&work->done, 0, 0);
		cr_assert_eq(io_run(&work->task, NULL), 0);
		sem_wait(&work->done);
	} while (work->tid != sys_gettid());
}

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

/* ---- timers and watches ---- */

static struct io_timer timer;
static struct work timer_work;
static int pair[2];

static void on_timer(void *arg, uint64_t now_ms)
{
	cr_expect_leq(timer.at_ms, now_ms);
	(void)arg;
	sem_post(&timer_work.done);
}

static void start_timer(struct io_task *task, uint64_t now_ms)
{
	(void)task;
	timer.fire = on_timer;
	io_timer_start(&timer, now_ms + 20);
}

Test(io, timer_fires)
{
	timer_work.task.run = start_timer;
	sem_init(&timer_work.done, 0, 0);
	process_check();
	io_submit(&timer_work.task);
	sem_wait(&timer_work.done);
}

static void start_timer_here(struct io_task *task, uint64_t now_ms)
{
	timer_work.tid = sys_gettid();
	start_timer(task, now_ms);
}

/* The io thread sleeps for longer than the timer. */
Test(io, timer_of_a_task_on_the_calling_thread_fires)
{
	timer_work.task.run = start_timer_here;
	process_check();
	run_on_this_thread(&timer_work);
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

	timer_work.task.run = start_long_timer;
	sem_init(&timer_work.done, 0, 0);
	process_check();
	io_submit(&timer_work.task);
	nanosleep(&nap_is_over, NULL);
	atomic_store(&boot_clock_ahead_s, 3600);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 50;
	cr_expect_eq(sem_timedwait(&timer_work.done, &until), 0);
}

static void start_timer_and_lose_all(struct io_task *task, uint64_t now_ms)
{
	start_timer(task, now_ms);
	lose_all_descriptors();
}

Test(io, timer_fires_though_the_program_took_the_descriptors)
{
	timer_work.task.run = start_timer_and_lose_all;
	sem_init(&timer_work.done, 0, 0);
	process_check();
	io_submit(&timer_work.task);
	sem_wait(&timer_work.done);
}

static uint64_t read_handle; /* the last one */

static void on_readable(void *arg, int handle, unsigned events, uint64_t now_ms)
{
	char c;

	(void)arg;
	(void)now_ms;
	cr_expect_eq(events, (unsigned)IO_READ);
	private_fd_lock();
	cr_expect_eq(sys_read(private_fd_number_locked(handle), &c, 1), 1);
	private_fd_unlock();
	io_watch(handle, 0, on_readable, NULL);
	read_handle = (uint64_t)handle;
	sem_post(&timer_work.done);
}

static void start_watch(struct io_task *task, uint64_t now_ms)
{
	(void)task;
	(void)now_ms;
	cr_expect_eq(io_watch(private_fd_adopt(pair[0]), IO_READ, on_readable, NULL), 0);
	cr_expect_eq(write(pair[1], "x", 1), 1);
}

Test(io, watch_reports_what_is_readable)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	timer_work.task.run = start_watch;
	sem_init(&timer_work.done, 0, 0);
	process_check();
	io_submit(&timer_work.task);
	sem_wait(&timer_work.done);
}

/* ---- a caller that waits in the place of the io thread ---- */

static volatile pid_t reader_tid;
static volatile bool answered;

static void on_answer(void *arg, int handle, unsigned events, uint64_t now_ms)
{
	reader_tid = sys_gettid();
	answered = true;
	on_readable(arg, handle, events, now_ms); /* posts timer_work.done */
}

static bool is_answered(const struct io_task *task)
{
	(void)task;
	return answered;
}

static unsigned watched_by; /* IO_THREAD, or 0 */

static void watch_answer(struct io_task *task, uint64_t now_ms)
{
	struct work *work = (struct work *)task;

	(void)now_ms;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	cr_expect_eq(io_watch(private_fd_adopt(pair[0]), IO_READ | watched_by, on_answer, NULL), 0);
	work->tid = sys_gettid();
	if (work->runs > 0) /* the answer comes at once */
		cr_expect_eq(write(pair[1], "x", 1), 1);
}

Test(io, answer_that_comes_at_once_is_handled_on_the_calling_thread)
{
	struct work first, work = {.task.run = watch_answer, .runs = 1};

	submit_and_wait(&first);
	run_on_this_thread(&first); /* the io thread sleeps */
	sem_init(&timer_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, is_answered), 0);
	cr_assert_eq(work.tid, sys_gettid());
	cr_expect(answered, "nobody waited for it");
	cr_expect_eq(reader_tid, sys_gettid());
}

Test(io, answer_that_takes_longer_is_handled_on_the_io_thread)
{
	struct work first, work = {.task.run = watch_answer, .runs = 0};

	submit_and_wait(&first);
	run_on_this_thread(&first);
	sem_init(&timer_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, is_answered), 0);
	cr_assert_eq(work.tid, sys_gettid());
	cr_assert_eq(write(pair[1], "x", 1), 1);
	sem_wait(&timer_work.done);
	cr_expect_neq(reader_tid, sys_gettid());
}

Test(io, answer_to_the_thread_alone_is_handled_there_though_a_caller_waits)
{
	struct work first, work = {.task.run = watch_answer, .runs = 1};

	watched_by = IO_THREAD;
	submit_and_wait(&first);
	run_on_this_thread(&first);
	sem_init(&timer_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, is_answered), 0);
	sem_wait(&timer_work.done);
	cr_expect_neq(reader_tid, sys_gettid());
}

/* ---- one of our descriptors, or the table, is not what it was ---- */

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
	sem_init(&timer_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, NULL), 0); /* expects io_watch() to succeed */
	sem_wait(&timer_work.done);
}

static void watch_and_lose_set(void)
{
	struct work first, work = {.task.run = watch_answer, .runs = 0};

	submit_and_wait(&first);
	run_on_this_thread(&first);
	sem_init(&timer_work.done, 0, 0);
	cr_assert_eq(io_run(&work.task, NULL), 0);
	lose_set_of_watches();
	submit_and_wait(&first);
	cr_assert_eq(write(pair[1], "x", 1), 1);
	sem_wait(&timer_work.done);
}

Test(io, watch_outlives_the_loss_of_its_set)
{
	watch_and_lose_set();
}

Test(io, watch_of_the_thread_alone_outlives_the_loss_of_the_sets)
{
	watched_by = IO_THREAD;
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
	cr_assert_eq(write(ends[1], "", 1), 1);
	cr_assert_eq(for_epoll_sets(add_member, ends[0]), 2u);
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
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	timer_work.task.run = start_watch;
	sem_init(&timer_work.done, 0, 0);
	process_check();
	io_submit(&timer_work.task);
	sem_wait(&timer_work.done);
	stray_data = read_handle;
	throw_out_stray();
}
