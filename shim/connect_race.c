// SPDX-License-Identifier: MIT
/*
 * connect_race.c - see connect_race.h.
 *
 * Stands aside, and the call is libc's, for: addresses that no lookup gave, or that stand alone;
 * sockets of which sockopts.h says that they cannot race; programs that race by themselves;
 * NOBLOCKDNS_RACE=off. The look at the address comes first: it is all that a literal costs.
 *
 * From here to its end a call works on a copy of the socket of its own (call.own), as the kernel
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
#include "shim/hooks.h"
#include "shim/lock.h"
#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/racing.h"
#include "shim/settings.h"
#include "shim/sockopts.h"
#include "shim/swap.h"
#include "shim/sys.h"
#include "shim/v4mapped.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

/* Programs that race by themselves do not block, and some wait for exactly as long as we do
 * (Node.js 250 ms). Their second attempt, by which they are known, shall come before ours. */
#define COURTESY_MS 8

/* What begins a call may say, beside 0 and what connect() says. */
enum {
	CALL_PLAIN = 1, /* nothing has happened: it is libc's call */
	CALL_SLEEP,	/* a blocking socket's race is on */
	CALL_ALONE,	/* no race, or not any more: the first attempt is under way */
};

/* A call of connect(). */
struct call {
	int fd;
	const struct sockaddr *addr; /* the program's */
	socklen_t len;
	sa_family_t family; /* of the address as it was given */
	struct order_dest asked, dests[SIBLINGS_MAX];
	unsigned n;
	uint64_t now_ms, sndtimeo_ms;
	struct swap_id id;  /* the socket */
	int own;	    /* handle of a copy; owns, unless `a` is there; 0: none */
	struct attempts *a; /* the race of a blocking socket; owns a reference */
	int cancel_type;    /* the thread's */
	struct attempts_goal goal;
};

/* ---- may it race? ---- */

static bool is_loopback(const struct order_dest *dest)
{
	static const unsigned char v6[16] = {[15] = 1};

	return dest->family == AF_INET ? dest->addr[0] == 127 : memcmp(dest->addr, v6, 16) == 0;
}

/* The address as lookups have it. */
static bool dest_of(const struct sockaddr *addr, socklen_t len, struct order_dest *ret,
		    in_port_t *ret_port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;

	memset(ret, 0, sizeof *ret);
	if (addr->sa_family == AF_INET) {
		ret->family = AF_INET;
		memcpy(ret->addr, &v4->sin_addr, 4);
		*ret_port = v4->sin_port;
		return true;
	}
	if (len < sizeof *v6)
		return false;
	*ret_port = v6->sin6_port;
	if (v4mapped_is(&v6->sin6_addr)) {
		ret->family = AF_INET;
		memcpy(ret->addr, v6->sin6_addr.s6_addr + V4MAPPED_PREFIX_LEN, 4);
		return true;
	}
	ret->family = AF_INET6;
	ret->scope_id = v6->sin6_scope_id;
	memcpy(ret->addr, &v6->sin6_addr, 16);
	return true;
}

/* The race's settings; false: it is off. */
static bool is_on(uint32_t *ret_delay_ms)
{
	rcu_token token = rcu_read_lock();
	const struct settings *settings = settings_peek();
	bool on = settings != NULL && settings->config->race && !settings->stand_aside;

	if (on)
		*ret_delay_ms = settings->config->race_delay_ms;
	rcu_read_unlock(token);
	return on;
}

/* Which of the name's addresses the socket can reach; the one that was asked for comes first. */
static void choose(const struct order_dest *asked, const struct order_dest *dests, unsigned n,
		   struct attempts_goal *goal)
{
	goal->dests[goal->n++] = *asked;
	for (unsigned i = 0; i < n && goal->n < SIBLINGS_MAX; i++) {
		bool can = dests[i].family == AF_INET ? goal->ipv4 : goal->family == AF_INET6;

		if (can && !order_dest_same(&dests[i], asked))
			goal->dests[goal->n++] = dests[i];
	}
}

/* Is there anything to race? All that a call costs where there is not. */
static bool has_candidates(const struct sockaddr *addr, socklen_t len, struct call *c)
{
	if (!dest_of(addr, len, &c->asked, &c->goal.port))
		return false;
	c->now_ms = clock_boot_ms();
	c->n = siblings_find(&c->asked, c->now_ms, c->dests, &c->goal.more);
	c->family = addr->sa_family;
	return c->n != 0 && (c->n != 1 || c->goal.more) && !is_loopback(&c->asked);
}

/* What the socket can do; false: not race. */
static bool examine(struct call *c)
{
	struct attempts_goal *goal = &c->goal;
	struct sockopts_facts facts;
	int flags;

	if (swap_identify(c->fd, &c->id) < 0)
		return false;
	flags = sys_fcntl(c->fd, F_GETFL, 0);
	if (flags < 0 || sockopts_examine(c->fd, &facts) < 0 || facts.bar != SOCKOPTS_FREE ||
	    facts.family != c->family)
		return false;
	goal->family = facts.family;
	goal->ipv4 = facts.family == AF_INET || !facts.v6only;
	goal->blocking = !(flags & O_NONBLOCK);
	goal->own_route = facts.own_route;
	goal->delay_ms += goal->blocking ? 0 : COURTESY_MS;
	c->sndtimeo_ms = facts.sndtimeo_ms;
	return true;
}

/* Fills in the goal; false: it is libc's call. */
static bool prepare(struct call *c)
{
	struct attempts_goal *goal = &c->goal;

	if (attempts_raced() || process_check() != PROCESS_OWNER || !is_on(&goal->delay_ms) ||
	    !examine(c) || !attempts_room(c->fd))
		return false;
	if (!goal->blocking && attempts_rival(c->fd, &c->asked, goal->port, c->now_ms))
		goal->delay_ms *= 2;
	choose(&c->asked, c->dests, c->n, goal);
	return goal->n > 1 || goal->more;
}

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
	uint64_t until_ms = c->sndtimeo_ms != 0 ? clock_boot_ms() + c->sndtimeo_ms : UINT64_MAX;
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

	return number < 0 && swap_is(c->fd, &c->id) ? c->fd : number;
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
	if (racing_watch(c->fd, &c->id, a) < 0) {
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
	return c->goal.blocking ? sys_connect(number, c->addr, c->len) : CALL_ALONE;
}

static int begin(struct call *c)
{
	struct attempts *a = prepare(c) ? attempts_new(&c->goal) : NULL;
	int own = a != NULL ? swap_copy(c->fd, &c->id) : 0, r = CALL_PLAIN;

	if (own > 0) {
		c->own = own;
		r = begin_first(c, a);
	}
	if (r == -EINPROGRESS && c->goal.blocking)
		return begin_blocking(c, a);
	if (r == -EINPROGRESS) {
		c->own = 0;
		(void)racing_begin(c->fd, &c->id, own, a); /* fails: the first attempt is all */
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
	struct call c = {.fd = fd, .addr = addr, .len = len};
	int saved = errno, r = CALL_PLAIN;

	if (has_candidates(addr, len, &c))
		r = carry_out(&c);
	errno = saved;
	if (r == CALL_PLAIN)
		return real_connect(fd, addr, len);
	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}
