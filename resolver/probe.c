// SPDX-License-Identifier: MIT
/* probe.c - see probe.h. Called on the thread that entered the resolver. */
#include "resolver/probe.h"

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
	if (!result->error)
		view_upstream_answered(probe->view, probe->upstream, probe->protocol, result, 0);
	else if (upstream_is_to_blame(result->error))
		view_upstream_failed(probe->view, probe->upstream, probe->protocol, result->error);
}

static void on_timer(struct reactor_timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);

	stop(probe);
	view_upstream_failed(probe->view, probe->upstream, probe->protocol, 0);
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
	const struct attempt_user user = {
		.done = on_result,
		.arg = probe,
		.given_up_ms =
			reactor->now_ms + (protocol == RESOLVER_UDP ? DATAGRAM_MS : STREAM_MS),
	};
	struct packet_question question;

	packet_question_init(&question, ".", RESOLVER_A);
	probe->protocol = protocol;
	if (!view_send(probe->view, probe->upstream, protocol, &question, &user, &probe->attempt))
		reactor_timer_start(reactor, &probe->timer, user.given_up_ms);
}

static bool are_all_down(const struct resolver_view *view)
{
	for (unsigned i = 0; i < view->conf.nupstreams; i++)
		if (!upstream_is_down(&view->upstreams[i]))
			return false;
	return true;
}

/* Is a probe of this upstream due, and over which protocol? */
static bool is_due(const struct resolver_view *view, unsigned upstream, bool urgent,
		   enum resolver_transport *ret_protocol)
{
	const struct upstream *u = &view->upstreams[upstream];
	uint64_t now_ms = view->r->reactor.now_ms;

	*ret_protocol = RESOLVER_TLS;
	if (upstream_may_probe_tls(u, now_ms))
		return true;
	*ret_protocol = view_protocol(view, upstream);
	return upstream_may_probe(u, urgent || *ret_protocol == RESOLVER_TLS, now_ms);
}

void probe_due(struct resolver_view *view)
{
	bool all_down = are_all_down(view);
	enum resolver_transport protocol;

	for (unsigned i = 0; i < view->conf.nupstreams; i++)
		if (!view->probes[i].attempt && is_due(view, i, all_down, &protocol))
			start(&view->probes[i], protocol);
}
