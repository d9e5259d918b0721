// SPDX-License-Identifier: MIT
/*
 * connect_race.c - see connect_race.h.
 *
 * Where connect_goal.h finds nothing to race, the call is libc's.
 *
 * From there to its end a call works on a copy of the socket of its own (call.own), as the kernel
 * holds the file that it found: what other threads close, or put under the number, is no matter of
 * this call's.
 *
 * A blocking socket stays under its number, its first attempt under way. The caller sleeps on the
 * end of the race, as connect() sleeps: the kernel restarts an untimed futex wait after a handler
 * with SA_RESTART, and ends it after one without, as it does connect(); and with SO_SNDTIMEO both
 * end after either. When the sleep ends early, the first attempt alone goes on, as it would have.
 * Nothing but the end of the race or of the first attempt wakes it, since a signal that came
 * between two sleeps would be lost: who closes the number, or dup2()s onto it, sends one to end the
 * call.
 *
 * A non-blocking socket gives its number to a placeholder (racing.h).
 */
#include "shim/connect_race.h"

#include "shim/attempt_result.h"
#include "shim/attempts.h"
#include "shim/cancel.h"
#include "shim/clock.h"
#include "shim/connect_goal.h"
#include "shim/hooks.h"
#include "shim/lock.h"
#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/racing.h"
#include "shim/swap.h"
#include "shim/sys.h"

#include <limits.h>
#include <pthread.h>

/* What begins a call may say, beside 0 and what connect() says. */
enum {
	CALL_PLAIN = 1, /* nothing has happened: it is libc's call */
	CALL_SLEEP,	/* a blocking socket's race is on */
	CALL_ALONE,	/* no race, or not any more: the first attempt is under way */
};

/* A call of connect(). */
struct call {
	const struct sockaddr *addr; /* the program's */
	socklen_t len;
	struct connect_goal goal;
	int own;	    /* handle of a copy; owns, unless `a` is there; 0: none */
	struct attempts *a; /* the race of a blocking socket; owns a reference */
	int cancel_type;    /* the thread's */
};

/* ---- a blocking socket ---- */

static void wake(struct attempts *a, uint64_t now_ms)
{
	(void)now_ms;
	(void)sys_futex_wake(attempts_end_word(a), INT_MAX, false);
}

/* Ends what the call has begun, as far as it is the call's. A child that a signal handler has
 * forked has no part in it. */
static void leave(struct call *c)
{
	if (process_peek() != PROCESS_OWNER)
		return;
	if (c->a != NULL) {
		(void)attempts_stop(c->a);
		racing_unwatch(c->a);
		attempts_release(c->a);
	} else if (c->own > 0) {
		private_fd_close(c->own);
	}
	c->a = NULL;
	c->own = 0;
}

/* The thread is cancelled, or a signal handler leaves the sleep by siglongjmp(). */
static void abandon(void *arg)
{
	struct call *c = arg;

	(void)pthread_setcanceltype(c->cancel_type, NULL);
	leave(c);
}

/* 0 when the race is over; -EINTR; -ETIMEDOUT. */
static int sleep_on(struct attempts *a, uint64_t until_ms)
{
	while (attempts_end(a) == ATTEMPTS_RUNNING) {
		uint64_t now_ms = clock_boot_ms(), left_ms = until_ms - now_ms;
		struct timespec timeout = {.tv_sec = (time_t)(left_ms / 1000),
					   .tv_nsec = (long)(left_ms % 1000) * 1000000};
		int r;

		if (now_ms >= until_ms)
			return -ETIMEDOUT;
		r = cancel_futex_wait(attempts_end_word(a), ATTEMPTS_RUNNING,
				      until_ms == UINT64_MAX ? NULL : &timeout);
		if (r == -EINTR)
			return r;
	}
	return 0;
}

static int sleep_until_over(const struct call *c)
{
	uint64_t until_ms =
		c->goal.sndtimeo_ms != 0 ? clock_boot_ms() + c->goal.sndtimeo_ms : UINT64_MAX;
	int slept = sleep_on(c->a, until_ms);

	if (slept < 0 && attempts_stop(c->a))
		return slept == -ETIMEDOUT ? -EINPROGRESS : slept;
	switch (attempts_end(c->a)) {
	case ATTEMPTS_WON:
		if (attempts_winner(c->a) == c->own || racing_replace(c->a) == 0)
			return 0;
		break;
	case ATTEMPTS_LOST:
		if (attempts_error(c->a) != 0)
			return -attempts_error(c->a);
		break;
	case ATTEMPTS_STOPPED:
	case ATTEMPTS_RUNNING:
		break;
	}
	racing_unwatch(c->a); /* who has ended it has done its work by then */
	return CALL_ALONE;
}

