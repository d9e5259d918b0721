// SPDX-License-Identifier: MIT
/*
 * query.c - the policy: whom one question is sent to, when again, and what ends it.
 *
 *	state		meaning				leaves by
 *	ASKING		somebody was just asked		timer: ask the next candidate, or WAITING
 *	WAITING		nobody is left to be asked	timer, which is at the deadline
 *	FAILED		the outcome is known		timer, which is now: done() is never called
 *							from inside resolver_ops.query()
 *
 * In ASKING and WAITING, an answer to any of the attempts, however late, ends the query; the
 * deadline does so with RESOLVER_TIMEOUT.
 *
 * 1. The candidates are the view's upstreams, in the order of upstream_order(). They are asked in
 *    turn, round after round, each when the one before has had its time (upstream_retransmit_ms()).
 *    How often at most is lineup.h's.
 * 2. A candidate that failed is out. The next is asked at once if it was the one waited for. When
 *    all are out, the query has failed, before its deadline.
 *	SERVFAIL, REFUSED, NOTIMP	out
 *	malformed			out
 *	refused or unreachable		out
 *	FORMERR to EDNS			asked again at once without, and so for good; else out
 *	TC				asked again at once over TCP (RFC 7766 5)
 *	socket taken by the program	the packet counts as lost
 * 3. Over a stream there is nothing to retransmit (TCP does), so a second packet means that the
 *    connection is given up: the attempt before is cancelled.
 */
#include "resolver/query.h"

#include <errno.h>
#include <stdlib.h>

#include "resolver/lineup.h"

enum query_state { QUERY_ASKING, QUERY_WAITING, QUERY_FAILED };

/* One packet sent. */
struct query_send {
	struct resolver_query *q; /* borrows */
	struct attempt *attempt;  /* the transport's; NULL: ended */
	uint64_t sent_ms;
	enum resolver_transport protocol;
	struct candidate *to; /* in q->lineup */
	bool edns;
};

struct resolver_query {
	struct list link;	    /* in view.queries */
	struct resolver_view *view; /* borrows */
	struct reactor_timer timer;
	struct packet_question question;
	uint64_t deadline_ms;
	void (*done)(void *arg, const struct resolver_rrset *rrset);
	void *arg;
	enum query_state state;
	enum resolver_failure failure; /* in FAILED */
	struct lineup lineup;
	unsigned nsends;
	struct query_send sends[]; /* as many as the lineup can ask for, over UDP and then TCP */
};

static const char *query_state_to_str(enum query_state state)
{
	switch (state) {
	case QUERY_ASKING:
		return "asking";
	case QUERY_WAITING:
		return "waiting";
	case QUERY_FAILED:
		return "failed";
	}
	return "?";
}

struct resolver_query *query_of_link(struct list *link)
{
	return container_of(link, struct resolver_query, link);
}

struct reactor *query_reactor(const struct resolver_query *q)
{
	return &q->view->r->reactor;
}

/* Changes the state, and says when its timer fires; never later than the deadline. */
static void enter(struct resolver_query *q, enum query_state state, uint64_t at_ms)
{
	if (state != q->state)
		reactor_log(query_reactor(q), RESOLVER_LOG_DEBUG, "query %p: %s -> %s", (void *)q,
			    query_state_to_str(q->state), query_state_to_str(state));
	q->state = state;
	reactor_timer_start(query_reactor(q), &q->timer,
			    at_ms < q->deadline_ms ? at_ms : q->deadline_ms);
}

static void enter_failed(struct resolver_query *q, enum resolver_failure failure)
{
	q->failure = failure;
	enter(q, QUERY_FAILED, query_reactor(q)->now_ms);
}

static struct upstream *upstream_of(struct resolver_query *q, const struct candidate *c)
{
	return &q->view->upstreams[c->upstream];
}

static void blame(struct resolver_query *q, const struct candidate *c)
{
	struct reactor *reactor = query_reactor(q);

	if (upstream_failed(upstream_of(q, c), reactor->now_ms))
		reactor_log(reactor, RESOLVER_LOG_INFO, "upstream %s does not answer",
			    view_upstream_to_str(q->view, c->upstream));
}

static void cancel_send(struct resolver_query *q, struct query_send *send)
{
	if (send->attempt)
		q->view->r->engines[send->protocol]->cancel(send->attempt);
	send->attempt = NULL;
}

/* ---- the end ---- */

static void detach(struct resolver_query *q)
{
	for (unsigned i = 0; i < q->nsends; i++)
		cancel_send(q, &q->sends[i]);
	reactor_timer_fini(query_reactor(q), &q->timer);
	list_remove(&q->link);
}

void query_cancel(struct resolver_query *q)
{
	detach(q);
	free(q);
}

