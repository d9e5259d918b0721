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
 * A blocking socket stays under its number. Its first attempt is begun as a non-blocking one, since
 * a server on this machine answers before that returns, and there is nothing to race. Then
 *
 *	1. the caller sleeps in the kernel, in a second connect(), which waits for the first
 *	   attempt: so handlers with SA_RESTART and without, SO_SNDTIMEO, shutdown() by other
 *	   threads and cancellation do what they do to any connect(). The io thread has the race's
 *	   timer, and nothing to do with a race that is won before the next attempt is due;
 *	2. where the first attempt fails before the others, the caller says so to the race, and
 *	   sleeps on a futex until that is over, which the kernel interrupts and restarts as it does
 *	   connect();
 *	3. where another attempt wins, the io thread puts it under the program's number and ends the
 *	   first with shutdown(), which wakes the caller.
 *
 * Who ends the race (attempts.h) says what connect() returns. When the sleep ends early, the first
 * attempt alone goes on, as it would have.
 *
 * The second connect() is given an address to which there is no connection: the kernel does not
 * look at it while the first attempt is under way. But if a signal handler runs when that ends, the
 * call that the kernel restarts would be a first one, to a server that has been given up.
 *
 * A non-blocking socket gives its number to a placeholder (racing.h).
 */
#include "shim/connect_race.h"

#include "shim/attempt_result.h"
#include "shim/attempts.h"
#include "shim/cancel.h"
#include "shim/clock.h"
#include "shim/connect_goal.h"
#include "shim/dest.h"
#include "shim/hooks.h"
#include "shim/lock.h"
#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/racing.h"
#include "shim/sockopts.h"
#include "shim/swap.h"
#include "shim/sys.h"

#include <limits.h>
#include <pthread.h>

#define SYN_AGAIN_MS 1000 /* the first time-out (RFC 6298 section 2.1) */

/* What a part of a call may say, beside 0 and what connect() says. */
enum {
	CALL_PLAIN = 1, /* nothing has happened: it is libc's call */
	CALL_WAIT,	/* for the first attempt, which is under way */
	CALL_SLEEP,	/* for the end of the race: the first attempt has failed */
};

/* A call of connect(). */
struct call {
	const struct sockaddr *addr; /* the program's */
	socklen_t len;
	struct connect_goal goal;
	int own;	    /* handle of a copy; owns, unless `a` is there; 0: none */
	int number;	    /* where that is, or was */
	struct attempts *a; /* the race of a blocking socket; owns a reference; NULL: none */
	int said;	    /* what has ended the sleep */
	int failed;	    /* CALL_SLEEP: what the first attempt said */
	uint64_t until_ms;  /* likewise: SO_SNDTIMEO */
	int cancel_type;    /* the thread's */
	bool ours;	    /* not in a child that a signal handler has forked; of a stretch */
	bool turn;	    /* private_fd_turn(), likewise */
};

/* ---- a blocking socket ---- */

/* On the io thread, when the race is WON or LOST. */
static void over(struct attempts *a, uint64_t now_ms)
{
	int own;

	(void)now_ms;
	if (attempts_end(a) == ATTEMPTS_WON && racing_replace(a) == 0) {
		private_fd_lock();
		own = private_fd_number_locked(attempts_own(a));
		if (own >= 0)
			(void)sys_call(SYS_shutdown, own, SHUT_RDWR, 0, 0, 0, 0);
		private_fd_unlock();
	}
	(void)sys_futex_wake(attempts_end_word(a), INT_MAX, false);
}

/* Ends what the call has begun, as far as it is the call's. */
static void leave(struct call *c)
{
	if (!c->ours)
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
	c->ours = process_peek() == PROCESS_OWNER;
	leave(c);
}

/* The copy; where it is none of ours any more, as in a forked child, the socket itself. */
static int number_of(const struct call *c)
{
	int number = c->ours ? private_fd_number(c->own) : -EBADF;

	return number < 0 && swap_is(c->goal.fd, &c->goal.id) ? c->goal.fd : number;
}

/* What a second connect() says when the first has been ended without it (shutdown()). */
static int error_of(int number, int said)
{
	int error = 0;
	socklen_t len = sizeof error;

	(void)sys_getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &len);
	return error != 0 ? -error : said;
}

/*
 * What the kernel's connect() has said of the first attempt. CALL_WAIT: of another file. The
 * program has put that under the copy's number, and a signal handler had the call restarted there;
 * or a child that it has forked has no such copy.
 */
static int judge_first(struct call *c)
{
	struct attempt_result result;
	int number, said = c->said;

	if (said == -EINTR)
		return said;
	if (said == -EALREADY)
		return -EINPROGRESS; /* SO_SNDTIMEO; it is a second call that says EALREADY */
	number = number_of(c);
	if (number < 0)
		return said;
	if (number != c->number) {
		c->number = number;
		attempt_look_at(number, ATTEMPT_LOOK, &result);
		if (result.state == ATTEMPT_CONNECTING || said == -EBADF || said == -ENOTSOCK)
			return CALL_WAIT;
	}
	return said < 0 ? error_of(number, said) : 0;
}

/* The time that it took is the round trip, unless a SYN may have been sent twice. */
static uint32_t rtt_us(const struct call *c)
{
	struct attempt_result result = {.rtt_us = 0};

	if (clock_elapsed(c->goal.now_ms, clock_boot_ms(), SYN_AGAIN_MS))
		attempt_look_at(c->number, ATTEMPT_LOOK, &result);
	return result.rtt_us;
}

