// SPDX-License-Identifier: MIT
/*
 * transport_ares.c - UDP and TCP to one upstream over c-ares: which channel an attempt goes over,
 * and its life (transport.h). Called on the thread that entered the resolver.
 *
 * UDP: a channel that is idle has no socket, so each attempt that takes one gets a new socket with
 * a source port of the kernel's choice: that makes guessing harder (RFC 5452 9.2), and A and AAAA
 * leave from different ports, which some NATs need. With POOL_MAX channels busy, the one with the
 * least to do is shared. Orphans go when nobody waits on their channel, which a busy one might
 * never see: at DATAGRAM_INSIDE_MAX it is left alone until it has come to rest. Where all of them
 * are there the fullest goes on, so the others do rest.
 *
 * TCP: all attempts share one connection. One that let an attempt down is stale: it gets no more
 * attempts and is closed with its last one. That is so where nothing came since the attempt was
 * sent, and it was cancelled; or given up, and the connection had answered before. One that is not
 * used for STREAM_IDLE_MS is closed.
 *
 * A channel takes about 74 KB (c-ares's hash tables), so they are made when they are needed.
 *
 * An attempt: started -> inside c-ares -> ended, its task pending -> delivered and freed. Cancelled
 * before its end it is an orphan until c-ares lets go of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/channel.h"

#define POOL_MAX	    8
#define DATAGRAM_INSIDE_MAX 1024 /* bounds the orphans on a channel that is always busy */
#define STREAM_IDLE_MS	    20000
#define STREAM_INSIDE_MAX   512 /* bounds the orphans on a connection that is always busy */

struct transport {
	struct reactor *reactor;	   /* borrows */
	struct resolver_upstream upstream; /* the channels borrow it */
	bool stream;
	unsigned nspares;		/* of the channels */
	struct reactor_timer idle;	/* runs while a connection has nobody waiting */
	struct channel *pool[POOL_MAX]; /* owns; NULL: a free place */
};

/* ---- channels ---- */

static bool has_room(const struct channel *ch)
{
	return ch->stream ? !ch->stale && ch->ninside < STREAM_INSIDE_MAX : !ch->ninside;
}

/* Is there a connection that nothing has come over since the attempt was sent? */
static bool is_silent(const struct channel *ch, const struct attempt *a)
{
	return ch->stream && a->inside && a->nanswers == ch->nanswers;
}

/* A connection whose oldest attempt has been given up. One that has not answered yet may still be
 * on its way there: how long that takes is not known. */
static void judge_stream(struct transport *t, struct channel *ch)
{
	const struct attempt *a;
	uint64_t silent_ms;

	if (list_empty(&ch->live))
		return;
	a = container_of(ch->live.next, struct attempt, link);
	if (!a->reused || !is_silent(ch, a) || t->reactor->now_ms < a->user.given_up_ms)
		return;
	silent_ms = t->reactor->now_ms - a->sent_ms;
	if (silent_ms >= ATTEMPT_PATIENCE_MS && silent_ms >= 2 * ch->slowest_ms)
		ch->stale = true;
}

/* Of two channels without room. */
static bool is_better(const struct channel *ch, const struct channel *than)
{
	bool full = ch->ninside >= DATAGRAM_INSIDE_MAX;
	bool than_full = than->ninside >= DATAGRAM_INSIDE_MAX;

	if (full != than_full)
		return than_full;
	return full ? ch->ninside > than->ninside : ch->ninside < than->ninside;
}

/* The channel for the next attempt. -ENOMEM. */
static int pick_channel(struct transport *t, struct channel **ret)
{
	struct channel **free_place = NULL, *best = NULL;
	int err = -ENOMEM;

	for (int i = 0; i < POOL_MAX; i++) {
		struct channel *ch = t->pool[i];

		if (!ch) {
			free_place = free_place ? free_place : &t->pool[i];
			continue;
		}
		judge_stream(t, ch);
		if (has_room(ch)) {
			*ret = ch;
			return 0;
		}
		if (!best || is_better(ch, best))
			best = ch;
	}
	if (free_place)
		err = channel_open(t->reactor, &t->upstream, t->stream, &t->nspares, free_place);
	if (!err)
		best = *free_place;
	if (!best)
		return err;
	*ret = best;
	return 0;
}

static void close_channel(struct transport *t, struct channel *ch)
{
	for (int i = 0; i < POOL_MAX; i++)
		if (t->pool[i] == ch)
			t->pool[i] = NULL;
	channel_close(ch);
}

