// SPDX-License-Identifier: MIT
/*
 * channel.c - see channel.h. Called on the thread that entered the resolver; on_end(), by c-ares,
 * from inside one of the four functions that enter it: ares_send(), ares_process_fd(),
 * ares_cancel() and ares_destroy().
 */
#include "resolver/channel.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void deliver_later(struct attempt *a)
{
	reactor_defer(a->channel->reactor, &a->task);
}

void channel_keep_answer(struct attempt *a, const unsigned char *packet, unsigned len)
{
	if (a->answer || a->error)
		return;
	a->answer = malloc(len);
	if (a->answer) {
		memcpy(a->answer, packet, len);
		a->answer_len = len;
	} else {
		a->error = -ENOMEM;
	}
	deliver_later(a);
}

static void count_answer(struct channel *ch, const struct attempt *a)
{
	ch->nanswers++;
	ch->slowest_ms = attempt_slowest_ms(ch->slowest_ms, ch->reactor->now_ms - a->sent_ms);
}

/* c-ares has done with an attempt. */
static void on_end(void *arg, int status, int timeouts, unsigned char *packet, int len)
{
	struct attempt *a = arg;
	struct channel *ch = a->channel;

	(void)timeouts;
	a->inside = false;
	ch->ninside--;
	if (status == ARES_SUCCESS)
		count_answer(ch, a);
	if (!a->user.done) {
		free(a);
		return;
	}
	if (status == ARES_SUCCESS) {
		channel_keep_answer(a, packet,
				    packet == ch->datagram ? ch->datagram_len : (unsigned)len);
		return;
	}
	if (!a->answer && !a->error) {
		a->error = ch->error ? -ch->error : -ECONNREFUSED;
		if (status == ARES_ENOMEM)
			a->error = -ENOMEM;
	}
	deliver_later(a);
}

/* ---- the channel ---- */

static int set_upstream(ares_channel ares, const struct resolver_upstream *upstream)
{
	struct ares_addr_port_node node = {.family = upstream->addr.ss_family};

	if (node.family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&upstream->addr;

		node.addr.addr4 = in->sin_addr;
		node.udp_port = node.tcp_port = ntohs(in->sin_port);
	} else {
		const struct sockaddr_in6 *in6 = (const void *)&upstream->addr;

		memcpy(&node.addr.addr6, &in6->sin6_addr, sizeof(node.addr.addr6));
		node.udp_port = node.tcp_port = ntohs(in6->sin6_port);
	}
	return ares_set_servers_ports(ares, &node);
}

static int open_ares(struct channel *ch)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_IGNTC |
			 (ch->stream ? ARES_FLAG_USEVC | ARES_FLAG_STAYOPEN : 0),
		.timeout = INT_MAX,
		.tries = 1,
		.ndots = 1,
		.lookups = (char *)"b",
		.sock_state_cb = channel_watch,
		.sock_state_cb_data = ch,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
		   ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT | ARES_OPT_SERVERS | ARES_OPT_DOMAINS |
		   ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST | ARES_OPT_NOROTATE |
		   ARES_OPT_SOCK_STATE_CB;

#ifdef ARES_OPT_QUERY_CACHE /* c-ares 1.31 and later would answer by themselves */
	options.qcache_max_ttl = 0;
	mask |= ARES_OPT_QUERY_CACHE;
#endif
	if (ares_init_options(&ch->ares, &options, mask) != ARES_SUCCESS)
		return -ENOMEM;
	if (set_upstream(ch->ares, ch->upstream) != ARES_SUCCESS) {
		ares_destroy(ch->ares);
		return -ENOMEM;
	}
	ares_set_socket_functions(ch->ares, &channel_socket_functions, ch);
	return 0;
}

int channel_open(struct reactor *reactor, const struct resolver_upstream *upstream, bool stream,
		 unsigned *nspares, struct channel **ret)
{
	struct channel *ch = calloc(1, sizeof(*ch));

	if (!ch)
		return -ENOMEM;
	ch->reactor = reactor;
	ch->upstream = upstream;
	ch->stream = stream;
	ch->nspares = nspares;
	ch->handle = -1;
	list_init(&ch->live);
	if (channel_spare_init(ch)) {
		free(ch);
		return -ENOMEM;
	}
	if (open_ares(ch)) {
		channel_spare_fini(ch);
		free(ch);
		return -ENOMEM;
	}
	*ret = ch;
	return 0;
}

void channel_close(struct channel *ch)
{
	ares_destroy(ch->ares);
	channel_spare_fini(ch);
	free(ch);
}

/* Not for a stream: with STAYOPEN, ares_cancel() frees packets that are still in its send queue. */
void channel_reset(struct channel *ch)
{
	if (!ch->stream && ch->ninside)
		ares_cancel(ch->ares);
}

void channel_send(struct channel *ch, struct attempt *a)
{
	/* RFC 7766 6.2.1: unlike those in flight. An end to the search, should chance be broken. */
	for (int tries = 0; tries < 100; tries++) {
		unsigned char *p = a->packet;

		NS_PUT16(reactor_random16(ch->reactor), p);
		if (!channel_find_id(ch, a->packet))
			break;
	}
	a->channel = ch;
	a->inside = true;
	a->sent_ms = ch->reactor->now_ms;
	a->nanswers = ch->handle >= 0 ? ch->nanswers : 0; /* else of the socket before */
	a->reused = ch->stream && a->nanswers;
	if (ch->handle < 0) /* else it is that of attempts in flight too */
		ch->error = 0;
	ch->ninside++;
	list_remove(&a->link);
	list_append(&ch->live, &a->link);
	ch->sending = a;
	ares_send(ch->ares, a->packet, (int)a->len, on_end, a);
	ch->sending = NULL;
}
