// SPDX-License-Identifier: MIT
/*
 * resolver_host.c - see resolver_host.h.
 *
 * The library is loaded on a thread of its own, for which lookups wait a limited time only. Whoever
 * calls dlopen() may have to wait for the loader's lock, and its holder, a library's constructor,
 * may be waiting for the very thread that looks up: on that thread the wait would be for ever. A
 * lookup that the constructor itself makes, or waits for, is libc's after PATIENCE_MS; the next
 * one, when the constructor is over, finds the library loaded.
 */
#include "shim/resolver_host.h"

#include "shim/clock.h"
#include "shim/file.h"
#include "shim/io.h"
#include "shim/log.h"
#include "shim/private_fd.h"
#include "shim/random.h"
#include "shim/resolver_load.h"
#include "shim/settings.h"
#include "shim/sys.h"
#include "shim/ticket_cache.h"
#include "shim/upstream_stats.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

/* How long lookups wait for the loader before they are left to libc. It takes a millisecond or two,
 * unless a library's constructor holds the loader's lock. */
#define PATIENCE_MS 200

#define MAX_VIEWS 8 /* one is usual; more only while settings change under lookups in flight */

struct host_view {
	uint64_t view;
	struct resolver_conf conf; /* what lies beyond a count means nothing */
	unsigned refs;
	struct resolver_view *opened; /* NULL: slot is free */
};

static struct resolver_instance instance; /* published by `presence` */
static struct host_view views[MAX_VIEWS]; /* io thread only */

/* ---- what the resolver asks of its host ---- */

static void on_wake(void *arg, uint64_t now_ms);

/*
 * Runs from the first view on, if for never: starting an io timer takes memory, moving it takes
 * none, and the resolver cannot be told that it will not be woken. io thread only.
 */
static struct io_timer wake = {.fire = on_wake};

static int set_wake(uint64_t at_ms)
{
	return wake.place != 0 && wake.at_ms == at_ms ? 0 : io_timer_start(&wake, at_ms);
}

static void on_wake(void *arg, uint64_t now_ms)
{
	(void)arg;
	(void)set_wake(UINT64_MAX); /* before anybody else takes its place in the heap */
	instance.ops->tick(instance.resolver, now_ms);
}

