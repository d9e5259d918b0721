// SPDX-License-Identifier: MIT
/*
 * test_swap.c - placeholders, and what sleeps on them.
 */
#include "shim/swap.h"

#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/sleepers.h"
#include "tests/unit/asleep.h"
#include "tests/unit/sandbox.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#define IO_DESCRIPTORS 4 /* the io thread's own (io.h) */

static struct swap_placeholder placeholder;
static int fd;	   /* the program's number, with the placeholder */
static int winner; /* private number of what will be there; writable, not readable */
static int other;  /* its other end */

static void install(void)
{
	int pair[2];

	cr_assert_eq(process_check(), PROCESS_OWNER);
	cr_assert_eq(swap_placeholder_make(&placeholder), 0);
	fd = dup(placeholder.end);
	swap_placeholder_drop(&placeholder);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	winner = pair[0];
	other = pair[1];
}

static void wake(int peer, int end)
{
	if (sleepers_wake(peer, end))
		sleepers_keep(peer);
}

static void swap(void)
{
	cr_assert_eq(swap_put(winner, fd, fcntl(fd, F_GETFL), &placeholder.id), 0);
	wake(placeholder.peer, 0);
}

static int ready(short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

Test(swap, placeholder_is_neither_readable_nor_writable, .init = install)
{
	char c;

	cr_expect_eq(ready(POLLIN | POLLOUT | POLLPRI | POLLRDHUP), 0);
	cr_expect_eq(read(fd, &c, 1), -1);
	cr_expect_eq(errno, EAGAIN);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(write(fd, "x", 1), -1);
		cr_expect_eq(errno, EAGAIN);
	}
}

Test(swap, put_keeps_close_on_exec_as_it_was, .init = install)
{
	swap();
	cr_expect_eq(fcntl(fd, F_GETFD), 0);
}

Test(swap, put_leaves_another_file_alone, .init = install)
{
	struct swap_id null;
	int there = open("/dev/null", O_RDONLY);

	cr_assert_eq(swap_identify(there, &null), 0);
	cr_assert_eq(dup2(there, fd), fd);
	cr_expect_eq(swap_put(winner, fd, fcntl(fd, F_GETFL), &placeholder.id), -EBADF);
	cr_expect(swap_is(fd, &null));
	cr_assert_eq(close(fd), 0);
	cr_expect_eq(swap_put(winner, fd, fcntl(fd, F_GETFL), &placeholder.id), -EBADF);
	cr_expect_eq(fcntl(fd, F_GETFD), -1);
}

Test(swap, nothing_is_left_of_it, .init = install)
{
	swap();
	cr_expect_eq(private_fd_count(), 0);
}

Test(swap, placeholder_that_cannot_be_had_leaves_nothing)
{
	struct rlimit limit = {.rlim_cur = 0}, was;

	cr_assert_eq(process_check(), PROCESS_OWNER);
	getrlimit(RLIMIT_NOFILE, &was);
	for (limit = was, limit.rlim_cur = 3; limit.rlim_cur < 64; limit.rlim_cur++) {
		int r;

		setrlimit(RLIMIT_NOFILE, &limit);
		r = swap_placeholder_make(&placeholder);
		setrlimit(RLIMIT_NOFILE, &was);
		if (r == 0) {
			swap_placeholder_drop(&placeholder);
			break;
		}
		cr_expect_eq(r, -EMFILE);
		cr_expect_eq(private_fd_count(), 0);
	}
	cr_expect_lt(limit.rlim_cur, 64);
}

/* On this thread alone. */
static void *make_without_writev(void *arg)
{
	if (!sandbox_refuses(SYS_writev, EPIPE))
		return arg;
	return swap_placeholder_make(&placeholder) == 0 ? NULL : arg;
}

/* The program may have closed the other end: the calls that can be told to send no signal are the
 * only ones to fill it with. */
Test(swap, placeholder_is_filled_by_what_sends_no_signal)
{
	pthread_t thread;
	void *bad;

	cr_assert_eq(process_check(), PROCESS_OWNER);
	cr_assert_eq(pthread_create(&thread, NULL, make_without_writev, &placeholder), 0);
	pthread_join(thread, &bad);
	cr_assert_null(bad);
}

/*
 * Sleepers ----------------------------------------------------------------------------------------
 */

struct sleeper {
	pthread_t thread;
	_Atomic pid_t tid;
	short events;
	bool by_select;
	int result;
};

static void *sleep_on_it(void *arg)
{
	struct sleeper *s = arg;
	struct pollfd p = {.fd = fd, .events = s->events};
	fd_set set;

	s->tid = gettid();
	if (!s->by_select) {
		s->result = poll(&p, 1, 20000) == 1 ? p.revents : 0;
		return NULL;
	}
	FD_ZERO(&set);
	FD_SET(fd, &set);
	s->result = select(fd + 1, NULL, &set, NULL, &(struct timeval){.tv_sec = 20}) == 1;
	return NULL;
}

static void fall_asleep(struct sleeper *s, void *(*run)(void *))
{
	cr_assert_eq(pthread_create(&s->thread, NULL, run, s), 0);
	while (s->tid == 0 || !is_asleep(s->tid))
		usleep(100);
}

Test(swap, sleeper_in_poll_finds_the_new_file, .init = install, .timeout = 60)
{
	struct sleeper s = {.events = POLLOUT};

	fall_asleep(&s, sleep_on_it);
	swap();
	pthread_join(s.thread, NULL);
	cr_expect_eq(s.result, POLLOUT);
}