/* done() may do what it likes to the view, so the query is gone before it is called. */
static void finish(struct resolver_query *q, const struct resolver_rrset *rrset)
{
	void (*done)(void *arg, const struct resolver_rrset *rrset) = q->done;
	void *arg = q->arg;

	detach(q);
	free(q);
	done(arg, rrset);
}

void query_fail(struct resolver_query *q, enum resolver_failure failure)
{
	const struct resolver_rrset rrset = {
		.type = q->question.type,
		.kind = RESOLVER_FAILURE,
		.failure = failure,
	};

	finish(q, &rrset);
}

/* ---- asking ---- */

static attempt_done on_attempt_done;

static int send_packet(struct resolver_query *q, struct candidate *c)
{
	struct query_send *send = &q->sends[q->nsends];
	bool edns = !upstream_of(q, c)->edns_off, ad = q->view->conf.trust_ad;
	unsigned char packet[PACKET_MAX];
	unsigned len =
		packet_build(&q->question, (edns ? PACKET_EDNS : 0) | (ad ? PACKET_AD : 0), packet);
	struct transport *transport;
	int err;

	if (c->protocol != RESOLVER_UDP)
		for (unsigned i = 0; i < q->nsends; i++)
			if (q->sends[i].to == c && q->sends[i].protocol == c->protocol)
				cancel_send(q, &q->sends[i]);
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
	err = q->view->r->engines[c->protocol]->start(transport, packet, len, on_attempt_done, send,
						      &send->attempt);
	if (err)
		return err;
	q->nsends++;
	c->nsends[c->protocol]++;
	return 0;
}

static int ask(struct resolver_query *q, struct candidate *c)
{
	uint64_t now_ms = query_reactor(q)->now_ms;
	int err = send_packet(q, c);

	if (err) {
		c->failure = RESOLVER_NO_MEMORY;
		return err;
	}
	q->lineup.current = (unsigned)(c - q->lineup.candidates);
	enter(q, QUERY_ASKING,
	      now_ms + upstream_retransmit_ms(upstream_of(q, c), q->view->conf.timeout_ms,
					      q->lineup.round));
	return 0;
}

/* The host may call late. Then an answer that is there still counts, but nobody is asked. */
static bool is_overdue(const struct resolver_query *q)
{
	return query_reactor(q)->now_ms >= q->deadline_ms;
}

/* Asks the next candidate in turn. */
static void advance(struct resolver_query *q)
{
	struct candidate *c;

	if (is_overdue(q)) {
		enter(q, QUERY_WAITING, q->deadline_ms);
		return;
	}
	while ((c = lineup_next(&q->lineup)))
		if (!ask(q, c))
			return;
	if (lineup_all_out(&q->lineup))
		enter_failed(q, lineup_failure(&q->lineup));
	else
		enter(q, QUERY_WAITING, q->deadline_ms);
}

/* ---- what can happen ---- */

static void on_timer(struct reactor_timer *timer)
{
	struct resolver_query *q = container_of(timer, struct resolver_query, timer);
	struct candidate *c = &q->lineup.candidates[q->lineup.current];

	if (q->state == QUERY_FAILED) {
		query_fail(q, q->failure);
		return;
	}
	if (q->state == QUERY_ASKING && !is_overdue(q)) {
		if (!c->failure)
			blame(q, c);
		advance(q);
		return;
	}
	query_fail(q, RESOLVER_TIMEOUT);
}

static void on_candidate_failed(struct resolver_query *q, struct candidate *c,
				enum resolver_failure failure)
{
	if (!c->failure)
		c->failure = failure;
	if (lineup_all_out(&q->lineup))
		enter_failed(q, lineup_failure(&q->lineup));
	else if (q->state == QUERY_ASKING && lineup_is_current(&q->lineup, c))
		advance(q);
}

/* FORMERR to a packet with EDNS, or TC: the same upstream again, in another way. */
static void ask_differently(struct resolver_query *q, struct candidate *c,
			    enum resolver_failure otherwise)
{
	if (c->failure || is_overdue(q))
		return;
	if (!lineup_may_ask(&q->lineup, c) || ask(q, c))
		on_candidate_failed(q, c, otherwise);
}

static void on_error(struct resolver_query *q, struct candidate *c, int error)
{
	switch (error) {
	case -EBADF:
		if (q->state == QUERY_ASKING && lineup_is_current(&q->lineup, c))
			advance(q);
		return;
	case -ENOMEM:
	case -ENOBUFS:
	case -EMFILE:
	case -ENFILE:
		on_candidate_failed(q, c, RESOLVER_NO_MEMORY);
		return;
	default:
		blame(q, c);
		on_candidate_failed(q, c, RESOLVER_UNREACHABLE);
	}
}

static bool was_asked_without_edns(const struct resolver_query *q, const struct candidate *c)
{
	for (unsigned i = 0; i < q->nsends; i++)
		if (q->sends[i].to == c && !q->sends[i].edns)
			return true;
	return false;
}

