// SPDX-License-Identifier: MIT
/*
 * query.c - the life of one question: its states, its timer, its end. Called on the thread that
 * entered the resolver.
 *
 *	state		meaning				leaves by
 *	ASKING		somebody was just asked		timer: ask the next candidate, or WAITING
 *	WAITING		nobody is left to be asked	timer, which is at the deadline
 *	FAILED		the outcome is known		timer, which is now: done() is never called
 *							from inside resolver_ops.query()
 *
 * In ASKING and WAITING, an answer to any of the attempts, however late, ends the query; the
 * deadline does so with RESOLVER_TIMEOUT.
 */
#include <errno.h>
#include <stdlib.h>

#include "resolver/query_internal.h"

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

struct upstream *query_upstream(struct resolver_query *q, const struct candidate *c)
{
	return &q->view->upstreams[c->upstream];
}

/* ---- states ---- */

void query_enter(struct resolver_query *q, enum query_state state, uint64_t at_ms)
{
	if (state != q->state)
		reactor_log(query_reactor(q), RESOLVER_LOG_DEBUG, "query %p: %s -> %s", (void *)q,
			    query_state_to_str(q->state), query_state_to_str(state));
	q->state = state;
	reactor_timer_start(query_reactor(q), &q->timer,
			    at_ms < q->deadline_ms ? at_ms : q->deadline_ms);
}

void query_enter_failed(struct resolver_query *q, enum resolver_failure failure)
{
	q->failure = failure;
	query_enter(q, QUERY_FAILED, query_reactor(q)->now_ms);
}

bool query_is_overdue(const struct resolver_query *q)
{
	return query_reactor(q)->now_ms >= q->deadline_ms;
}

/* Has the candidate answered anybody since it was asked? Then a packet was lost, or the name is a
 * slow one; the upstream is not down. */
static bool has_been_heard(struct resolver_query *q, const struct candidate *c)
{
	for (unsigned i = q->nsends; i--;)
		if (q->sends[i].to == c)
			return query_upstream(q, c)->answered_ms > q->sends[i].sent_ms;
	return false;
}

static void on_timer(struct reactor_timer *timer)
{
	struct resolver_query *q = container_of(timer, struct resolver_query, timer);
	struct candidate *c = &q->lineup.candidates[q->lineup.current];

	if (q->state == QUERY_FAILED) {
		query_fail(q, q->failure);
		return;
	}
	if (q->state == QUERY_ASKING && !query_is_overdue(q)) {
		if (!c->failure && !has_been_heard(q, c))
			view_upstream_failed(q->view, c->upstream, c->protocol, 0);
		query_advance(q);
		return;
	}
	query_fail(q, RESOLVER_TIMEOUT);
}

/* ---- the end ---- */

static void detach(struct resolver_query *q)
{
	for (unsigned i = 0; i < q->nsends; i++)
		query_cancel_send(q, &q->sends[i]);
	reactor_timer_fini(query_reactor(q), &q->timer);
	list_remove(&q->link);
}

void query_cancel(struct resolver_query *q)
{
	detach(q);
	free(q);
}

/* done() may do what it likes to the view, so the query is gone before it is called. */
void query_finish(struct resolver_query *q, const struct resolver_rrset *rrset)
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

	query_finish(q, &rrset);
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
	upstream_order(view->upstreams, n, first, order);
	lineup_init(&q->lineup, order, protocols, n, view->conf.attempts);
}

/* Callers wait for upstreams that are up; what is known of the others is looked into beside that.
 */
static void begin(struct resolver_query *q)
{
	query_advance(q);
	probe_due(q->view);
}

int query_open(struct resolver_view *view, const struct resolver_question *question,
	       struct resolver_query **ret)
{
	size_t max_sends = view->conf.nupstreams * RESOLVER_NTRANSPORTS * LINEUP_SENDS_MAX;
	struct resolver_query *q = calloc(1, sizeof(*q) + max_sends * sizeof(q->sends[0]));

	if (!q)
		return -ENOMEM;
	if (reactor_timer_init(&view->r->reactor, &q->timer, on_timer)) {
		free(q);
		return -ENOMEM;
	}
	q->view = view;
	q->deadline_ms = question->deadline_ms;
	q->given_up_ms = question->given_up_ms;
	q->done = question->done;
	q->arg = question->arg;
	list_append(&view->queries, &q->link);
	line_up(q);
	*ret = q;
	if (packet_question_init(&q->question, question->name, question->type))
		query_enter_failed(q, RESOLVER_BAD_NAME);
	else if (question->deadline_ms <= query_reactor(q)->now_ms)
		query_enter_failed(q, RESOLVER_TIMEOUT);
	else
		begin(q);
	return 0;
}
