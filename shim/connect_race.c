// SPDX-License-Identifier: MIT
/*
 * connect_race.c - see connect_race.h.
 *
 * Stands aside, and the call is libc's, for: addresses that no lookup gave, or that stand alone;
 * sockets of which sockopts.h says that they cannot race; programs that race by themselves;
 * NOBLOCKDNS_RACE=off. The look at the address comes first: it is all that a literal costs.
 *
 * A blocking socket stays under its number, its first attempt under way. The caller sleeps on the
 * end of the race, as connect() sleeps: the kernel restarts an untimed futex wait after a handler
 * with SA_RESTART, and ends it after one without, as it does connect(); and with SO_SNDTIMEO both
 * end after either. When the sleep ends early, the first attempt alone goes on, as it would have.
 *
 * A non-blocking socket gives its number to a placeholder (racing.h).
 */
#include "shim/connect_race.h"

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
#include "shim/sys.h"
#include "shim/v4mapped.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

/* Programs that race by themselves do not block, and some wait for exactly as long as we do
 * (Node.js 250 ms). Their second attempt, by which they are known, shall come before ours. */
#define COURTESY_MS 8

/* A call of connect(). */
struct call {
	int fd;
	sa_family_t family; /* of the address as it was given */
	struct order_dest asked, dests[SIBLINGS_MAX];
	unsigned n;
	uint64_t now_ms, sndtimeo_ms;
	struct stat was;
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
	int flags = sys_fcntl(c->fd, F_GETFL, 0);

	if (flags < 0 || sockopts_examine(c->fd, &facts) < 0 || facts.bar != SOCKOPTS_FREE ||
	    facts.family != c->family || sys_fstat(c->fd, &c->was) < 0)
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

struct sleeper {
	const struct call *call;
	struct attempts *a;
	uint64_t until_ms; /* SO_SNDTIMEO; UINT64_MAX: none */
	int slept;	   /* 0 or -EINTR, -ETIMEDOUT */
};

static void wake(struct attempts *a, uint64_t now_ms)
{
	(void)now_ms;
	(void)sys_futex_wake(attempts_end_word(a), INT_MAX, false);
}

/* Ends the race as far as this call is concerned. A child that a signal handler has forked has no
 * part in it. */
static void leave(void *arg)
{
	struct sleeper *s = arg;

	if (process_peek() != PROCESS_OWNER)
		return;
	(void)attempts_stop(s->a);
	racing_unwatch(s->call->fd, s->a);
	attempts_release(s->a);
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

/* Is what was to be connected still there, or has another thread closed it? */
static bool is_there(const struct sleeper *s)
{
	struct stat now;

	return sys_fstat(s->call->fd, &now) == 0 && now.st_dev == s->call->was.st_dev &&
	       now.st_ino == s->call->was.st_ino;
}

/* What connect() says. CONNECT_PLAIN: it is to be asked itself, on a socket that is connecting. */
#define CONNECT_PLAIN 1

static int outcome(const struct sleeper *s, int slept)
{
	if (slept < 0 && attempts_stop(s->a))
		return slept == -ETIMEDOUT ? -EINPROGRESS : slept;
	switch (attempts_end(s->a)) {
	case ATTEMPTS_WON:
		return attempts_winner(s->a) == attempts_own(s->a)
			       ? 0
			       : racing_replace(s->call->fd, s->a);
	case ATTEMPTS_LOST:
		return attempts_error(s->a) != 0 ? -attempts_error(s->a) : CONNECT_PLAIN;
	case ATTEMPTS_STOPPED:
	case ATTEMPTS_RUNNING:
		break;
	}
	return is_there(s) ? CONNECT_PLAIN : -EBADF;
}

static void wait_for_end(struct sleeper *s)
{
	pthread_cleanup_push(leave, s);
	s->slept = sleep_on(s->a, s->until_ms);
	pthread_cleanup_pop(0);
}

/* The first attempt is under way. Releases the race. */
static int race_blocking(const struct call *c, struct attempts *a)
{
	struct sleeper s = {.call = c, .a = a, .until_ms = UINT64_MAX};
	int r = CONNECT_PLAIN, own = private_fd_copy(c->fd);

	if (own < 0 || racing_watch(c->fd, a) < 0) {
		private_fd_close(own);
		attempts_release(a);
		return CONNECT_PLAIN;
	}
	if (c->sndtimeo_ms != 0)
		s.until_ms = clock_boot_ms() + c->sndtimeo_ms;
	if (attempts_start(a, own, wake, NULL) == 0) {
		wait_for_end(&s);
		r = outcome(&s, s.slept);
	}
	leave(&s);
	return r;
}

/* ---- both ---- */

/* The first attempt, and a non-blocking socket's race. As connect() on a non-blocking socket, and
 * *ret is the race of a blocking one. CONNECT_PLAIN: nothing has happened. */
static int begin(struct call *c, struct attempts **ret)
{
	struct attempts *a = prepare(c) ? attempts_new(&c->goal) : NULL;
	int r;

	if (a == NULL)
		return CONNECT_PLAIN;
	r = attempts_first(a, c->fd);
	if (r == -EINPROGRESS && attempts_answered(a, c->fd)) {
		attempts_release(a);
		return c->goal.blocking ? CONNECT_PLAIN : r;
	}
	if (r != -EINPROGRESS)
		attempts_release(a);
	else if (c->goal.blocking)
		*ret = a;
	else
		(void)racing_begin(c->fd, a); /* fails: the first attempt is all there is */
	return r;
}

static int begin_stretch(struct call *c, struct attempts **ret)
{
	struct lock_stretch stretch;
	int r;

	lock_stretch_begin(&stretch);
	r = begin(c, ret);
	lock_stretch_end(&stretch);
	return r;
}

int connect_race(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call c = {.fd = fd};
	struct attempts *a = NULL;
	int saved = errno, r = CONNECT_PLAIN;

	if (has_candidates(addr, len, &c))
		r = begin_stretch(&c, &a);
	if (a != NULL)
		r = race_blocking(&c, a);
	errno = saved;
	if (r == CONNECT_PLAIN)
		return real_connect(fd, addr, len);
	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}
