// SPDX-License-Identifier: MIT
/* probe.c - see probe.h. Called on the thread that entered the resolver. */
#include "resolver/probe.h"

#include <errno.h>

#include "resolver/view.h"

/*
 * How long an answer is waited for. A datagram that was lost is to be followed by another one
 * within two seconds. A connection is longer in the making (the engine's limit is 3 s), and sees to
 * lost segments by itself.
 */
#define DATAGRAM_MS 1000
#define STREAM_MS   4000

static void stop(struct probe *probe)
{
	reactor_timer_stop(&probe->view->r->reactor, &probe->timer);
	if (probe->attempt)
		probe->view->r->engines[probe->protocol]->cancel(probe->attempt);
	probe->attempt = NULL;
}

static void on_result(void *arg, const struct attempt_result *result)
{
	struct probe *probe = arg;

	probe->attempt = NULL;
	stop(probe);
	switch (result->error) {
	case 0:
		view_upstream_answered(probe->view, probe->upstream, result);
		return;
	case -EBADF:
	case -ENOMEM:
	case -ENOBUFS:
	case -EMFILE:
	case -ENFILE:
		return; /* says nothing of the upstream */
	default:
		view_upstream_failed(probe->view, probe->upstream);
	}
}

static void on_timer(struct reactor_timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);

	stop(probe);
	view_upstream_failed(probe->view, probe->upstream);
}

int probe_init(struct probe *probe, struct resolver_view *view, unsigned upstream)
{
	probe->view = view;
	probe->upstream = upstream;
	probe->attempt = NULL;
	return reactor_timer_init(&view->r->reactor, &probe->timer, on_timer);
}

void probe_fini(struct probe *probe)
{
	stop(probe);
	reactor_timer_fini(&probe->view->r->reactor, &probe->timer);
}

/* Without memory there will be other occasions. */
static void start(struct probe *probe, enum resolver_transport protocol)
{
	struct reactor *reactor = &probe->view->r->reactor;
	struct packet_question question;

	packet_question_init(&question, ".", RESOLVER_A);
	probe->protocol = protocol;
	if (!view_send(probe->view, probe->upstream, protocol, &question, on_result, probe,
		       &probe->attempt))
		reactor_timer_start(reactor, &probe->timer,
				    reactor->now_ms +
					    (protocol == RESOLVER_UDP ? DATAGRAM_MS : STREAM_MS));
}

static bool are_all_down(const struct resolver_view *view)
{
	for (unsigned i = 0; i < view->conf.nupstreams; i++)
		if (!upstream_is_down(&view->upstreams[i]))
			return false;
	return true;
}

void probe_others(struct resolver_view *view, unsigned asked)
{
	bool all_down = are_all_down(view);

	for (unsigned i = 0; i < view->conf.nupstreams; i++) {
		enum resolver_transport protocol = view_protocol(view, i);
		bool urgent = all_down || protocol == RESOLVER_TLS;

		if (i != asked && !view->probes[i].attempt &&
		    upstream_may_probe(&view->upstreams[i], urgent, view->r->reactor.now_ms))
			start(&view->probes[i], protocol);
	}
}
