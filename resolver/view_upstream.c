// SPDX-License-Identifier: MIT
/*
 * view_upstream.c - a view and one of its upstreams: over what it is asked, the packet that goes
 * there, and what is learnt of it. Called on the thread that entered the resolver.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resolver/address.h"
#include "resolver/view.h"

#define CLEAR_PORT 53

static bool is_by_name(const struct resolver_view *view, unsigned upstream)
{
	return view->conf.upstreams[upstream].addr.ss_family == AF_UNSPEC;
}

/* By way of a copy: that its source and destination lie in one object looks like an overlap. */
static void name_it(struct resolver_view *view, unsigned upstream)
{
	const struct resolver_upstream *u = &view->conf.upstreams[upstream];
	char text[sizeof(view->texts[0])], addr[ADDRESS_TEXT];

	if (is_by_name(view, upstream))
		snprintf(text, sizeof(text), "%s:%u", u->host, u->port);
	else
		snprintf(text, sizeof(text), "%s", address_to_str(&u->addr, addr));
	memcpy(view->texts[upstream], text, strlen(text) + 1);
}

/* Over streams nothing is retransmitted. */
static void remember(struct resolver_view *view, unsigned upstream)
{
	const struct resolver_host *host = &view->r->reactor.host;

	if (host->round_trip && view_protocol(view, upstream) == RESOLVER_UDP)
		view->upstreams[upstream].remembered_ms =
			host->round_trip(host->ctx, view->texts[upstream], RESOLVER_UDP);
}

int view_upstream_init(struct resolver_view *view, unsigned upstream)
{
	int err = probe_init(&view->probes[upstream], view, upstream);

	name_it(view, upstream);
	remember(view, upstream);
	if (err || !is_by_name(view, upstream))
		return err;
	err = bootstrap_open(view, &view->conf.upstreams[upstream], &view->bootstraps[upstream]);
	if (err)
		probe_fini(&view->probes[upstream]);
	return err;
}

void view_upstream_fini(struct resolver_view *view, unsigned upstream)
{
	probe_fini(&view->probes[upstream]);
	for (unsigned p = 0; p < RESOLVER_NTRANSPORTS; p++)
		if (view->transports[upstream][p])
			view->r->engines[p]->close(view->transports[upstream][p]);
	if (view->bootstraps[upstream])
		bootstrap_close(view->bootstraps[upstream]);
}

/* ---- what is learnt of it ---- */

enum resolver_transport view_protocol(const struct resolver_view *view, unsigned upstream)
{
	enum resolver_transport protocol = view->conf.upstreams[upstream].transport;

	if (protocol == RESOLVER_TLS && upstream_is_clear(&view->upstreams[upstream]))
		protocol = RESOLVER_UDP;
	return protocol == RESOLVER_UDP && view->conf.use_tcp ? RESOLVER_TCP : protocol;
}

static void log_change(struct resolver_view *view, unsigned upstream, const char *what)
{
	reactor_log(&view->r->reactor, RESOLVER_LOG_INFO, "upstream %s %s", view->texts[upstream],
		    what);
}

static void tell(struct resolver_view *view, unsigned upstream, struct resolver_event *event)
{
	event->upstream = view->texts[upstream];
	reactor_event(&view->r->reactor, event);
}

void view_upstream_answered(struct resolver_view *view, unsigned upstream,
			    enum resolver_transport protocol, const struct attempt_result *result,
			    uint64_t sent_ms)
{
	struct upstream *u = &view->upstreams[upstream];
	uint64_t now_ms = view->r->reactor.now_ms;
	struct resolver_event event = {
		.kind = RESOLVER_HEARD,
		.transport = protocol,
		.ms = sent_ms ? (uint32_t)(now_ms - sent_ms) : RESOLVER_MS_UNKNOWN,
	};

	if (protocol == RESOLVER_TLS && upstream_regained_tls(u))
		log_change(view, upstream, "can be had over TLS again");
	if (upstream_answered(u, now_ms))
		log_change(view, upstream, "answers again");
	if (result->sent_ms)
		upstream_measured(u, now_ms - result->sent_ms);
	event.srtt_ms = protocol == RESOLVER_UDP ? upstream_srtt_ms(u) : 0;
	tell(view, upstream, &event);
}

/* An address is found out on the way to TLS. */
static bool may_be_clear(const struct resolver_view *view, unsigned upstream)
{
	return view->conf.tls.opportunistic &&
	       (!is_by_name(view, upstream) || bootstrap_has_address(view->bootstraps[upstream]));
}

