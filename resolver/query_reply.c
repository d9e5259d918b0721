// SPDX-License-Identifier: MIT
/*
 * query_reply.c - what follows from an answer, or from the error of an attempt. Called on the
 * thread that entered the resolver.
 *
 * A candidate that failed is out. The next is asked at once if it was the one waited for. When all
 * are out, the query has failed, before its deadline.
 *
 *	SERVFAIL, REFUSED, NOTIMP	out
 *	malformed			out
 *	refused or unreachable		out
 *	no TLS, where clear text may	asked again at once in clear text (RFC 8310 5)
 *	be used instead
 *	FORMERR to EDNS			asked again at once without; else out
 *	TC				asked again at once over TCP (RFC 7766 5)
 *	socket taken by the program	the packet counts as lost
 */
#include <errno.h>

#include "resolver/query_internal.h"

static void on_candidate_failed(struct resolver_query *q, struct candidate *c,
				enum resolver_failure failure)
{
	if (!c->failure)
		c->failure = failure;
	if (lineup_all_out(&q->lineup))
		query_enter_failed(q, lineup_failure(&q->lineup));
	else if (q->state == QUERY_ASKING && lineup_is_current(&q->lineup, c))
		query_advance(q);
}

/* FORMERR to a packet with EDNS, or TC: the same upstream again, in another way. */
static void ask_differently(struct resolver_query *q, struct candidate *c,
			    enum resolver_failure otherwise)
{
	if (c->failure || query_is_overdue(q))
		return;
	if (!lineup_may_ask(&q->lineup, c) || query_ask(q, c))
		on_candidate_failed(q, c, otherwise);
}

/* Over whatever the view now uses in place of TLS. */
static void on_lost_tls(struct resolver_query *q, struct candidate *c)
{
	c->protocol = view_protocol(q->view, c->upstream);
	ask_differently(q, c, RESOLVER_UNREACHABLE);
}

/* What this process may not do, be it by a filter or a firewall, says nothing of the server: others
 * may, and are not to be told of a failure. Over TLS EACCES is the server's, who is another one. */
static bool is_forbidden(enum resolver_transport protocol, int error)
{
	switch (error) {
	case -EPERM:
	case -ENOSYS:
	case -EAFNOSUPPORT:
	case -EPROTONOSUPPORT:
		return true;
	case -EACCES:
		return protocol != RESOLVER_TLS;
	default:
		return false;
	}
}

static void on_error(struct resolver_query *q, struct query_send *send, int error)
{
	struct candidate *c = send->to;

	if (error == -EBADF) {
		if (q->state == QUERY_WAITING || lineup_is_current(&q->lineup, c))
			query_advance(q);
		return;
	}
	if (!upstream_is_to_blame(error)) {
		on_candidate_failed(q, c, RESOLVER_LOCAL_ERROR);
		return;
	}
	view_upstream_failed(q->view, c->upstream, send->protocol, error);
	if (send->protocol == RESOLVER_TLS && upstream_is_clear(query_upstream(q, c)))
		on_lost_tls(q, c);
	else
		on_candidate_failed(q, c,
				    is_forbidden(send->protocol, error) ? RESOLVER_LOCAL_ERROR
									: RESOLVER_UNREACHABLE);
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
	struct reactor *reactor = query_reactor(q);

	if (!edns) {
		on_candidate_failed(q, c, RESOLVER_FORMERR);
		return;
	}
	if (upstream_refused_edns(query_upstream(q, c), reactor->now_ms))
		reactor_log(reactor, RESOLVER_LOG_INFO, "upstream %s knows no EDNS: off for now",
			    q->view->texts[c->upstream]);
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

/* How an answer over this protocol is to be read. */
static unsigned parse_flags(const struct resolver_query *q, enum resolver_transport protocol,
			    bool authenticated)
{
	unsigned flags = q->view->conf.trust_ad || authenticated ? ANSWER_TRUST_AD : 0;

	switch (protocol) {
	case RESOLVER_UDP:
		return flags;
	case RESOLVER_TCP:
		return flags | ANSWER_STREAM;
	case RESOLVER_TLS:
		return flags | ANSWER_STREAM | ANSWER_WHOLE;
	}
	return flags;
}

static void on_answer(struct resolver_query *q, struct query_send *send,
		      const struct attempt_result *result)
{
	struct candidate *c = send->to;
	struct answer *answer = &q->view->r->answer;
	enum answer_verdict verdict =
		answer_parse(answer, result->packet, result->len, &q->question,
			     parse_flags(q, send->protocol, result->authenticated));

	reactor_log(query_reactor(q), RESOLVER_LOG_DEBUG, "query %p: upstream %u: %s", (void *)q,
		    c->upstream, answer_verdict_to_str(verdict));
	view_upstream_answered(q->view, c->upstream, send->protocol, result, send->sent_ms);
	switch (verdict) {
	case ANSWER_VALID:
		query_finish(q, &answer->rrset);
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
		on_candidate_failed(q, c, RESOLVER_LOCAL_ERROR);
		break;
	}
}

void query_on_result(void *arg, const struct attempt_result *result)
{
	struct query_send *send = arg;
	struct resolver_query *q = send->q;

	send->attempt = NULL;
	send->to->in_flight = false;
	if (q->state == QUERY_FAILED)
		return;
	if (result->error)
		on_error(q, send, result->error);
	else
		on_answer(q, send, result);
}
