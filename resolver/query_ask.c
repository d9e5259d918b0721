// SPDX-License-Identifier: MIT
/*
 * query_ask.c - whom a question is sent to, and when again. Called on the thread that entered the
 * resolver.
 *
 * 1. The candidates are the view's upstreams, in the order of upstream_order(). They are asked in
 *    turn, round after round, each when the one before has had its time (upstream_retransmit_ms()).
 *    How often at most is lineup.h's.
 * 2. Over a stream there is nothing to retransmit (TCP does), so a second packet means that the
 *    connection is given up: the attempt before is cancelled.
 */
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
	bool edns = !query_upstream(q, c)->edns_off, ad = q->view->conf.trust_ad;
	unsigned char packet[PACKET_MAX];
	unsigned len =
		packet_build(&q->question, (edns ? PACKET_EDNS : 0) | (ad ? PACKET_AD : 0), packet);
	struct transport *transport;
	int err;

	if (c->protocol != RESOLVER_UDP)
		for (unsigned i = 0; i < q->nsends; i++)
			if (q->sends[i].to == c && q->sends[i].protocol == c->protocol)
				query_cancel_send(q, &q->sends[i]);
	err = view_transport(q->view, c->upstream, c->protocol, &transport);
	if (err)
		return err;
	*send = (struct query_send){
		.q = q,
		.sent_ms = query_reactor(q)->now_ms,
		.protocol = c->protocol,
		.to = c,
		.edns = edns,
	};
	err = q->view->r->engines[c->protocol]->start(transport, packet, len, query_on_result, send,
						      &send->attempt);
	if (err)
		return err;
	q->nsends++;
	c->nsends[c->protocol]++;
	return 0;
}

int query_ask(struct resolver_query *q, struct candidate *c)
{
	uint64_t now_ms = query_reactor(q)->now_ms;
	int err = send_packet(q, c);

	if (err) {
		c->failure = RESOLVER_NO_MEMORY;
		return err;
	}
	q->lineup.current = (unsigned)(c - q->lineup.candidates);
	query_enter(q, QUERY_ASKING,
		    now_ms + upstream_retransmit_ms(query_upstream(q, c), q->view->conf.timeout_ms,
						    q->lineup.round));
	return 0;
}

void query_advance(struct resolver_query *q)
{
	struct candidate *c;

	if (query_is_overdue(q)) {
		query_enter(q, QUERY_WAITING, q->deadline_ms);
		return;
	}
	while ((c = lineup_next(&q->lineup)))
		if (!query_ask(q, c))
			return;
	if (lineup_all_out(&q->lineup))
		query_enter_failed(q, lineup_failure(&q->lineup));
	else
		query_enter(q, QUERY_WAITING, q->deadline_ms);
}
