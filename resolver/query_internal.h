// SPDX-License-Identifier: MIT
/*
 * query_internal.h - a query as its three parts see it: its life and states (query.c), whom it asks
 * next (query_ask.c), and what follows from an answer or an error (query_reply.c).
 */
#ifndef NOBLOCKDNS_RESOLVER_QUERY_INTERNAL_H
#define NOBLOCKDNS_RESOLVER_QUERY_INTERNAL_H

#include "resolver/lineup.h"
#include "resolver/query.h"

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
	uint64_t deadline_ms, given_up_ms;
	void (*done)(void *arg, const struct resolver_rrset *rrset);
	void *arg;
	enum query_state state;
	enum resolver_failure failure; /* in FAILED */
	struct lineup lineup;
	unsigned nsends;
	struct query_send sends[]; /* as many as the lineup can ask for, over each protocol */
};

/* ---- query.c ---- */

/* Changes the state, and says when its timer fires; never later than the deadline. */
void query_enter(struct resolver_query *q, enum query_state state, uint64_t at_ms);

void query_enter_failed(struct resolver_query *q, enum resolver_failure failure);

/* Ends a query with done(rrset), and frees it. */
void query_finish(struct resolver_query *q, const struct resolver_rrset *rrset);

/* The host may call late. Then an answer that is there still counts, but nobody is asked. */
bool query_is_overdue(const struct resolver_query *q);

struct upstream *query_upstream(struct resolver_query *q, const struct candidate *c);

/* ---- query_ask.c ---- */

/* Sends a packet to the candidate and waits for it. 0 or a negative errno; then it is out. */
int query_ask(struct resolver_query *q, struct candidate *c);

/* Asks the next candidate in turn. */
void query_advance(struct resolver_query *q);

void query_cancel_send(struct resolver_query *q, struct query_send *send);

/* ---- query_reply.c ---- */

/* The end of an attempt; `arg` is its query_send. */
attempt_done query_on_result;

#endif
