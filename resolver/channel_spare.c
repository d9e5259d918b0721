// SPDX-License-Identifier: MIT
/*
 * channel_spare.c - the socket that an idle datagram channel keeps for its next attempt
 * (channel.h). Called on the thread that entered the resolver; never enters c-ares.
 *
 * All that costs time is done by the timer, which is due as soon as the last answer has come that
 * anybody waits for over this transport, and the host has delivered it. A program that asks nothing
 * for SPARE_MS has no spare left. So little time also bounds how long the source address, which
 * connect() chose, may be outdated.
 */
#include "resolver/channel.h"

#include "resolver/address.h"
#include "resolver/socket_call.h"

#define SPARE_MS   2000
#define SPARES_MAX 2 /* to one upstream: A and AAAA of one name */

void channel_spare_close(struct channel *ch)
{
	if (ch->spare.state == SPARE_NONE)
		return;
	ch->spare.state = SPARE_NONE;
	--*ch->nspares;
	reactor_timer_stop(ch->reactor, &ch->spare.timer);
	reactor_socket_close(ch->reactor, ch->spare.handle);
}

/* Nothing is waiting in the socket. What is there, or an error, was meant for the old port. */
static bool is_empty(struct channel *ch, int handle)
{
	int fd = reactor_hold(ch->reactor, handle);
	bool empty;
	char byte;

	if (fd < 0)
		return false;
	empty = socket_receive(fd, &byte, 1, MSG_DONTWAIT, NULL, NULL) == -EAGAIN;
	reactor_drop(ch->reactor);
	return empty;
}

/* Disconnecting gives the port back, as it was not bound by us; connecting takes another one. */
static void renew(struct channel *ch)
{
	static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int handle = ch->spare.handle;

	if (channel_connect(ch, handle, &nowhere, sizeof(nowhere)) || !is_empty(ch, handle) ||
	    channel_connect(ch, handle, (const struct sockaddr *)&ch->upstream->addr,
			    address_len(&ch->upstream->addr))) {
		channel_spare_close(ch);
		return;
	}
	ch->spare.state = SPARE_READY;
	reactor_timer_start(ch->reactor, &ch->spare.timer, ch->reactor->now_ms + SPARE_MS);
}

static void on_timer(struct reactor_timer *timer)
{
	struct channel *ch = container_of(timer, struct channel, spare.timer);

	switch (ch->spare.state) {
	case SPARE_NONE:
		break;
	case SPARE_USED:
		renew(ch);
		break;
	case SPARE_READY:
		channel_spare_close(ch);
		break;
	}
}

bool channel_spare_keep(struct channel *ch, int handle)
{
	if (ch->stream || ch->error || !ch->nanswers || *ch->nspares == SPARES_MAX)
		return false;
	++*ch->nspares;
	ch->spare.state = SPARE_USED;
	ch->spare.handle = handle;
	return true;
}

void channel_spare_renew_soon(struct channel *ch)
{
	if (ch->spare.state == SPARE_USED)
		reactor_timer_start(ch->reactor, &ch->spare.timer, ch->reactor->now_ms);
}

int channel_spare_take(struct channel *ch)
{
	if (ch->spare.state == SPARE_USED)
		renew(ch);
	if (ch->spare.state == SPARE_READY && reactor_hold(ch->reactor, ch->spare.handle) < 0)
		channel_spare_close(ch);
	if (ch->spare.state != SPARE_READY)
		return -1;
	reactor_drop(ch->reactor);
	reactor_timer_stop(ch->reactor, &ch->spare.timer);
	--*ch->nspares;
	ch->spare.state = SPARE_NONE;
	return ch->spare.handle;
}

int channel_spare_init(struct channel *ch)
{
	return reactor_timer_init(ch->reactor, &ch->spare.timer, on_timer);
}

void channel_spare_fini(struct channel *ch)
{
	channel_spare_close(ch);
	reactor_timer_fini(ch->reactor, &ch->spare.timer);
}