/* Spares are made ready while nobody waits: that takes longer than an answer of a near server. */
static void renew_spares(struct transport *t)
{
	for (int i = 0; i < POOL_MAX; i++)
		if (t->pool[i] && !list_empty(&t->pool[i]->live))
			return;
	for (int i = 0; i < POOL_MAX; i++)
		if (t->pool[i])
			channel_spare_renew_soon(t->pool[i]);
}

static void settle_datagrams(struct transport *t, struct channel *ch)
{
	channel_reset(ch);
	renew_spares(t);
}

/* When somebody has left: a channel that nobody waits on any more. */
static void settle_channel(struct transport *t, struct channel *ch)
{
	if (!list_empty(&ch->live))
		return;
	if (!ch->stream)
		settle_datagrams(t, ch);
	else if (ch->stale)
		close_channel(t, ch);
	else
		reactor_timer_start(t->reactor, &t->idle, t->reactor->now_ms + STREAM_IDLE_MS);
}

static void on_idle(struct reactor_timer *timer)
{
	struct transport *t = container_of(timer, struct transport, idle);

	for (int i = 0; i < POOL_MAX; i++)
		if (t->pool[i] && list_empty(&t->pool[i]->live))
			close_channel(t, t->pool[i]);
}

/* ---- attempts ---- */

/* Nobody wants the attempt any more. It may be gone afterwards, and so may its channel. */
static void release(struct attempt *a)
{
	struct transport *t = a->transport;
	struct channel *ch = a->channel;

	reactor_task_cancel(&a->task);
	list_remove(&a->link);
	free(a->answer);
	a->answer = NULL;
	a->user.done = NULL;
	if (!a->inside)
		free(a);
	settle_channel(t, ch);
}

/* A connection that had worked was closed under the attempt: most likely it had been idle for too
 * long in the eyes of the server (RFC 7766 6.2.4). False: there is no channel. */
static bool send_again(struct attempt *a)
{
	struct channel *before = a->channel, *ch;

	if (pick_channel(a->transport, &ch))
		return false;
	a->error = 0;
	channel_send(ch, a);
	if (ch != before)
		settle_channel(a->transport, before);
	return true;
}

static void deliver(struct reactor_task *task)
{
	struct attempt *a = container_of(task, struct attempt, task);
	struct attempt_user user = a->user;
	unsigned char *answer = a->answer;
	struct attempt_result result = {
		.error = a->error,
		.packet = answer,
		.len = a->answer_len,
		.sent_ms = a->transport->stream ? 0 : a->sent_ms,
	};

	if (result.error && a->reused && send_again(a))
		return;
	a->answer = NULL;
	release(a);
	user.done(user.arg, &result);
	free(answer);
}

static int start(struct transport *t, const unsigned char *packet, unsigned len,
		 const struct attempt_user *user, struct attempt **ret)
{
	struct channel *ch;
	struct attempt *a;

	if (len > PACKET_MAX)
		return -EMSGSIZE;
	if (pick_channel(t, &ch))
		return -ENOMEM;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->transport = t;
	a->user = *user;
	a->len = len;
	memcpy(a->packet, packet, len);
	list_init(&a->link);
	reactor_task_init(&a->task, deliver);
	*ret = a;
	channel_send(ch, a);
	return 0;
}

static void cancel(struct attempt *a)
{
	struct channel *ch = a->channel;

	if (is_silent(ch, a))
		ch->stale = true;
	release(a);
}

/* ---- the transport ---- */

static int open_transport(struct reactor *reactor, const struct transport_conf *conf, bool stream,
			  struct transport **ret)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	if (reactor_timer_init(reactor, &t->idle, on_idle)) {
		free(t);
		return -ENOMEM;
	}
	t->reactor = reactor;
	t->upstream = conf->upstream;
	t->stream = stream;
	*ret = t;
	return 0;
}

static int open_udp(struct reactor *reactor, const struct transport_conf *conf,
		    struct transport **ret)
{
	return open_transport(reactor, conf, false, ret);
}

static int open_tcp(struct reactor *reactor, const struct transport_conf *conf,
		    struct transport **ret)
{
	return open_transport(reactor, conf, true, ret);
}

static void close_transport(struct transport *t)
{
	for (int i = 0; i < POOL_MAX; i++)
		if (t->pool[i])
			close_channel(t, t->pool[i]);
	reactor_timer_fini(t->reactor, &t->idle);
	free(t);
}

const struct transport_ops transport_ares_udp = {
	.name = "UDP",
	.open = open_udp,
	.close = close_transport,
	.start = start,
	.cancel = cancel,
};

const struct transport_ops transport_ares_tcp = {
	.name = "TCP",
	.open = open_tcp,
	.close = close_transport,
	.start = start,
	.cancel = cancel,
};
