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
#include "shim/io.h"
#include "shim/resolver_host_internal.h"
#include "shim/sys.h"
#include "shim/ticket_cache.h"

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

struct resolver_instance resolver_host_instance; /* published by `presence` */

/* ---- loading ---- */

/*
 * Loading, once. `loading` is a futex: it holds the time since when a thread is at it, and 0 if
 * none.
 *
 *	ABSENT --a first miss: LOADING thread--> READY, or MISSING, or ABSENT again
 */
enum presence { ABSENT, READY, MISSING };

static _Atomic uint32_t presence; /* enum presence; READY releases the instance */
static _Atomic uint32_t loading;  /* futex; low bits of CLOCK_BOOTTIME in ms, made odd */

static void end_loading(void)
{
	atomic_store(&loading, 0);
	sys_futex_wake(&loading, INT_MAX, false);
}

static void load(void)
{
	int r = resolver_load(&resolver_host_calls, &resolver_host_instance);

	if (r == 0)
		atomic_store_explicit(&presence, READY, memory_order_release);
	else if (r == -ENOENT)
		atomic_store(&presence, MISSING);
	end_loading();
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
	if (atomic_load(&presence) != ABSENT)
		end_loading(); /* over since the caller looked */
	else if (io_thread(load_in_thread, NULL) < 0)
		load();
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

#define MAX_VIEWS 8 /* one is usual; more only while settings change under lookups in flight */

struct host_view {
	uint64_t view;
	struct resolver_conf conf; /* what lies beyond a count means nothing */
	unsigned refs;
	struct resolver_view *opened; /* NULL: slot is free */
};

static struct host_view views[MAX_VIEWS]; /* io thread only */

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
		resolver_host_instance.ops->view_close(unused->opened);
		unused->opened = NULL;
	}
	return unused;
}

int resolver_host_get_view(uint64_t view, const struct resolver_conf *conf, struct host_view **ret)
{
	struct host_view *v = find_view(view, conf);

	if (v == NULL) {
		int r = resolver_host_begin_wakes();

		if (r < 0)
			return r;
		v = free_view();
		if (v == NULL)
			return -ENOMEM;
		r = resolver_host_instance.ops->view_open(resolver_host_instance.resolver, conf,
							  &v->opened);
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

	return resolver_host_instance.ops->query(view->opened, question, now_ms, &query);
}

void resolver_host_reset(void)
{
	memset(views, 0, sizeof views);
	resolver_host_reset_calls();
	ticket_reset();
	/* The parent's io thread may have been anywhere inside the resolver at the fork: its memory
	 * is left alone, and private_fd_reset() closes its sockets. */
	atomic_store(&loading, 0);
	if (atomic_load(&presence) == READY)
		atomic_store(&presence, ABSENT);
}