static void on_formerr(struct resolver_query *q, struct candidate *c, bool edns)
{
	struct upstream *u = upstream_of(q, c);

	if (!edns) {
		on_candidate_failed(q, c, RESOLVER_FORMERR);
		return;
	}
	if (!u->edns_off)
		reactor_log(query_reactor(q), RESOLVER_LOG_INFO,
			    "upstream %s knows no EDNS: off from now on",
			    view_upstream_to_str(q->view, c->upstream));
	u->edns_off = true;
	/* Else this is the FORMERR to another packet with EDNS. */
	if (!was_asked_without_edns(q, c))
		ask_differently(q, c, RESOLVER_FORMERR);
}

static void on_truncated(struct resolver_query *q, struct candidate *c)
{
	if (c->protocol != RESOLVER_UDP)
		return; /* a late one; asked over TCP already */
	c->protocol = RESOLVER_TCP;
	ask_differently(q, c, RESOLVER_MALFORMED);
}

static void on_answer(struct resolver_query *q, struct query_send *send,
		      const unsigned char *packet, unsigned len)
{
	struct candidate *c = send->to;
	struct answer *answer = &q->view->r->answer;
	unsigned flags = (send->protocol != RESOLVER_UDP ? ANSWER_STREAM : 0) |
			 (q->view->conf.trust_ad ? ANSWER_TRUST_AD : 0);
	enum answer_verdict verdict = answer_parse(answer, packet, len, &q->question, flags);

	reactor_log(query_reactor(q), RESOLVER_LOG_DEBUG, "query %p: upstream %u: %s", (void *)q,
		    c->upstream, answer_verdict_to_str(verdict));
	if (send->protocol == RESOLVER_UDP)
		upstream_answered(upstream_of(q, c), query_reactor(q)->now_ms - send->sent_ms);
	else
		upstream_alive(upstream_of(q, c));
	switch (verdict) {
	case ANSWER_VALID:
		finish(q, &answer->rrset);
		break;
	case ANSWER_TRUNCATED:
		on_truncated(q, c);
		break;
	case ANSWER_FORMERR:
		on_formerr(q, c, send->edns);
		break;
	case ANSWER_SERVFAIL:
		on_candidate_failed(q, c, RESOLVER_SERVFAIL);
		break;
	case ANSWER_REFUSED:
		on_candidate_failed(q, c, RESOLVER_REFUSED);
		break;
	case ANSWER_MALFORMED:
	case ANSWER_MISMATCH:
		on_candidate_failed(q, c, RESOLVER_MALFORMED);
		break;
	case ANSWER_NO_MEMORY:
		on_candidate_failed(q, c, RESOLVER_NO_MEMORY);
		break;
	}
}

static void on_attempt_done(void *arg, const struct attempt_result *result)
{
	struct query_send *send = arg;
	struct resolver_query *q = send->q;

	send->attempt = NULL;
	if (q->state == QUERY_FAILED)
		return;
	if (result->error)
		on_error(q, send->to, result->error);
	else
		on_answer(q, send, result->packet, result->len);
}

/* ---- the beginning ---- */

static void line_up(struct resolver_query *q)
{
	struct resolver_view *view = q->view;
	unsigned n = view->conf.nupstreams, first = view->conf.rotate ? view->next++ % n : 0;
	enum resolver_transport protocols[RESOLVER_MAX_UPSTREAMS];
	unsigned char order[RESOLVER_MAX_UPSTREAMS];

	for (unsigned i = 0; i < n; i++)
		protocols[i] = view_protocol(view, i);
	upstream_order(view->upstreams, n, first, query_reactor(q)->now_ms, order);
	lineup_init(&q->lineup, order, protocols, n, view->conf.attempts);
}

int query_open(struct resolver_view *view, const struct resolver_question *question,
	       struct resolver_query **ret)
{
	size_t max_sends = view->conf.nupstreams * 2 * LINEUP_SENDS_MAX;
	struct resolver_query *q = calloc(1, sizeof(*q) + max_sends * sizeof(q->sends[0]));

	if (!q)
		return -ENOMEM;
	if (reactor_timer_init(&view->r->reactor, &q->timer, on_timer)) {
		free(q);
		return -ENOMEM;
	}
	q->view = view;
	q->deadline_ms = question->deadline_ms;
	q->done = question->done;
	q->arg = question->arg;
	list_append(&view->queries, &q->link);
	line_up(q);
	*ret = q;
	if (packet_question_init(&q->question, question->name, question->type))
		enter_failed(q, RESOLVER_BAD_NAME);
	else if (question->deadline_ms <= query_reactor(q)->now_ms)
		enter_failed(q, RESOLVER_TIMEOUT);
	else
		advance(q);
	return 0;
}
