// SPDX-License-Identifier: MIT
/* bootstrap.c - see bootstrap.h. Called on the thread that entered the resolver. */
#include "resolver/bootstrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/address.h"
#include "resolver/query.h"
#include "resolver/socket_call.h"

#define MAX_ADDRS    4 /* of one family */
#define LIMIT_MS     3000
#define LIMIT_OLD_MS 1800
#define OTHER_MS     50
#define OLD_TTL_S    30

enum { IPV6, IPV4 };

struct transport_lookup {
	struct list link; /* in bootstrap.lookups */
	transport_found *found;
	void *arg;
};

/* One of the two questions, and its answer. */
struct bootstrap_half {
	struct bootstrap *bootstrap;  /* borrows */
	struct resolver_query *query; /* owns; NULL: not under way */
	unsigned naddrs;
	uint32_t ttl_s;
	struct sockaddr_storage addrs[MAX_ADDRS];
};

struct bootstrap {
	struct resolver_view *view;		  /* borrows */
	const struct resolver_upstream *upstream; /* borrows: its `host` and `port` */
	struct list lookups;			  /* who wants to be told */
	bool running;
	struct bootstrap_half halves[2]; /* IPv6, IPv4 */
	struct reactor_timer timer;	 /* the end of the wait for the other half */
	struct reactor_task tell;
	uint32_t ttl_s;
	unsigned naddrs; /* the latest, IPv6 first */
	struct sockaddr_storage addrs[2 * MAX_ADDRS];
};

static struct reactor *reactor_of(const struct bootstrap *b)
{
	return &b->view->r->reactor;
}

/* ---- the end of a lookup ---- */

/* found() may start another one, which is not to be told of this one's outcome. */
static void on_tell(struct reactor_task *task)
{
	struct bootstrap *b = container_of(task, struct bootstrap, tell);
	struct list told;

	b->running = false;
	list_init(&told);
	while (!list_empty(&b->lookups)) {
		struct list *link = b->lookups.next;

		list_remove(link);
		list_append(&told, link);
	}
	while (!list_empty(&told)) {
		struct transport_lookup *lookup =
			container_of(told.next, struct transport_lookup, link);
		transport_found *found = lookup->found;
		void *arg = lookup->arg;

		list_remove(&lookup->link);
		free(lookup);
		found(arg, b->naddrs ? 0 : -EHOSTUNREACH, b->addrs, b->naddrs, b->ttl_s);
	}
}

/* What has come takes the place of what was known; nothing does not. */
static void keep_addrs(struct bootstrap *b)
{
	b->ttl_s = OLD_TTL_S;
	if (b->halves[IPV6].naddrs + b->halves[IPV4].naddrs == 0)
		return;
	b->ttl_s = UINT32_MAX;
	b->naddrs = 0;
	for (int i = IPV6; i <= IPV4; i++) {
		const struct bootstrap_half *half = &b->halves[i];

		memcpy(b->addrs + b->naddrs, half->addrs, half->naddrs * sizeof(half->addrs[0]));
		b->naddrs += half->naddrs;
		if (half->naddrs && half->ttl_s < b->ttl_s)
			b->ttl_s = half->ttl_s;
	}
}

static void conclude(struct bootstrap *b)
{
	reactor_timer_stop(reactor_of(b), &b->timer);
	keep_addrs(b);
	reactor_log(reactor_of(b), RESOLVER_LOG_DEBUG, "upstream %s has %u addresses",
		    b->upstream->host, b->naddrs);
	reactor_defer(reactor_of(b), &b->tell);
}

static void cancel_halves(struct bootstrap *b)
{
	for (int i = IPV6; i <= IPV4; i++) {
		if (b->halves[i].query)
			query_cancel(b->halves[i].query);
		b->halves[i].query = NULL;
	}
}

static void on_timer(struct reactor_timer *timer)
{
	struct bootstrap *b = container_of(timer, struct bootstrap, timer);

	cancel_halves(b);
	conclude(b);
}

/* ---- the questions ---- */

static void set_addr(struct sockaddr_storage *addr, enum resolver_type type,
		     const unsigned char *bytes, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *in = (struct sockaddr_in *)addr;

	*addr = (struct sockaddr_storage){.ss_family = type == RESOLVER_A ? AF_INET : AF_INET6};
	if (type == RESOLVER_A) {
		memcpy(&in->sin_addr, bytes, 4);
		in->sin_port = htons(port);
	} else {
		memcpy(&in6->sin6_addr, bytes, 16);
		in6->sin6_port = htons(port);
	}
}

