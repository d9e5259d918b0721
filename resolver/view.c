// SPDX-License-Identifier: MIT
/*
 * view.c - see view.h. Called on the thread that entered the resolver.
 *
 * Closing a view calls done() of its queries, and a done() may do anything but close the resolver,
 * so a view is unlinked from the resolver first and its queries are taken off one by one.
 */
#include "resolver/view.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "resolver/query.h"

static bool has_address(const struct resolver_upstream *u)
{
	switch (u->addr.ss_family) {
	case AF_INET:
	case AF_INET6:
		return true;
	case AF_UNSPEC:
		return u->transport == RESOLVER_TLS && u->host[0];
	default:
		return false;
	}
}

static bool is_usable(const struct resolver *r, const struct resolver_upstream *u)
{
	if (!has_address(u))
		return false;
	switch (u->transport) {
	case RESOLVER_UDP:
		return r->engines[RESOLVER_UDP] && r->engines[RESOLVER_TCP];
	case RESOLVER_TCP:
	case RESOLVER_TLS:
		return r->engines[u->transport];
	}
	return false;
}

/* "This host" as a destination is the loopback address, from which the answers then come. */
static void name_loopback(struct resolver_upstream *u)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&u->addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&u->addr;

	if (u->addr.ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY))
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (u->addr.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
		in6->sin6_addr = in6addr_loopback;
}

static int init_upstreams(struct resolver_view *view)
{
	int err = 0;

	for (unsigned i = 0; i < view->conf.nupstreams; i++) {
		name_loopback(&view->conf.upstreams[i]);
		err = view_upstream_init(view, i);
		if (err) {
			while (i--)
				view_upstream_fini(view, i);
			break;
		}
	}
	return err;
}

/* A view on no list. */
static int new_view(struct resolver *r, const struct resolver_conf *conf,
		    struct resolver_view **ret)
{
	struct resolver_view *view;
	int err;

	if (!conf->nupstreams || conf->nupstreams > RESOLVER_MAX_UPSTREAMS || !conf->timeout_ms)
		return -EINVAL;
	for (unsigned i = 0; i < conf->nupstreams; i++)
		if (!is_usable(r, &conf->upstreams[i]))
			return -EINVAL;
	view = calloc(1, sizeof(*view));
	if (!view)
		return -ENOMEM;
	view->r = r;
	view->conf = *conf;
	list_init(&view->link);
	list_init(&view->queries);
	err = init_upstreams(view);
	if (err)
		free(view);
	else
		*ret = view;
	return err;
}

int view_open(struct resolver *r, const struct resolver_conf *conf, struct resolver_view **ret)
{
	int err = new_view(r, conf, ret);

	if (!err)
		list_append(&r->views, &(*ret)->link);
	return err;
}

int view_inner(struct resolver_view *view, struct resolver_view **ret)
{
	struct resolver_conf conf = {
		.nupstreams = view->conf.nbootstrap,
		.timeout_ms = BOOTSTRAP_TIMEOUT_MS,
		.attempts = 2,
	};
	int err = 0;

	for (unsigned i = 0; i < conf.nupstreams; i++) {
		conf.upstreams[i].transport = RESOLVER_UDP;
		conf.upstreams[i].addr = view->conf.bootstrap[i];
	}
	if (!view->inner)
		err = new_view(view->r, &conf, &view->inner);
	if (!err)
		*ret = view->inner;
	return err;
}

void view_close(struct resolver_view *view, bool silent)
{
	list_remove(&view->link);
	while (!list_empty(&view->queries)) {
		struct resolver_query *q = query_of_link(view->queries.next);

		if (silent)
			query_cancel(q);
		else
			query_fail(q, RESOLVER_CANCELLED);
	}
	for (unsigned i = 0; i < view->conf.nupstreams; i++)
		view_upstream_fini(view, i);
	if (view->inner)
		view_close(view->inner, true); /* nobody asks there any more */
	tls_context_close(view->tls);
	free(view);
}
