// SPDX-License-Identifier: MIT
/*
 * query.h - one question on its way through the upstreams of a view. Its states are described in
 * query.c, whom it asks in query_ask.c, and what ends it in query_reply.c.
 */
#ifndef NOBLOCKDNS_RESOLVER_QUERY_H
#define NOBLOCKDNS_RESOLVER_QUERY_H

#include "resolver/view.h"

/* See resolver_ops.query; the time is the reactor's. */
int query_open(struct resolver_view *view, const struct resolver_question *question,
	       struct resolver_query **ret);

/* Ends a query without calling done(), and frees it. */
void query_cancel(struct resolver_query *q);

/* Ends a query with done(failure), and frees it. */
void query_fail(struct resolver_query *q, enum resolver_failure failure);

/* The query whose place in view.queries this is. */
struct resolver_query *query_of_link(struct list *link);

struct reactor *query_reactor(const struct resolver_query *q);

#endif
