// SPDX-License-Identifier: MIT
/*
 * resolver_host_calls.c - what the resolver asks of its host: descriptors, a timer, random bytes,
 * files, tickets, statistics, lines of the log. All of it is called, and all is kept, on the io
 * thread alone.
 */
#include "shim/resolver_host_internal.h"

#include "shim/clock.h"
#include "shim/file.h"
#include "shim/io.h"
#include "shim/log.h"
#include "shim/private_fd.h"
#include "shim/random.h"
#include "shim/settings.h"
#include "shim/ticket_cache.h"
#include "shim/upstream_stats.h"

#include <string.h>
#include <sys/socket.h>

static void on_wake(void *arg, uint64_t now_ms);

/*
 * Runs from the first view on, if for never: starting an io timer takes memory, moving it takes
 * none, and the resolver cannot be told that it will not be woken.
 */
static struct io_timer wake = {.fire = on_wake};

static int set_wake(uint64_t at_ms)
{
	return wake.place != 0 && wake.at_ms == at_ms ? 0 : io_timer_start(&wake, at_ms);
}

int resolver_host_begin_wakes(void)
{
	return wake.place != 0 ? 0 : set_wake(UINT64_MAX);
}

static void on_wake(void *arg, uint64_t now_ms)
{
	(void)arg;
	(void)set_wake(UINT64_MAX); /* before anybody else takes its place in the heap */
	resolver_host_instance.ops->tick(resolver_host_instance.resolver, now_ms);
}

static void on_ready(void *arg, int handle, unsigned events, uint64_t now_ms)
{
	unsigned told =
		(events & IO_READ ? RESOLVER_READ : 0) | (events & IO_WRITE ? RESOLVER_WRITE : 0);

	(void)arg;
	resolver_host_instance.ops->ready(resolver_host_instance.resolver, handle, told, now_ms);
}

static int host_socket(void *ctx, int domain, int type, int protocol)
{
	(void)ctx;
	return private_fd_socket(domain, type | SOCK_NONBLOCK, protocol);
}

static void host_close(void *ctx, int handle)
{
	(void)ctx;
	io_watch(handle, 0, on_ready, NULL);
	private_fd_close(handle);
}

static int host_hold(void *ctx, int handle)
{
	int fd;

	(void)ctx;
	private_fd_lock();
	fd = private_fd_number_locked(handle);
	if (fd < 0)
		private_fd_unlock();
	return fd;
}

static void host_drop(void *ctx)
{
	(void)ctx;
	private_fd_unlock();
}

static int host_watch(void *ctx, int handle, unsigned events)
{
	unsigned wanted =
		(events & RESOLVER_READ ? IO_READ : 0) | (events & RESOLVER_WRITE ? IO_WRITE : 0);

	(void)ctx;
	return io_watch(handle, wanted, on_ready, NULL);
}

static void host_wake_at(void *ctx, uint64_t at_ms)
{
	(void)ctx;
	(void)set_wake(at_ms);
}

/* Drawn ahead: a query takes two bytes. Each is wiped as it is handed out. */
static unsigned char drawn[64];
static size_t ndrawn; /* that are left, at the start */

static void host_random(void *ctx, void *buf, unsigned len)
{
	(void)ctx;
	if (len > sizeof drawn) {
		random_bytes(buf, len);
		return;
	}
	if (len > ndrawn) {
		random_bytes(drawn, sizeof drawn);
		ndrawn = sizeof drawn;
	}
	ndrawn -= len;
	memcpy(buf, drawn + ndrawn, len);
	memset(drawn + ndrawn, 0, len);
}

static int host_read_file(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	(void)ctx;
	return file_read_text(path, RESOLVER_FILE_MAX, ret, ret_len);
}

static int host_ticket_take(void *ctx, uint64_t key, void *ret_ticket, unsigned size)
{
	rcu_token token = rcu_read_lock();
	const struct settings *s = settings_peek();
	int r = ticket_take(s == NULL ? NULL : s->cache, key, clock_boot_ms(), ret_ticket, size);

	(void)ctx;
	rcu_read_unlock(token);
	return r;
}

static void host_ticket_put(void *ctx, uint64_t key, const void *ticket, unsigned len,
			    uint32_t lifetime_s)
{
	rcu_token token = rcu_read_lock();
	const struct settings *s = settings_peek();

	(void)ctx;
	ticket_put(s == NULL ? NULL : s->cache, key, clock_boot_ms(), ticket, len, lifetime_s);
	rcu_read_unlock(token);
}

static void host_log(void *ctx, enum resolver_level level, const char *fmt, va_list ap)
{
	static const enum log_level levels[] = {
		[RESOLVER_LOG_ERROR] = LOG_ERROR,
		[RESOLVER_LOG_WARN] = LOG_WARN,
		[RESOLVER_LOG_INFO] = LOG_INFO,
		[RESOLVER_LOG_DEBUG] = LOG_DEBUG,
	};

	(void)ctx;
	log_vline(levels[level], fmt, ap);
}

static void host_event(void *ctx, const struct resolver_event *event)
{
	rcu_token token = rcu_read_lock();
	const struct settings *s = settings_peek();

	(void)ctx;
	if (s != NULL && s->cache != NULL)
		upstream_stats_note(s->cache, event);
	rcu_read_unlock(token);
}

static uint32_t host_round_trip(void *ctx, const char *upstream, enum resolver_transport transport)
{
	rcu_token token = rcu_read_lock();
	const struct settings *s = settings_peek();
	uint32_t ms = 0;

	(void)ctx;
	if (s != NULL && s->cache != NULL)
		ms = upstream_stats_round_trip(s->cache, upstream, transport);
	rcu_read_unlock(token);
	return ms;
}

const struct resolver_host resolver_host_calls = {
	.socket = host_socket,
	.close = host_close,
	.hold = host_hold,
	.drop = host_drop,
	.watch = host_watch,
	.wake_at = host_wake_at,
	.random = host_random,
	.read_file = host_read_file,
	.ticket_take = host_ticket_take,
	.ticket_put = host_ticket_put,
	.event = host_event,
	.round_trip = host_round_trip,
	.log = host_log,
};

void resolver_host_reset_calls(void)
{
	wake.place = 0;
	ndrawn = 0; /* or parent and child would ask with the same ids */
}
