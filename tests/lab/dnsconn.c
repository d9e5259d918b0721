// SPDX-License-Identifier: MIT
/*
 * dnsconn.c - the scripted server's TCP and TLS connections: framing, and writing without blocking.
 */
#include "dnsconn.h"
#include "dnswire.h"
#include "loop.h"
#include "netns.h"
#include "proc.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct conn {
	uint64_t id; /* never used again, so a late job cannot meet a stranger */
	int fd;
	struct lab_watch *watch;
	struct sockaddr_storage peer;
	struct dns_conn_opts opts;
	struct dns_tls *tls; /* owned; NULL: without TLS */
	uint8_t in[2 + DNS_MAX_MESSAGE];
	size_t nin;   /* octets of messages, decrypted */
	uint8_t *out; /* owned; octets of the wire that are not written yet */
	size_t nout;
	uint32_t nanswers;
	uint32_t drip_ms; /* of an answer, until `out` is empty */
	bool dripping;	  /* the next octet leaves when a timer fires */
	bool closing;	  /* close when `out` is empty */
	bool reset;	  /* ... with RST */
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

static void conn_free(struct conn *c)
{
	const struct linger now = {.l_onoff = 1};
	struct conn **link = &conns;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	if (c->reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	lab_loop_unwatch(c->watch);
	close(c->fd);
	dns_tls_free(c->tls);
	free(c->out);
	free(c);
}

void dns_conn_close_all(void)
{
	while (conns)
		conn_free(conns);
}

static void append(struct conn *c, const void *octets, size_t len)
{
	c->out = realloc(c->out, c->nout + len);
	if (!c->out)
		lab_fail("scripted server: no memory");
	memcpy(c->out + c->nout, octets, len);
	c->nout += len;
}

static void drip_on(void *arg);

/* A timer names its connection by number, since that may be gone when it fires. */
static void timer_start(const struct conn *c, uint32_t ms, void (*fire)(void *arg))
{
	lab_loop_at(lab_now_ns() + ms * 1000000ULL, fire, (void *)(uintptr_t)c->id);
}

static uint32_t drip_of(const struct conn *c)
{
	if (c->tls && !dns_tls_established(c->tls))
		return c->opts.listen->drip_ms;
	return c->drip_ms;
}

/* Takes what TLS has to send. */
static void pump(struct conn *c)
{
	uint8_t octets[4096];
	size_t n;

	while (c->tls && (n = dns_tls_send(c->tls, octets, sizeof(octets))) > 0)
		append(c, octets, n);
}

/* Writes what the socket takes. False: the connection is gone. */
static bool flush(struct conn *c)
{
	uint32_t drip_ms = drip_of(c);

	while (c->nout > 0 && !c->dripping) {
		ssize_t n = send(c->fd, c->out, drip_ms ? 1 : c->nout, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			conn_free(c);
			return false;
		}
		c->nout -= (size_t)n;
		memmove(c->out, c->out + n, c->nout);
		c->dripping = drip_ms && c->nout > 0;
		if (c->dripping)
			timer_start(c, drip_ms, drip_on);
	}
	if (c->nout == 0)
		c->drip_ms = 0;
	if (c->nout == 0 && c->closing) {
		conn_free(c);
		return false;
	}
	lab_loop_events(c->watch, c->nout && !c->dripping ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

static void drip_on(void *arg)
{
	struct conn *c = find((uintptr_t)arg);

	if (!c)
		return;
	c->dripping = false;
	flush(c);
}

static void queue_message(struct conn *c, const uint8_t *msg, size_t len, size_t only)
{
	static uint8_t framed[2 + DNS_MAX_MESSAGE];
	size_t n = only && only < 2 + len ? only : 2 + len;

	dns_put16(framed, (unsigned)len);
	memcpy(framed + 2, msg, len);
	if (c->tls)
		dns_tls_write(c->tls, framed, n);
	else
		append(c, framed, n);
	c->nanswers++;
}

void dns_conn_send(uint64_t conn_id, const uint8_t *msg, size_t len,
		   const struct dns_conn_manner *how)
{
	struct conn *c = find(conn_id);
	bool last;

	if (!c)
		return;
	if (how->end == DNS_CONN_RESET) {
		c->reset = true;
		conn_free(c);
		return;
	}
	if (how->renegotiate && c->tls)
		dns_tls_renegotiate(c->tls);
	if (how->drip_ms)
		c->drip_ms = how->drip_ms; /* an answer behind it is no faster */
	if (len)
		queue_message(c, msg, len, how->only);
	last = len && c->nanswers == c->opts.listen->answers;
	if (c->tls && (how->end == DNS_CONN_CLOSE || last))
		dns_tls_close(c->tls);
	c->closing |= how->end != DNS_CONN_KEEP || how->only || last;
	c->reset |= how->end == DNS_CONN_RESET_AFTER;
	pump(c);
	flush(c);
}

/* Hands over each whole message. The receiver may close the connection at any of them. */
static void take_messages(uint64_t id)
{
	static uint8_t msg[DNS_MAX_MESSAGE];
	struct conn *c;

	while ((c = find(id)) && !c->closing && c->nin >= 2) {
		size_t len = dns_get16(c->in);

		if (c->nin < 2 + len)
			return;
		memcpy(msg, c->in + 2, len);
		c->nin -= 2 + len;
		memmove(c->in, c->in + 2 + len, c->nin);
		c->opts.message(c->opts.arg, id, &c->peer, msg, len);
	}
}

static bool shakes_no_hands(const struct conn *c)
{
	switch (c->opts.listen->fault) {
	case LAB_TLS_HONEST:
	case LAB_TLS_LEAVE:
		return false;
	case LAB_TLS_SILENT:
	case LAB_TLS_HANGUP:
	case LAB_TLS_PLAIN:
		break;
	}
	return true;
}

/* What such a TLS listener does with a client's first octets. */
static void misbehave(struct conn *c)
{
	static const char page[] = "HTTP/1.0 400 Bad Request\r\n\r\n";

	if (c->opts.listen->fault == LAB_TLS_PLAIN)
		append(c, page, sizeof(page) - 1);
	c->closing = true;
	flush(c);
}

static bool leaves(const struct conn *c)
{
	return c->opts.listen->fault == LAB_TLS_LEAVE && dns_tls_established(c->tls);
}

/* Decrypts what came, message by message: one may be the last. */
static void take_tls(struct conn *c, const uint8_t *octets, size_t len)
{
	uint64_t id = c->id;
	ssize_t n;

	dns_tls_receive(c->tls, octets, len);
	while ((n = dns_tls_read(c->tls, c->in + c->nin, sizeof(c->in) - c->nin)) > 0 &&
	       !leaves(c)) {
		c->nin += (size_t)n;
		take_messages(id);
		c = find(id);
		if (!c || c->closing)
			return;
	}
	if (n < 0 || leaves(c)) {
		dns_tls_close(c->tls);
		c->closing = true;
	}
	pump(c);
	flush(c);
}

static void conn_ready(void *arg, uint32_t events)
{
	static uint8_t octets[DNS_MAX_MESSAGE];
	struct conn *c = arg;
	size_t room = c->tls ? sizeof(octets) : sizeof(c->in) - c->nin;
	ssize_t n;

	if (events & EPOLLOUT && !flush(c))
		return;
	if (!(events & ~(uint32_t)EPOLLOUT))
		return;
	n = recv(c->fd, octets, room < sizeof(octets) ? room : sizeof(octets), 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		conn_free(c);
	} else if (shakes_no_hands(c)) {
		misbehave(c);
	} else if (c->tls) {
		take_tls(c, octets, (size_t)n);
	} else {
		memcpy(c->in + c->nin, octets, (size_t)n);
		c->nin += (size_t)n;
		take_messages(c->id);
	}
}

static void start_reading(void *arg)
{
	struct conn *c = find((uintptr_t)arg);

	if (c)
		lab_loop_events(c->watch, EPOLLIN);
}

void dns_conn_open(int fd, const struct sockaddr_storage *peer, const struct dns_conn_opts *opts)
{
	bool wait = opts->listen->fault == LAB_TLS_SILENT || opts->listen->delay_ms;
	struct conn *c = calloc(1, sizeof(*c));
	int one = 1;

	if (!c)
		lab_fail("scripted server: no memory");
	/* What is held back would be lost in a reset. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->id = next_id++;
	c->fd = fd;
	c->peer = *peer;
	c->opts = *opts;
	if (opts->tls)
		c->tls = dns_tls_open(opts->tls);
	c->next = conns;
	conns = c;
	c->watch = lab_loop_watch(fd, wait ? 0 : EPOLLIN, conn_ready, c);
	if (opts->listen->delay_ms)
		timer_start(c, opts->listen->delay_ms, start_reading);
}
