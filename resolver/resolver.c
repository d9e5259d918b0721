// SPDX-License-Identifier: MIT
/*
 * resolver.c - the operations that the library exports (resolver.h): opening and closing, and the
 * entries from the host. The work is done by view.c and query.c through reactor.c and a transport.
 *
 * Every entry leaves through reactor_settle(), which tells the host when to call again.
 */
#include "resolver/resolver.h"

#include <errno.h>
#include <stdlib.h>

#include "resolver/query.h"
#include "resolver/view.h"

static const struct transport_ops *const engines[RESOLVER_NTRANSPORTS] = {
	[RESOLVER_UDP] = &transport_ares_udp,
	[RESOLVER_TCP] = &transport_ares_tcp,
	[RESOLVER_TLS] = &transport_dot,
};

int resolver_open_with(const struct resolver_host *host,
		       const struct transport_ops *const with[RESOLVER_NTRANSPORTS],
		       struct resolver **ret)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	reactor_init(&r->reactor, host);
	list_init(&r->views);
	for (unsigned i = 0; i < RESOLVER_NTRANSPORTS; i++)
		r->engines[i] = with[i];
	*ret = r;
	return 0;
}

static int resolver_open(const struct resolver_host *host, struct resolver **ret)
{
	return resolver_open_with(host, engines, ret);
}

static void shut(struct resolver *r, bool silent)
{
	while (!list_empty(&r->views))
		view_close(container_of(r->views.next, struct resolver_view, link), silent);
	if (!silent)
		reactor_settle(&r->reactor); /* nothing is due any more */
	answer_fini(&r->answer);
	reactor_fini(&r->reactor);
	free(r);
}

static void resolver_close(struct resolver *r)
{
	shut(r, false);
}

/* Closing a socket that the parent still has sends nothing. */
static void resolver_abandon(struct resolver *r)
{
	shut(r, true);
}

static void resolver_view_close(struct resolver_view *view)
{
	struct reactor *reactor = &view->r->reactor;

	view_close(view, false);
	reactor_settle(reactor);
}

static int resolver_query(struct resolver_view *view, const struct resolver_question *question,
			  uint64_t now_ms, struct resolver_query **ret)
{
	struct reactor *reactor = &view->r->reactor;
	int err;

	reactor->now_ms = now_ms;
	err = query_open(view, question, ret);
	reactor_settle(reactor);
	return err;
}

static void resolver_cancel(struct resolver_query *query)
{
	struct reactor *reactor = query_reactor(query);

	query_cancel(query);
	reactor_settle(reactor);
}

static void resolver_ready(struct resolver *r, int handle, unsigned events, uint64_t now_ms)
{
	reactor_ready(&r->reactor, handle, events, now_ms);
}

static void resolver_tick(struct resolver *r, uint64_t now_ms)
{
	reactor_tick(&r->reactor, now_ms);
}

__attribute__((visibility("default"))) const struct resolver_ops noblockdns_resolver = {
	.abi = RESOLVER_ABI,
	.open = resolver_open,
	.close = resolver_close,
	.abandon = resolver_abandon,
	.view_open = view_open,
	.view_close = resolver_view_close,
	.query = resolver_query,
	.cancel = resolver_cancel,
	.ready = resolver_ready,
	.tick = resolver_tick,
};
