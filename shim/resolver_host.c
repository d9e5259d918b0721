// SPDX-License-Identifier: MIT
/*
 * resolver_host.c - see resolver_host.h.
 *
 * Loading takes no lock of ours: a thread inside a library constructor holds the loader's lock, and
 * would wait for ours while its holder waits for the loader's. Instead every thread that finds
 * nothing loaded loads, and one of them publishes; dlopen() counts references, so the others only
 * drop theirs.
 */
#include "shim/resolver_host.h"

#include "shim/io.h"
#include "shim/log.h"
#include "shim/private_fd.h"
#include "shim/random.h"
#include "shim/self_path.h"
#include "shim/sys.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define LIBRARY "libnoblockdns-resolver.so"
/* Built with a shared c-ares, the library must not meet the program's own copies. */
#ifdef RESOLVER_SHARED
#define LOOK_INSIDE_FIRST RTLD_DEEPBIND
#else
#define LOOK_INSIDE_FIRST 0
#endif

#define MAX_VIEWS 8 /* one is usual; more only while settings change under lookups in flight */

struct instance {
	const struct resolver_ops *ops;
	struct resolver *resolver;
};

struct host_view {
	uint64_t view;
	struct resolver_conf conf; /* its upstreams beyond nupstreams mean nothing */
	unsigned refs;
	struct resolver_view *opened; /* NULL: slot is free */
};

static struct instance instance;	  /* published by `opened` */
static _Atomic int opened;		  /* 0 not yet, 1 yes, 2 being published, -1 failed */
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

static const struct resolver_host host = {
	.socket = host_socket,
	.close = host_close,
	.hold = host_hold,
	.drop = host_drop,
	.watch = host_watch,
	.wake_at = host_wake_at,
	.random = host_random,
	.log = host_log,
};

/* ---- loading ---- */

/* For good. All threads that are loading find the same: true for the one that is to say so. */
static bool give_up(void)
{
	return atomic_compare_exchange_strong(&opened, &(int){0}, -1);
}

/* The path of the library beside this one. */
static int sibling_path(char ret[PATH_MAX])
{
	int r = self_path(ret);
	char *slash;

	if (r < 0)
		return r;
	slash = strrchr(ret, '/');
	if (slash == NULL)
		return -ENOENT;
	if (slash + 1 + sizeof LIBRARY > ret + PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(slash + 1, LIBRARY, sizeof LIBRARY);
	return 0;
}

static bool is_there(const char *path)
{
	int fd = sys_open(path, O_PATH | O_CLOEXEC, 0);

	if (fd >= 0)
		sys_close(fd);
	return fd != -ENOENT;
}

/* A library that is missing beside this one is a mistake of the installation, and for good. Where
 * both are out of sight (chroot), or both are there (no memory, no permission), nobody is to blame;
 * and it may be loaded next time. */
static int explain(const char *path, const char *why)
{
	char self[PATH_MAX];

	if (!is_there(path) && self_path(self) == 0 && is_there(self)) {
		if (give_up())
			log_error("cannot load %s: %s; lookups are left to libc", path, why);
		return -ENOENT;
	}
	log_warn("cannot load %s: %s; this lookup is left to libc", path, why);
	return -ENOMEM;
}

static int load(struct instance *ret, void **ret_library)
{
	char path[PATH_MAX];
	const struct resolver_ops *ops;
	int r = sibling_path(path);

	if (r < 0) {
		if (give_up())
			log_error("cannot tell where %s is: error %d; lookups are left to libc",
				  LIBRARY, -r);
		return -ENOENT;
	}
	*ret_library = dlopen(path, RTLD_NOW | RTLD_LOCAL | LOOK_INSIDE_FIRST);
	if (*ret_library == NULL)
		return explain(path, dlerror());
	ops = dlsym(*ret_library, "noblockdns_resolver");
	if (ops == NULL)
		(void)dlerror(); /* the program must not find our failure there */
	if (ops == NULL || ops->abi != RESOLVER_ABI) {
		if (give_up())
			log_error("%s is of another version; lookups are left to libc", path);
		return -ENOENT;
	}
	ret->ops = ops;
	return ops->open(&host, &ret->resolver);
}

int resolver_host_open(void)
{
	struct instance mine;
	void *library = NULL;
	int was = atomic_load_explicit(&opened, memory_order_acquire);
	int r;

	if (was == 1)
		return 0;
	if (was < 0)
		return -ENOENT;
	r = load(&mine, &library);
	if (r < 0) {
		if (library != NULL)
			dlclose(library);
		return r;
	}
	was = 0;
	if (!atomic_compare_exchange_strong(&opened, &was, 2)) {
		mine.ops->close(mine.resolver); /* another thread was first */
		dlclose(library);
		while (atomic_load_explicit(&opened, memory_order_acquire) == 2)
			sched_yield();
		return 0;
	}
	instance = mine;
	atomic_store_explicit(&opened, 1, memory_order_release);
	return 0;
}

/* ---- views ---- */

/* Member by member: what lies between them is anything after a copy. */
static bool is_same_conf(const struct resolver_conf *a, const struct resolver_conf *b)
{
	if (a->nupstreams != b->nupstreams || a->timeout_ms != b->timeout_ms ||
	    a->attempts != b->attempts || a->rotate != b->rotate || a->use_tcp != b->use_tcp ||
	    a->trust_ad != b->trust_ad)
		return false;
	for (unsigned i = 0; i < a->nupstreams; i++)
		if (a->upstreams[i].transport != b->upstreams[i].transport ||
		    memcmp(&a->upstreams[i].addr, &b->upstreams[i].addr,
			   sizeof a->upstreams[i].addr))
			return false;
	return true;
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
	int state = atomic_load(&opened);

	memset(views, 0, sizeof views);
	wake.place = 0;
	ndrawn = 0; /* or parent and child would ask with the same ids */
	/* The parent's io thread may have been anywhere inside the resolver at the fork: its memory
	 * is left alone, and private_fd_reset() closes its sockets. */
	if (state != -1)
		atomic_store(&opened, 0);
}
