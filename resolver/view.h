// SPDX-License-Identifier: MIT
/*
 * view.h - a set of upstreams, how to ask them, what is known of them, and the queries that are
 * being asked; and the resolver that holds the views.
 */
#ifndef NOBLOCKDNS_RESOLVER_VIEW_H
#define NOBLOCKDNS_RESOLVER_VIEW_H

#include "resolver/answer.h"
#include "resolver/bootstrap.h"
#include "resolver/probe.h"
#include "resolver/tls_context.h"
#include "resolver/transport.h"
#include "resolver/upstream.h"

struct resolver {
	struct reactor reactor;
	const struct transport_ops *engines[RESOLVER_NTRANSPORTS]; /* NULL: not in this build */
	struct list views;
	struct answer answer; /* where the answer of the moment is taken apart */
};

struct resolver_view {
	struct list link;   /* in resolver.views */
	struct resolver *r; /* borrows */
	struct resolver_conf conf;
	struct upstream upstreams[RESOLVER_MAX_UPSTREAMS];
	struct probe probes[RESOLVER_MAX_UPSTREAMS];
	/* owns; of those without an address, else NULL */
	struct bootstrap *bootstraps[RESOLVER_MAX_UPSTREAMS];
	struct resolver_view *inner; /* owns; asks the bootstrap servers; NULL until needed */
	/* owns; each opened when first needed */
	struct transport *transports[RESOLVER_MAX_UPSTREAMS][RESOLVER_NTRANSPORTS];
	struct tls_context *tls; /* owns; NULL until the first transport over TLS is opened */
	/* what the log and events call them: address (or host name) and port */
	char texts[RESOLVER_MAX_UPSTREAMS][RESOLVER_HOST_MAX + sizeof("[]:65535")];
	unsigned next; /* `rotate`: who the next query asks first */
	struct list queries;
};

/* A resolver that uses these engines (a test brings its own). -ENOMEM. */
int resolver_open_with(const struct resolver_host *host,
		       const struct transport_ops *const engines[RESOLVER_NTRANSPORTS],
		       struct resolver **ret);

/* See resolver_ops. */
int view_open(struct resolver *r, const struct resolver_conf *conf, struct resolver_view **ret);

/* Ends the view's queries, with RESOLVER_CANCELLED or, if `silent`, without done(). */
void view_close(struct resolver_view *view, bool silent);

/* The view that asks the bootstrap servers, opened if need be: it closes with this one and is on no
 * list of the resolver's. -ENOMEM, -EINVAL: there are none. */
int view_inner(struct resolver_view *view, struct resolver_view **ret);

/* ---- one of its upstreams: view_upstream.c ---- */

/* -ENOMEM. */
int view_upstream_init(struct resolver_view *view, unsigned upstream);
void view_upstream_fini(struct resolver_view *view, unsigned upstream);

/* An upstream answered over this protocol what it was asked at `sent_ms` (0: that is not known); or
 * it could not be had, or (`error` 0) did not answer in time. Tells the log when it goes down and
 * when it is back. */
void view_upstream_answered(struct resolver_view *view, unsigned upstream,
			    enum resolver_transport protocol, const struct attempt_result *result,
			    uint64_t sent_ms);
void view_upstream_failed(struct resolver_view *view, unsigned upstream,
			  enum resolver_transport protocol, int error);

/* The protocol that an upstream is asked over first: clear text instead of TLS only where that is
 * allowed and TLS has failed. */
enum resolver_transport view_protocol(const struct resolver_view *view, unsigned upstream);

/* Sends an upstream a packet that asks this question. The result of transport_ops.start(), or
 * -ENOMEM; -EACCES: it must not be asked in clear text; -EHOSTUNREACH: its address is not known. */
int view_send(struct resolver_view *view, unsigned upstream, enum resolver_transport protocol,
	      const struct packet_question *question, const struct attempt_user *user,
	      struct attempt **ret);

#endif
