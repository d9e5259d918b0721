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

static bool is_usable(const struct resolver *r, const struct resolver_upstream *u)
{
	if (u->addr.ss_family != AF_INET && u->addr.ss_family != AF_INET6)
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

int view_open(struct resolver *r, const struct resolver_conf *conf, struct resolver_view **ret)
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
	for (unsigned i = 0; i < conf->nupstreams; i++) {
		name_loopback(&view->conf.upstreams[i]);
		err = probe_init(&view->probes[i], view, i);
		if (err) {
			while (i--)
				probe_fini(&view->probes[i]);
			free(view);
			return err;
		}
	}
	list_init(&view->queries);
	list_append(&r->views, &view->link);
	*ret = view;
	return 0;
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
	for (unsigned i = 0; i < view->conf.nupstreams; i++) {
		probe_fini(&view->probes[i]);
		for (unsigned p = 0; p < RESOLVER_NTRANSPORTS; p++)
			if (view->transports[i][p])
				view->r->engines[p]->close(view->transports[i][p]);
	}
	tls_context_close(view->tls);
	free(view);
}
