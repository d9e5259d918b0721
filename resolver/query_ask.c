// SPDX-License-Identifier: MIT
/*
 * query_ask.c - whom a question is sent to, and when again. Called on the thread that entered the
 * resolver.
 *
 * 1. The candidates are the view's upstreams, in the order of upstream_order(). They are asked in
 *    turn, round after round, each when the one before has had its time (patience_ms()).
 *    How often at most is lineup.h's.
 * 2. Over a stream there is nothing to retransmit (TCP does). A second packet over plain TCP means
 *    that the connection is given up: the attempt before is cancelled. Over TLS the engine looks
 *    after its connections: an attempt is left alone, and after UPSTREAM_HEDGE_MS somebody else is
 *    asked as well.
 * 3. An upstream over TLS is asked in clear text only if that is allowed and TLS has failed, now or
 *    before (upstream.h).
 */
#include <errno.h>

#include "resolver/query_internal.h"

void query_cancel_send(struct resolver_query *q, struct query_send *send)
{
	if (send->attempt)
		q->view->r->engines[send->protocol]->cancel(send->attempt);
	send->attempt = NULL;
}

static int send_packet(struct resolver_query *q, struct candidate *c)
{
	struct query_send *send = &q->sends[q->nsends];
	const struct attempt_user user = {
		.done = query_on_result, .arg = send, .given_up_ms = q->given_up_ms};
	int err;

	if (c->protocol == RESOLVER_TCP)
		for (unsigned i = 0; i < q->nsends; i++)
			if (q->sends[i].to == c && q->sends[i].protocol == c->protocol)
				query_cancel_send(q, &q->sends[i]);
	*send = (struct query_send){
		.q = q,
		.sent_ms = query_reactor(q)->now_ms,
		.protocol = c->protocol,
		.to = c,
		.edns = upstream_knows_edns(query_upstream(q, c), query_reactor(q)->now_ms),
	};
	err = view_send(q->view, c->upstream, c->protocol, &q->question, &user, &send->attempt);
	if (err)
		return err;
	q->nsends++;
	c->nsends[c->protocol]++;
	c->in_flight = c->protocol == RESOLVER_TLS;
	return 0;
}

/* How long the candidate is the only one to be waited for. */
static uint64_t patience_ms(struct resolver_query *q, const struct candidate *c)
{
	uint32_t timeout_ms = q->view->conf.timeout_ms;

	if (c->protocol == RESOLVER_TLS)
		return timeout_ms < UPSTREAM_HEDGE_MS ? timeout_ms : UPSTREAM_HEDGE_MS;
	if (c->protocol == RESOLVER_TCP)
		return upstream_reconnect_ms(query_upstream(q, c), timeout_ms, q->lineup.round);
	return upstream_retransmit_ms(query_upstream(q, c), timeout_ms, q->lineup.round);
}

int query_ask(struct resolver_query *q, struct candidate *c)
{
	int err = send_packet(q, c);

	if (err) {
		c->failure = err == -EHOSTUNREACH ? RESOLVER_UNREACHABLE : RESOLVER_LOCAL_ERROR;
		return err;
	}
	q->lineup.current = (unsigned)(c - q->lineup.candidates);
	query_enter(q, QUERY_ASKING, query_reactor(q)->now_ms + patience_ms(q, c));
	return 0;
}

void query_advance(struct resolver_query *q)
{
	struct candidate *c;

	if (query_is_overdue(q)) {
		query_enter(q, QUERY_WAITING, q->deadline_ms);
		return;
	}
	while ((c = lineup_next(&q->lineup))) {
		if (c->protocol == RESOLVER_TLS)
			c->protocol = view_protocol(q->view, c->upstream); /* lost meanwhile? */
		if (!query_ask(q, c))
			return;
	}
	if (lineup_all_out(&q->lineup))
		query_enter_failed(q, lineup_failure(&q->lineup));
	else
		query_enter(q, QUERY_WAITING, q->deadline_ms);
}