Test(swap, sleeper_in_select_finds_the_new_file, .init = install, .timeout = 60)
{
	struct sleeper s = {.by_select = true};

	fall_asleep(&s, sleep_on_it);
	swap();
	pthread_join(s.thread, NULL);
	cr_expect_eq(s.result, 1);
}

/* Who waits for data is not told that there is room, and has to look again all the same. */
Test(swap, sleeper_that_waits_for_data_gets_those_of_the_new_file, .init = install, .timeout = 60)
{
	struct sleeper s = {.events = POLLIN};

	fall_asleep(&s, sleep_on_it);
	swap();
	usleep(50000); /* by then it has looked, and found nothing */
	cr_assert_eq(write(other, "x", 1), 1);
	pthread_join(s.thread, NULL);
	cr_expect_eq(s.result, POLLIN);
	for (int i = 0; private_fd_count() > IO_DESCRIPTORS && i < 20000; i++)
		usleep(1000);
	cr_expect_leq(private_fd_count(), IO_DESCRIPTORS);
}

/* More than a few. */
#define MANY 100

static struct {
	struct swap_placeholder placeholder;
	pthread_t thread;
	_Atomic pid_t tid;
	int fd, winner, other;
} many[MANY];

static atomic_uint ntold;

static void *wait_for_data(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;
	struct pollfd p = {.fd = many[i].fd, .events = POLLIN};

	many[i].tid = gettid();
	if (poll(&p, 1, -1) == 1 && p.revents == POLLIN)
		atomic_fetch_add(&ntold, 1);
	return NULL;
}

Test(swap, many_sleepers_that_wait_for_data_get_them, .timeout = 60)
{
	int pair[2];

	cr_assert_eq(process_check(), PROCESS_OWNER);
	for (unsigned i = 0; i < MANY; i++) {
		cr_assert_eq(swap_placeholder_make(&many[i].placeholder), 0);
		many[i].fd = dup(many[i].placeholder.end);
		swap_placeholder_drop(&many[i].placeholder);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
		many[i].winner = pair[0];
		many[i].other = pair[1];
		cr_assert_eq(
			pthread_create(&many[i].thread, NULL, wait_for_data, (void *)(uintptr_t)i),
			0);
		while (many[i].tid == 0 || !is_asleep(many[i].tid))
			usleep(100);
	}
	for (unsigned i = 0; i < MANY; i++) {
		cr_assert_eq(swap_put(many[i].winner, many[i].fd, fcntl(many[i].fd, F_GETFL),
				      &many[i].placeholder.id),
			     0);
		wake(many[i].placeholder.peer, 0);
	}
	usleep(50000); /* by then they have looked, and found nothing */
	for (unsigned i = 0; i < MANY; i++)
		cr_assert_eq(write(many[i].other, "x", 1), 1);
	for (int i = 0; atomic_load(&ntold) < MANY && i < 20000; i++)
		usleep(1000);
	cr_assert_eq(atomic_load(&ntold), MANY, "%u of %u were told", ntold, MANY);
	for (unsigned i = 0; i < MANY; i++)
		pthread_join(many[i].thread, NULL);
}

static void *write_to_it(void *arg)
{
	struct sleeper *s = arg;

	signal(SIGPIPE, SIG_IGN);
	s->tid = gettid();
	s->result = write(fd, "x", 1) == 1 ? 0 : errno;
	return NULL;
}

/* It was made to block past the hooks. */
Test(swap, sleeper_in_write_is_not_told_that_its_data_were_sent, .init = install, .timeout = 60)
{
	struct sleeper s = {.events = 0};

	fcntl(fd, F_SETFL, 0);
	fall_asleep(&s, write_to_it);
	swap();
	pthread_join(s.thread, NULL);
	cr_expect_eq(s.result, EPIPE);
}

/*
 * Signals -----------------------------------------------------------------------------------------
 */

Test(swap, signal_comes_for_the_programs_number, .init = install)
{
	const struct timespec patience = {.tv_sec = 20};
	siginfo_t info = {.si_signo = 0};
	sigset_t set;
	int end;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETSIG, SIGRTMIN + 3);
	fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC);
	end = private_fd_copy(fd);
	swap_copy_flags(fd, fcntl(fd, F_GETFL), winner);
	cr_assert_eq(swap_put(winner, fd, fcntl(fd, F_GETFL), &placeholder.id), 0);
	cr_expect_eq(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK | O_ASYNC);
	cr_expect_eq(fcntl(fd, F_GETSIG), SIGRTMIN + 3);
	wake(placeholder.peer, end);
	cr_assert_eq(sigtimedwait(&set, &info, &patience), SIGRTMIN + 3);
	cr_expect_eq(info.si_fd, fd);
	cr_expect(info.si_band & POLLOUT, "band %#lx", info.si_band);
	cr_expect_eq(private_fd_count(), 0);
}

/* process_check() may take any lock, and a placeholder is made under one. */
Test(swap, placeholder_is_made_without_a_check_of_the_process)
{
	int status = -1;
	pid_t pid;

	cr_assert_eq(process_check(), PROCESS_OWNER);
	pid = fork();
	if (pid == 0) {
		int r = swap_placeholder_make(&placeholder);

		_exit(r < 0 || process_peek() == PROCESS_OWNER);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}
