// SPDX-License-Identifier: MIT
/*
 * test_hook_wait.c - poll(), select(), epoll_wait() and their kin through the hooks: as libc's,
 * whatever the role of the process.
 */
#include "shim/hooks.h"
#include "shim/init.h"
#include "shim/trace.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORTIFIED(type) ((size_t)2 * sizeof(type))

static char dir[64];
static int ends[2]; /* of a pipe with a byte in it, and then without */
static int epoll;

static void begin(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 4711};

	scratch_make(dir);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	epoll = epoll_create1(0);
	cr_assert_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
}

static void end(void)
{
	scratch_remove(dir);
}

TestSuite(hook_wait, .init = begin, .fini = end);

static void set_role(int role)
{
	setenv("NOBLOCKDNS_TRACE", dir, 1);
	cr_assert(trace_is_wanted());
	(void)init_stands_aside();
	init_role = role;
}

/* One call of each, with these events at hand and this time limit; `expected` of all of them. */
static void call_poll(int expected, int ms, const sigset_t *mask)
{
	const struct timespec timeout = {.tv_nsec = ms * 1000000L};
	struct pollfd fds[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = -1}};

	cr_expect_eq(nbd_poll(fds, 2, ms), expected);
	cr_expect_eq(fds[0].revents, expected ? POLLIN : 0);
	cr_expect_eq(nbd___poll(fds, 2, ms), expected);
	cr_expect_eq(nbd___poll_chk(fds, 2, ms, FORTIFIED(struct pollfd)), expected);
	cr_expect_eq(nbd_ppoll(fds, 2, &timeout, mask), expected);
	cr_expect_eq(nbd___ppoll_chk(fds, 2, &timeout, mask, FORTIFIED(struct pollfd)), expected);
	cr_expect_eq(timeout.tv_nsec, ms * 1000000L, "libc's does not write there");
}

static void call_select(int expected, int ms, const sigset_t *mask)
{
	const struct timespec timeout = {.tv_nsec = ms * 1000000L};

	for (int i = 0; i < 3; i++) {
		struct timeval tv = {.tv_usec = ms * 1000};
		fd_set in, out, urgent;
		int r;

		FD_ZERO(&in);
		FD_ZERO(&out);
		FD_ZERO(&urgent);
		FD_SET(ends[0], &in);
		r = i == 0   ? nbd_select(ends[0] + 1, &in, &out, &urgent, &tv)
		    : i == 1 ? nbd___select(ends[0] + 1, &in, &out, &urgent, &tv)
			     : nbd_pselect(ends[0] + 1, &in, &out, &urgent, &timeout, mask);
		cr_expect_eq(r, expected);
		cr_expect_eq(FD_ISSET(ends[0], &in), expected);
	}
}

static void call_epoll(int expected, int ms, const sigset_t *mask)
{
	const struct timespec timeout = {.tv_nsec = ms * 1000000L};

	for (int i = 0; i < 3; i++) {
		struct epoll_event events[2] = {{0}, {0}};
		int r = i == 0	 ? nbd_epoll_wait(epoll, events, 2, ms)
			: i == 1 ? nbd_epoll_pwait(epoll, events, 2, ms, mask)
				 : nbd_epoll_pwait2(epoll, events, 2, &timeout, mask);

		cr_expect_eq(r, expected);
		cr_expect_eq(events[0].data.u64, expected ? 4711u : 0u);
	}
}

static void call_all(int role)
{
	sigset_t mask;
	char byte;

	set_role(role);
	sigemptyset(&mask);
	call_poll(1, 900, &mask);
	call_select(1, 900, &mask);
	call_epoll(1, 900, &mask);
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	call_poll(0, 1, NULL);
	call_select(0, 1, NULL);
	call_epoll(0, 1, NULL);
	cr_assert_eq(write(ends[1], "x", 1), 1);
}

Test(hook_wait, results_are_libcs_in_every_role)
{
	call_all(INIT_PLAIN);
	call_all(INIT_TRACED);
	call_all(INIT_OBSERVES);
	call_all(INIT_ASIDE);
}

Test(hook_wait, first_call_of_all_finds_libcs)
{
	struct pollfd fd = {.fd = ends[0], .events = POLLIN};

	cr_assert_eq(init_role, INIT_UNKNOWN);
	cr_expect_eq(nbd_poll(&fd, 1, 0), 1);
	cr_expect_eq(real_waits[WAIT_epoll_wait], (void *)epoll_wait);
	cr_expect_eq(init_role, INIT_PLAIN);
}

static void fail(int role)
{
	set_role(role);
	errno = 0;
	cr_expect_eq(nbd_epoll_wait(-1, NULL, 1, 0), -1);
	cr_expect_eq(errno, EBADF);
	errno = 0;
	cr_expect_eq(nbd_poll(NULL, 1u << 30, 0), -1);
	cr_expect_eq(errno, EINVAL);
}

Test(hook_wait, errors_are_the_kernels)
{
	fail(INIT_PLAIN);
	fail(INIT_TRACED);
}

static volatile sig_atomic_t caught;

static void handler(int sig)
{
	caught = sig;
}

/* A signal that is blocked but for the call ends it. */
static void wait_with_mask(int role)
{
	sigset_t usr1, none;
	struct pollfd fd = {.fd = -1};

	set_role(role);
	signal(SIGUSR1, handler);
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	caught = 0;
	raise(SIGUSR1);
	cr_expect_eq(caught, 0);
	cr_expect_eq(nbd_ppoll(&fd, 1, NULL, &none), -1);
	cr_expect_eq(errno, EINTR);
	cr_expect_eq(caught, SIGUSR1);
}

Test(hook_wait, signal_mask_holds_for_the_call)
{
	wait_with_mask(INIT_PLAIN);
	wait_with_mask(INIT_TRACED);
}

static void *wait_for_ever(void *arg)
{
	*(_Atomic pid_t *)arg = gettid();
	nbd_poll(NULL, 0, -1);
	return NULL;
}

static void cancel(int role)
{
	_Atomic pid_t tid = 0;
	pthread_t thread;
	void *result;

	set_role(role);
	cr_assert_eq(pthread_create(&thread, NULL, wait_for_ever, &tid), 0);
	while (tid == 0)
		sched_yield();
	usleep(1000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	cr_expect_eq(result, PTHREAD_CANCELED);
}

Test(hook_wait, thread_is_cancelled_while_it_waits, .timeout = 30)
{
	cancel(INIT_PLAIN);
	cancel(INIT_TRACED);
}