/* The copy; where it is none of ours any more, as in a forked child, the socket itself. */
static int number_of(const struct call *c)
{
	int number = process_peek() == PROCESS_OWNER ? private_fd_number(c->own) : -EBADF;

	return number < 0 && swap_is(c->goal.fd, &c->goal.id) ? c->goal.fd : number;
}

/* Waits for the first attempt. One that has been ended (shutdown()) is not connected again: its
 * error is what a sleeper in connect() is given. */
static int sleep_alone(const struct call *c)
{
	int number = number_of(c), error = 0;
	socklen_t len = sizeof error;
	struct attempt_result result;

	if (number < 0)
		return number;
	attempt_look_at(number, ATTEMPT_LOOK, &result);
	if (result.state != ATTEMPT_FAILED)
		return real_connect(number, c->addr, c->len) < 0 ? -errno : 0;
	(void)sys_getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &len);
	return error != 0 ? -error : -ECONNABORTED;
}

/* The first attempt is under way. */
static int begin_blocking(struct call *c, struct attempts *a)
{
	if (racing_watch(c->goal.fd, &c->goal.id, a) < 0) {
		attempts_release(a);
		return CALL_ALONE;
	}
	c->a = a;
	return attempts_start(a, c->own, wake, NULL) < 0 ? CALL_ALONE : CALL_SLEEP;
}

/* ---- both ---- */

/* The first attempt. As connect() on a non-blocking socket; 0 where there is nothing to race. */
static int begin_first(const struct call *c, struct attempts *a)
{
	int number = private_fd_number(c->own), r;

	if (number < 0)
		return CALL_PLAIN;
	r = attempts_first(a, number);
	if (r != -EINPROGRESS || !attempts_answered(a, number))
		return r;
	return c->goal.race.blocking ? sys_connect(number, c->addr, c->len) : CALL_ALONE;
}

static int begin(struct call *c)
{
	struct attempts *a = connect_goal_prepare(&c->goal) ? attempts_new(&c->goal.race) : NULL;
	int own = a != NULL ? swap_copy(c->goal.fd, &c->goal.id) : 0, r = CALL_PLAIN;

	if (own > 0) {
		c->own = own;
		r = begin_first(c, a);
	}
	if (r == -EINPROGRESS && c->goal.race.blocking)
		return begin_blocking(c, a);
	if (r == -EINPROGRESS) {
		c->own = 0;
		(void)racing_begin(c->goal.fd, &c->goal.id, own,
				   a); /* fails: the first attempt is all */
		return r;
	}
	if (a != NULL)
		attempts_release(a);
	return r == CALL_ALONE ? -EINPROGRESS : r;
}

static int begin_stretch(struct call *c)
{
	struct lock_stretch stretch;
	int r;

	lock_stretch_begin(&stretch);
	r = begin(c);
	lock_stretch_end(&stretch);
	return r;
}

/* As begin(), without CALL_SLEEP and CALL_ALONE. */
static int carry_out(struct call *c)
{
	struct cancel_cleanup cleanup;
	struct lock_stretch stretch;
	int r;

	(void)pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &c->cancel_type);
	cancel_push(&cleanup, abandon, c);
	r = begin_stretch(c);
	if (r == CALL_SLEEP)
		r = sleep_until_over(c);
	if (r == CALL_ALONE)
		r = sleep_alone(c);
	lock_stretch_begin(&stretch);
	cancel_pop(&cleanup);
	leave(c);
	lock_stretch_end(&stretch);
	(void)pthread_setcanceltype(c->cancel_type, NULL);
	return r;
}

int connect_race(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call c = {.addr = addr, .len = len, .goal.fd = fd};
	int saved = errno, r = CALL_PLAIN;

	if (connect_goal_find(addr, len, &c.goal))
		r = carry_out(&c);
	errno = saved;
	if (r == CALL_PLAIN)
		return real_connect(fd, addr, len);
	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}