void view_upstream_failed(struct resolver_view *view, unsigned upstream,
			  enum resolver_transport protocol, int error)
{
	struct upstream *u = &view->upstreams[upstream];
	uint64_t now_ms = view->r->reactor.now_ms;
	struct resolver_event event = {
		.kind = RESOLVER_UNHEARD, .transport = protocol, .error = error};

	tell(view, upstream, &event);
	/* Silence over TLS is no lack of TLS, but does not show that it is back either. */
	if (protocol == RESOLVER_TLS && may_be_clear(view, upstream) &&
	    (error || upstream_is_clear(u))) {
		if (upstream_lost_tls(u, now_ms))
			log_change(view, upstream, "cannot be had over TLS: asked in clear text");
	} else if (upstream_failed(u, now_ms)) {
		log_change(view, upstream, "does not answer");
	}
}

/* ---- sending ---- */

/* The same server on the port of plain DNS. By name, it stays at the address that it has now. */
static int make_clear(struct resolver_view *view, unsigned upstream, struct resolver_upstream *u)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&u->addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&u->addr;
	int err = 0;

	if (!view->conf.tls.opportunistic)
		return -EACCES;
	if (is_by_name(view, upstream))
		err = bootstrap_address(view->bootstraps[upstream], &u->addr);
	if (u->addr.ss_family == AF_INET6)
		in6->sin6_port = htons(CLEAR_PORT);
	else
		in->sin_port = htons(CLEAR_PORT);
	return err;
}

static int open_transport(struct resolver_view *view, unsigned upstream,
			  enum resolver_transport protocol, struct transport **ret)
{
	struct transport_conf conf = {
		.upstream = view->conf.upstreams[upstream],
		.ticket_seed = view->conf.view,
	};
	int err = 0;

	if (protocol == RESOLVER_TLS) {
		if (!view->tls)
			err = tls_context_open(&view->r->reactor, &view->conf.tls, &view->tls);
		conf.tls = view->tls;
		if (is_by_name(view, upstream))
			conf.resolver = bootstrap_resolver(view->bootstraps[upstream]);
	} else if (conf.upstream.transport == RESOLVER_TLS) {
		err = make_clear(view, upstream, &conf.upstream);
	}
	conf.upstream.transport = protocol;
	return err ? err : view->r->engines[protocol]->open(&view->r->reactor, &conf, ret);
}

/* The view's transport to an upstream, opened if need be. -ENOMEM. */
static int get_transport(struct resolver_view *view, unsigned upstream,
			 enum resolver_transport protocol, struct transport **ret)
{
	struct transport **transport = &view->transports[upstream][protocol];
	int err = 0;

	if (!*transport)
		err = open_transport(view, upstream, protocol, transport);
	if (!err)
		*ret = *transport;
	return err;
}

/* An upstream over TLS can be believed (RFC 6840 5.7), and is asked for what it knows. */
static unsigned packet_flags(const struct resolver_view *view, unsigned upstream,
			     enum resolver_transport protocol)
{
	bool edns = upstream_knows_edns(&view->upstreams[upstream], view->r->reactor.now_ms);
	unsigned flags = (view->conf.trust_ad ? PACKET_AD : 0) | (edns ? PACKET_EDNS : 0);

	switch (protocol) {
	case RESOLVER_UDP:
		return flags;
	case RESOLVER_TCP:
		return flags | PACKET_KEEPALIVE;
	case RESOLVER_TLS:
		return flags | PACKET_KEEPALIVE | PACKET_PADDING | PACKET_AD;
	}
	return flags;
}

int view_send(struct resolver_view *view, unsigned upstream, enum resolver_transport protocol,
	      const struct packet_question *question, const struct attempt_user *user,
	      struct attempt **ret)
{
	unsigned char packet[PACKET_MAX];
	unsigned len = packet_build(question, packet_flags(view, upstream, protocol), packet);
	struct resolver_event event = {
		.kind = RESOLVER_ASKED, .transport = protocol, .type = question->type};
	struct transport *transport;
	int err = get_transport(view, upstream, protocol, &transport);

	if (err)
		return err;
	tell(view, upstream, &event);
	upstream_tried(&view->upstreams[upstream], view->r->reactor.now_ms);
	return view->r->engines[protocol]->start(transport, packet, len, user, ret);
}
