// SPDX-License-Identifier: MIT
/*
 * dnsconn.c - the scripted server's TCP connections: framing, and writing without blocking.
 */
#include "dnsconn.h"
#include "dnswire.h"
#include "loop.h"
#include "netns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct conn {
	uint64_t id; /* never used again, so a late job cannot meet a stranger */
	int fd;
	struct lab_watch *watch;
	struct sockaddr_storage peer;
	dns_conn_message message;
	void *arg;
	uint8_t in[2 + DNS_MAX_MESSAGE];
	size_t nin;
	uint8_t *out; /* owned; not yet written octets */
	size_t nout;
	bool closing; /* close when `out` is empty */
	struct conn *next;
};

static struct conn *conns;
static uint64_t next_id = 1;

static struct conn *find(uint64_t id)
{
	struct conn *c = conns;

	while (c && c->id != id)
		c = c->next;
	return c;
}

static void conn_free(struct conn *c, bool reset)
{
	const struct linger now = {.l_onoff = 1};
	struct conn **link = &conns;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	lab_loop_unwatch(c->watch);
	close(c->fd);
	free(c->out);
	free(c);
}

/* Writes what the socket takes. False: the connection is gone. */
static bool flush(struct conn *c)
{
	while (c->nout > 0) {
		ssize_t n = send(c->fd, c->out, c->nout, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			conn_free(c, false);
			return false;
		}
		c->nout -= (size_t)n;
		memmove(c->out, c->out + n, c->nout);
	}
	if (c->nout == 0 && c->closing) {
		conn_free(c, false);
		return false;
	}
	lab_loop_events(c->watch, c->nout ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

void dns_conn_send(uint64_t conn_id, const uint8_t *msg, size_t len, enum dns_conn_end end)
{
	struct conn *c = find(conn_id);

	if (!c)
		return;
	if (end == DNS_CONN_RESET) {
		conn_free(c, true);
		return;
	}
	if (len) {
		c->out = realloc(c->out, c->nout + 2 + len);
		if (!c->out)
			lab_fail("scripted server: no memory");
		dns_put16(c->out + c->nout, (unsigned)len);
		memcpy(c->out + c->nout + 2, msg, len);
		c->nout += 2 + len;
	}
	c->closing |= end == DNS_CONN_CLOSE;
	flush(c);
}

/* Hands over each whole message. The receiver may close the connection at any of them. */
static void take_messages(uint64_t id)
{
	static uint8_t msg[DNS_MAX_MESSAGE];
	struct conn *c;

	while ((c = find(id)) && c->nin >= 2) {
		size_t len = dns_get16(c->in);

		if (c->nin < 2 + len)
			return;
		memcpy(msg, c->in + 2, len);
		c->nin -= 2 + len;
		memmove(c->in, c->in + 2 + len, c->nin);
		c->message(c->arg, id, &c->peer, msg, len);
	}
}

static void conn_ready(void *arg, uint32_t events)
{
	struct conn *c = arg;
	ssize_t n;

	if (events & EPOLLOUT && !flush(c))
		return;
	if (!(events & ~(uint32_t)EPOLLOUT))
		return;
	n = recv(c->fd, c->in + c->nin, sizeof(c->in) - c->nin, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		conn_free(c, false);
		return;
	}
	c->nin += (size_t)n;
	take_messages(c->id);
}

void dns_conn_open(int fd, const struct sockaddr_storage *peer, dns_conn_message message, void *arg)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		lab_fail("scripted server: no memory");
	c->id = next_id++;
	c->fd = fd;
	c->peer = *peer;
	c->message = message;
	c->arg = arg;
	c->next = conns;
	conns = c;
	c->watch = lab_loop_watch(fd, EPOLLIN, conn_ready, c);
}