/* What connect() says, where the first attempt said `first` before the race was over. */
static int judge_race(const struct call *c, int first)
{
	switch (attempts_end(c->a)) {
	case ATTEMPTS_WON:
		return racing_replace(c->a) == 0 ? 0 : first;
	case ATTEMPTS_LOST:
		return first < 0 && attempts_error(c->a) != 0 ? -attempts_error(c->a) : first;
	case ATTEMPTS_RUNNING:
	case ATTEMPTS_STOPPED:
	case ATTEMPTS_FIRST:
		break;
	}
	return first;
}

static int waited(struct call *c)
{
	uint64_t sndtimeo_ms;
	int first = judge_first(c);

	if (first == CALL_WAIT || c->a == NULL || !c->ours)
		return first;
	if (attempts_end(c->a) != ATTEMPTS_RUNNING)
		return judge_race(c, first);
	if (first == 0)
		return attempts_connected(c->a, rtt_us(c)) ? 0 : judge_race(c, first);
	if (first == -EINTR || first == -EINPROGRESS)
		return attempts_stop(c->a) ? first : judge_race(c, first);
	sndtimeo_ms = sockopts_sndtimeo_ms(c->number);
	c->until_ms = sndtimeo_ms != 0 ? c->goal.now_ms + sndtimeo_ms : UINT64_MAX;
	c->failed = first;
	return attempts_failed(c->a, -first) == 0 ? CALL_SLEEP : first;
}

/* One that sleeps no longer has no attempt of its own that would go on. */
static int slept(struct call *c)
{
	if (!c->ours)
		return c->failed;
	if (c->said < 0)
		(void)attempts_stop(c->a);
	return judge_race(c, c->failed);
}

static int wait_for_first(const struct call *c)
{
	static const struct order_dest nowhere = {.family = AF_INET, .addr = {255, 255, 255, 255}};
	struct sockaddr_storage addr;
	socklen_t len = dest_to_sockaddr(&nowhere, c->goal.family, c->goal.race.port, &addr);

	return cancel_connect(c->number, (const struct sockaddr *)&addr, len);
}

/* As connect() sleeps. 0 when the race is over; -EINTR; -EINPROGRESS. */
static int sleep_on(struct attempts *a, uint64_t until_ms)
{
	while (attempts_end(a) == ATTEMPTS_RUNNING) {
		uint64_t now_ms = clock_boot_ms(), left_ms = until_ms - now_ms;
		struct timespec timeout = {.tv_sec = (time_t)(left_ms / 1000),
					   .tv_nsec = (long)(left_ms % 1000) * 1000000};
		int r;

		if (now_ms >= until_ms)
			return -EINPROGRESS;
		r = cancel_futex_wait(attempts_end_word(a), ATTEMPTS_RUNNING,
				      until_ms == UINT64_MAX ? NULL : &timeout);
		if (r == -EINTR)
			return r;
	}
	return 0;
}

/* The first attempt is under way. Without a race it is all there is. */
static int begin_blocking(struct call *c, struct attempts *a)
{
	if (racing_watch(c->goal.fd, &c->goal.id, a) < 0) {
		attempts_release(a);
		return CALL_WAIT;
	}
	c->a = a;
	if (attempts_start(a, c->own, over, NULL) < 0)
		(void)attempts_stop(a);
	return CALL_WAIT;
}

/* ---- both ---- */

/* The first attempt is under way: CALL_WAIT. Or all there is. As connect() on a non-blocking
 * socket.
 */
static int begin_first(const struct call *c, struct attempts *a)
{
	int r = attempts_first(a, c->number);

	if (r != -EINPROGRESS)
		return r;
	if (!attempts_answered(a, c->number))
		return CALL_WAIT;
	return c->goal.race.blocking ? sys_connect(c->number, c->addr, c->len) : r;
}

static int begin(struct call *c)
{
	struct attempts *a = connect_goal_prepare(&c->goal) ? attempts_new(&c->goal.race) : NULL;
	int own = 0, r = CALL_PLAIN;

	if (a != NULL) {
		c->ours = true; /* says connect_goal_prepare() */
		c->turn = private_fd_turn_begin();
		own = swap_copy(c->goal.fd, &c->goal.id);
	}
	if (own > 0) {
		c->own = own;
		c->number = private_fd_number(own);
		r = begin_first(c, a);
	}
	if (r == CALL_WAIT && c->goal.race.blocking)
		return begin_blocking(c, a);
	if (r == CALL_WAIT) {
		c->own = 0;
		(void)racing_begin(c->goal.fd, &c->goal.id, own,
				   a); /* fails: the first attempt is all */
		return -EINPROGRESS;
	}
	if (a != NULL)
		attempts_release(a);
	return r;
}

static bool goes_on(int r)
{
	return r == CALL_WAIT || r == CALL_SLEEP;
}

/* A part of the call, and the call's end if it is the last. */
static int in_stretch(struct call *c, int (*part)(struct call *c))
{
	struct lock_stretch stretch;
	int r;

	lock_stretch_begin(&stretch);
	c->ours = c->own > 0 && process_peek() == PROCESS_OWNER;
	c->turn = c->ours && private_fd_turn_begin();
	r = part(c);
	if (!goes_on(r))
		leave(c);
	if (c->turn)
		private_fd_turn_over();
	lock_stretch_end(&stretch);
	return r;
}

static int carry_out(struct call *c)
{
	struct cancel_cleanup cleanup;
	int r;

	(void)pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &c->cancel_type);
	cancel_push(&cleanup, abandon, c);
	r = in_stretch(c, begin);
	while (goes_on(r)) {
		c->said = r == CALL_WAIT ? wait_for_first(c) : sleep_on(c->a, c->until_ms);
		r = in_stretch(c, r == CALL_WAIT ? waited : slept);
	}
	cancel_pop(&cleanup);
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