static void on_ready(void *arg, int handle, unsigned events, uint64_t now_ms)
{
	unsigned told =
		(events & IO_READ ? RESOLVER_READ : 0) | (events & IO_WRITE ? RESOLVER_WRITE : 0);

	(void)arg;
	instance.ops->ready(instance.resolver, handle, told, now_ms);
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

/* Drawn ahead: a query takes two bytes. Each is wiped as it is handed out. io thread only. */
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

static const struct resolver_host host = {
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
	.log = host_log,
};

/* ---- loading ---- */

/*
 * Loading, once. `loading` is a futex: it holds the time since when a thread is at it, and 0 if
 * none.
 *
 *	ABSENT --a first miss: LOADING thread--> READY, or MISSING, or ABSENT again
 */
enum presence { ABSENT, READY, MISSING };

static _Atomic uint32_t presence; /* enum presence; READY releases `instance` */
static _Atomic uint32_t loading;  /* futex; low bits of CLOCK_BOOTTIME in ms, made odd */

static void load(void)
{
	int r = resolver_load(&host, &instance);

	if (r == 0)
		atomic_store_explicit(&presence, READY, memory_order_release);
	else if (r == -ENOENT)
		atomic_store(&presence, MISSING);
	atomic_store(&loading, 0);
	sys_futex_wake(&loading, INT_MAX, false);
}

static void *load_in_thread(void *unused)
{
	load();
	return unused;
}

/* Begins to load. Where there can be no thread, the caller loads. */
static void begin_loading(uint64_t now_ms)
{
	uint32_t not_yet = 0;

	if (!atomic_compare_exchange_strong(&loading, &not_yet, (uint32_t)now_ms | 1))
		return;
	if (atomic_load(&presence) != ABSENT) { /* over since the caller looked */
		atomic_store(&loading, 0);
		sys_futex_wake(&loading, INT_MAX, false);
	} else if (io_thread(load_in_thread, NULL) < 0) {
		load();
	}
}

static void wait_loading(void)
{
	uint32_t since;

	while ((since = atomic_load(&loading)) != 0) {
		int32_t waited_ms = (int32_t)((uint32_t)clock_boot_ms() - since);
		int32_t left_ms = PATIENCE_MS - (waited_ms < 0 ? 0 : waited_ms);
		struct timespec left = {.tv_nsec = (long)left_ms * 1000000};

		if (left_ms <= 0)
			return;
		sys_futex_wait(&loading, since, &left, false);
	}
}

int resolver_host_open(bool wait)
{
	uint32_t is = atomic_load_explicit(&presence, memory_order_acquire);

	if (is == ABSENT) {
		begin_loading(clock_boot_ms());
		if (wait)
			wait_loading();
		is = atomic_load_explicit(&presence, memory_order_acquire);
	}
	return is == READY ? 0 : is == MISSING ? -ENOENT : -EAGAIN;
}

void resolver_host_guard_forks(const struct resolver_conf *conf)
{
	static _Atomic bool guarded; /* in children as well: they inherit the handlers */

	for (unsigned i = 0; i < conf->nupstreams && !atomic_load(&guarded); i++)
		if (conf->upstreams[i].transport == RESOLVER_TLS &&
		    !atomic_exchange(&guarded, true))
			atomic_store(&guarded, pthread_atfork(io_fork_prepare, io_fork_over,
							      io_fork_over) == 0);
}

/* ---- views ---- */

/* Member by member: what lies between them is anything after a copy. */
static bool is_same_upstream(const struct resolver_upstream *a, const struct resolver_upstream *b)
{
	return a->transport == b->transport && a->port == b->port &&
	       memcmp(&a->addr, &b->addr, sizeof a->addr) == 0 && strcmp(a->host, b->host) == 0;
}

static bool is_same_tls(const struct resolver_tls *a, const struct resolver_tls *b)
{
	bool same_file = a->ca_file == NULL || b->ca_file == NULL
				 ? a->ca_file == b->ca_file
				 : strcmp(a->ca_file, b->ca_file) == 0;

	return same_file && a->opportunistic == b->opportunistic && a->npins == b->npins &&
	       memcmp(a->pins, b->pins, a->npins * sizeof a->pins[0]) == 0;
}

static bool is_same_conf(const struct resolver_conf *a, const struct resolver_conf *b)
{
	if (a->nupstreams != b->nupstreams || a->timeout_ms != b->timeout_ms ||
	    a->attempts != b->attempts || a->rotate != b->rotate || a->use_tcp != b->use_tcp ||
	    a->trust_ad != b->trust_ad || a->nbootstrap != b->nbootstrap || a->view != b->view)
		return false;
	for (unsigned i = 0; i < a->nupstreams; i++)
		if (!is_same_upstream(&a->upstreams[i], &b->upstreams[i]))
			return false;
	return is_same_tls(&a->tls, &b->tls) &&
	       memcmp(a->bootstrap, b->bootstrap, a->nbootstrap * sizeof a->bootstrap[0]) == 0;
}

static struct host_view *find_view(uint64_t view, const struct resolver_conf *conf)
{
	for (int i = 0; i < MAX_VIEWS; i++)
		if (views[i].opened != NULL && views[i].view == view &&
		    is_same_conf(&views[i].conf, conf))
			return &views[i];
	return NULL;
}

/* A free slot, if need be one whose view nobody uses any more. */
static struct host_view *free_view(void)
{
	struct host_view *unused = NULL;

	for (int i = 0; i < MAX_VIEWS; i++) {
		if (views[i].opened == NULL)
			return &views[i];
		if (views[i].refs == 0)
			unused = &views[i];
	}
	if (unused != NULL) {
		instance.ops->view_close(unused->opened);
		unused->opened = NULL;
	}
	return unused;
}

int resolver_host_get_view(uint64_t view, const struct resolver_conf *conf, struct host_view **ret)
{
	struct host_view *v = find_view(view, conf);

	if (v == NULL) {
		int r = wake.place != 0 ? 0 : set_wake(UINT64_MAX);

		if (r < 0)
			return r;
		v = free_view();
		if (v == NULL)
			return -ENOMEM;
		r = instance.ops->view_open(instance.resolver, conf, &v->opened);
		if (r < 0) {
			v->opened = NULL;
			return r;
		}
		v->view = view;
		v->conf = *conf;
		v->refs = 0;
	}
	v->refs++;
	*ret = v;
	return 0;
}

void resolver_host_put_view(struct host_view *view)
{
	view->refs--;
}

int resolver_host_query(struct host_view *view, const struct resolver_question *question,
			uint64_t now_ms)
{
	struct resolver_query *query;

	return instance.ops->query(view->opened, question, now_ms, &query);
}

void resolver_host_reset(void)
{
	memset(views, 0, sizeof views);
	wake.place = 0;
	ticket_reset();
	ndrawn = 0; /* or parent and child would ask with the same ids */
	/* The parent's io thread may have been anywhere inside the resolver at the fork: its memory
	 * is left alone, and private_fd_reset() closes its sockets. */
	atomic_store(&loading, 0);
	if (atomic_load(&presence) == READY)
		atomic_store(&presence, ABSENT);
}
