// SPDX-License-Identifier: MIT
/*
 * view_upstream.c - a view and one of its upstreams: over what it is asked, the packet that goes
 * there, and what is learnt of it. Called on the thread that entered the resolver.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "resolver/view.h"

#define CLEAR_PORT 53

const char *view_upstream_to_str(struct resolver_view *view, unsigned upstream)
{
	const struct sockaddr_storage *addr = &view->conf.upstreams[upstream].addr;
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_in *in = (const void *)addr;
	bool is_v4 = addr->ss_family == AF_INET;
	char ip[INET6_ADDRSTRLEN] = "?";

	inet_ntop(addr->ss_family, is_v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, ip,
		  sizeof(ip));
	snprintf(view->text, sizeof(view->text), is_v4 ? "%s:%u" : "[%s]:%u", ip,
		 ntohs(is_v4 ? in->sin_port : in6->sin6_port));
	return view->text;
}

enum resolver_transport view_protocol(const struct resolver_view *view, unsigned upstream)
{
	enum resolver_transport protocol = view->conf.upstreams[upstream].transport;

	if (protocol == RESOLVER_TLS && upstream_is_clear(&view->upstreams[upstream]))
		protocol = RESOLVER_UDP;
	return protocol == RESOLVER_UDP && view->conf.use_tcp ? RESOLVER_TCP : protocol;
}

static void log_change(struct resolver_view *view, unsigned upstream, const char *what)
{
	reactor_log(&view->r->reactor, RESOLVER_LOG_INFO, "upstream %s %s",
		    view_upstream_to_str(view, upstream), what);
}

void view_upstream_answered(struct resolver_view *view, unsigned upstream,
			    enum resolver_transport protocol, const struct attempt_result *result)
{
	struct upstream *u = &view->upstreams[upstream];
	uint64_t now_ms = view->r->reactor.now_ms;

	if (protocol == RESOLVER_TLS && upstream_regained_tls(u))
		log_change(view, upstream, "can be had over TLS again");
	if (upstream_answered(u, now_ms))
		log_change(view, upstream, "answers again");
	if (result->sent_ms)
		upstream_measured(u, now_ms - result->sent_ms);
}

void view_upstream_failed(struct resolver_view *view, unsigned upstream,
			  enum resolver_transport protocol, int error)
{
	struct upstream *u = &view->upstreams[upstream];
	uint64_t now_ms = view->r->reactor.now_ms;

	/* Silence over TLS is no lack of TLS, but does not show that it is back either. */
	if (protocol == RESOLVER_TLS && view->conf.tls.opportunistic &&
	    (error || upstream_is_clear(u))) {
		if (upstream_lost_tls(u, now_ms))
			log_change(view, upstream, "cannot be had over TLS: asked in clear text");
	} else if (upstream_failed(u, now_ms)) {
		log_change(view, upstream, "does not answer");
	}
}

/* ---- sending ---- */

/* The same server on the port of plain DNS. */
static void make_clear(struct resolver_upstream *u, enum resolver_transport protocol)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&u->addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&u->addr;

	u->transport = protocol;
	if (u->addr.ss_family == AF_INET6)
		in6->sin6_port = htons(CLEAR_PORT);
	else
		in->sin_port = htons(CLEAR_PORT);
}

static int open_transport(struct resolver_view *view, unsigned upstream,
			  enum resolver_transport protocol, struct transport **ret)
{
	struct transport_conf conf = {
		.upstream = view->conf.upstreams[upstream],
		.ticket_seed = view->conf.view,
	};
	int err = 0;

	if (protocol == RESOLVER_TLS && !view->tls)
		err = tls_context_open(&view->r->reactor, &view->conf.tls, &view->tls);
	if (err)
		return err;
	conf.tls = view->tls;
	if (conf.upstream.transport == RESOLVER_TLS && protocol != RESOLVER_TLS) {
		if (!view->conf.tls.opportunistic)
			return -EACCES;
		make_clear(&conf.upstream, protocol);
	}
	return view->r->engines[protocol]->open(&view->r->reactor, &conf, ret);
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
	      const struct packet_question *question, attempt_done *done, void *arg,
	      struct attempt **ret)
{
	unsigned char packet[PACKET_MAX];
	unsigned len = packet_build(question, packet_flags(view, upstream, protocol), packet);
	struct transport *transport;
	int err = get_transport(view, upstream, protocol, &transport);

	if (err)
		return err;
	upstream_tried(&view->upstreams[upstream], view->r->reactor.now_ms);
	return view->r->engines[protocol]->start(transport, packet, len, done, arg, ret);
}