static void on_done(void *arg, const struct resolver_rrset *rrset)
{
	struct bootstrap_half *half = arg;
	struct bootstrap *b = half->bootstrap;
	unsigned size = rrset->type == RESOLVER_A ? 4 : 16;

	half->query = NULL;
	half->ttl_s = rrset->ttl_s;
	for (unsigned i = 0; i < rrset->naddrs && i < MAX_ADDRS; i++)
		set_addr(&half->addrs[half->naddrs++], rrset->type, rrset->addrs + i * size,
			 b->upstream->port);
	if (!b->halves[IPV6].query && !b->halves[IPV4].query)
		conclude(b);
	else if (half->naddrs)
		reactor_timer_start(reactor_of(b), &b->timer, reactor_of(b)->now_ms + OTHER_MS);
}

/* -ENOMEM. */
static int ask(struct bootstrap *b, struct resolver_view *inner)
{
	uint64_t deadline_ms = reactor_of(b)->now_ms + (b->naddrs ? LIMIT_OLD_MS : LIMIT_MS);
	struct resolver_question question = {
		.name = b->upstream->host,
		.deadline_ms = deadline_ms,
		.given_up_ms = deadline_ms,
		.done = on_done,
	};
	int err = 0;

	for (int i = IPV6; !err && i <= IPV4; i++) {
		b->halves[i] = (struct bootstrap_half){.bootstrap = b};
		question.type = i == IPV6 ? RESOLVER_AAAA : RESOLVER_A;
		question.arg = &b->halves[i];
		err = query_open(inner, &question, &b->halves[i].query);
	}
	if (err)
		cancel_halves(b);
	return err;
}

/* -ENOMEM. */
static int begin(struct bootstrap *b)
{
	struct resolver_view *inner;
	int err = view_inner(b->view, &inner);

	if (err == -EINVAL)
		conclude(b);
	else if (!err)
		err = ask(b, inner);
	b->running = err != -ENOMEM;
	return b->running ? 0 : err;
}

/* ---- transport_resolver ---- */

static int start(void *ctx, transport_found *found, void *arg, struct transport_lookup **ret)
{
	struct transport_lookup *lookup = malloc(sizeof(*lookup));
	struct bootstrap *b = ctx;
	int err = lookup ? 0 : -ENOMEM;

	if (!err && !b->running)
		err = begin(b);
	if (err) {
		free(lookup);
		return err;
	}
	lookup->found = found;
	lookup->arg = arg;
	list_append(&b->lookups, &lookup->link);
	*ret = lookup;
	return 0;
}

/* The lookup goes on: its outcome is of use to the next who asks. */
static void cancel(struct transport_lookup *lookup)
{
	list_remove(&lookup->link);
	free(lookup);
}

struct transport_resolver bootstrap_resolver(struct bootstrap *b)
{
	return (struct transport_resolver){.start = start, .cancel = cancel, .ctx = b};
}

/* ---- opening and closing ---- */

int bootstrap_open(struct resolver_view *view, const struct resolver_upstream *upstream,
		   struct bootstrap **ret)
{
	struct bootstrap *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->view = view;
	b->upstream = upstream;
	list_init(&b->lookups);
	reactor_task_init(&b->tell, on_tell);
	if (reactor_timer_init(reactor_of(b), &b->timer, on_timer)) {
		free(b);
		return -ENOMEM;
	}
	*ret = b;
	return 0;
}

void bootstrap_close(struct bootstrap *b)
{
	cancel_halves(b);
	reactor_task_cancel(&b->tell);
	reactor_timer_fini(reactor_of(b), &b->timer);
	free(b);
}

/* ---- the latest addresses ---- */

bool bootstrap_has_address(const struct bootstrap *b)
{
	return b->naddrs;
}

static void on_ready(void *arg, int handle, unsigned events)
{
	(void)arg;
	(void)handle;
	(void)events; /* it is not watched */
}

/* connect() of a datagram socket sends nothing, and fails where there is no route. */
static bool has_route(struct reactor *reactor, const struct sockaddr_storage *addr)
{
	int handle = reactor_socket_open(reactor, addr->ss_family, SOCK_DGRAM, 0, on_ready, NULL);
	int fd, err = -EBADF;

	if (handle < 0)
		return false;
	fd = reactor_hold(reactor, handle);
	if (fd >= 0) {
		err = socket_connect(fd, (const struct sockaddr *)addr, address_len(addr));
		reactor_drop(reactor);
	}
	reactor_socket_close(reactor, handle);
	return !err;
}

int bootstrap_address(struct bootstrap *b, struct sockaddr_storage *ret)
{
	for (unsigned i = 0; i < b->naddrs; i++) {
		if (has_route(reactor_of(b), &b->addrs[i])) {
			*ret = b->addrs[i];
			return 0;
		}
	}
	return -EHOSTUNREACH;
}
