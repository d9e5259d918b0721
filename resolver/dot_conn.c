// SPDX-License-Identifier: MIT
/* dot_conn.c - see dot_conn.h. Called on the thread that entered the resolver. */
#include "resolver/dot_conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/address.h"
#include "resolver/socket_call.h"
#include "resolver/tls_ticket.h"

/*
 * The segments that we ask the server for. One that leaves Nagle's algorithm on (unbound) keeps a
 * short segment back until all that it sent before is acknowledged: the first answer behind the
 * tickets, and AAAA behind A, a round trip each. A full segment is not kept back, so this is what a
 * padded answer fills: 468 octets (RFC 8467 4.1), their length (2), TLS 1.3's record (22) and TCP's
 * timestamps (12, RFC 7323). At 20 ms, a pair of answers from unbound takes 21 ms and not 41, a
 * first one 64 ms and not 84. The price: certificates of more than ten segments, 4.9 KB, take a
 * round trip more, in a full handshake. At 500 and below there are firewalls that drop the SYN.
 */
#define SEGMENT 504

/* Read in one go, so that a server which sends without end does not hold the thread: of the
 * shortest records of TLS, which change keys, some 2,400. The socket stays readable. */
#define READ_MAX (64u << 10)

const char *dot_state_to_str(enum dot_state state)
{
	switch (state) {
	case DOT_CONNECTING:
		return "connecting";
	case DOT_HANDSHAKING:
		return "handshaking";
	case DOT_OPEN:
		return "open";
	case DOT_LOST:
		return "lost";
	}
	return "?";
}

static struct reactor *reactor_of(const struct dot_conn *conn)
{
	return conn->target->reactor;
}

static void enter(struct dot_conn *conn, enum dot_state state)
{
	char text[ADDRESS_TEXT];

	reactor_log(reactor_of(conn), RESOLVER_LOG_DEBUG, "TLS to %s: %s -> %s",
		    address_to_str(&conn->addr, text), dot_state_to_str(conn->state),
		    dot_state_to_str(state));
	conn->state = state;
}

static void lose(struct dot_conn *conn, int error)
{
	enter(conn, DOT_LOST);
	reactor_timer_stop(reactor_of(conn), &conn->idle);
	conn->user->lost(conn, error);
}

/* ---- waiting ---- */

int dot_conn_watch(struct dot_conn *conn)
{
	unsigned events = RESOLVER_READ | (conn->tls.wants_write ? RESOLVER_WRITE : 0);
	int err = 0;

	if (conn->state == DOT_CONNECTING)
		events = RESOLVER_WRITE;
	if (events != conn->events)
		err = reactor_watch(reactor_of(conn), conn->handle, events);
	if (!err)
		conn->events = events;
	return err;
}

/* What comes while it runs does not prolong the idle time. */
void dot_conn_settle(struct dot_conn *conn)
{
	bool busy = conn->table.n || conn->out.len;

	if (busy)
		reactor_timer_stop(reactor_of(conn), &conn->idle);
	else if (!conn->idle.place)
		reactor_timer_start(reactor_of(conn), &conn->idle,
				    reactor_of(conn)->now_ms + conn->idle_ms);
	dot_inbox_release(&conn->in, true);
}

static void on_idle(struct reactor_timer *timer)
{
	struct dot_conn *conn = container_of(timer, struct dot_conn, idle);

	tls_stream_close(&conn->tls, true);
	lose(conn, 0);
}

/* ---- the states ---- */

/* 0: the TCP connection is there. */
static int socket_error(struct dot_conn *conn)
{
	int fd = reactor_hold(reactor_of(conn), conn->handle), err;

	if (fd < 0)
		return -EBADF;
	err = socket_get_error(fd);
	reactor_drop(reactor_of(conn));
	return err;
}

static int begin_handshake(struct dot_conn *conn)
{
	const struct dot_target *target = conn->target;
	const struct tls_peer peer = {
		.addr = &conn->addr,
		.host = target->host,
		.ticket_key =
			tls_ticket_key(target->tls, &conn->addr, target->host, target->ticket_seed),
	};
	int err = socket_error(conn);

	if (!err)
		err = tls_stream_open(&conn->tls, target->tls, &peer, conn->handle, conn->resume);
	if (!err)
		enter(conn, DOT_HANDSHAKING);
	return err;
}

/* Sends what was held back for a write that does not come. */
static void push(struct dot_conn *conn)
{
	int fd = reactor_hold(reactor_of(conn), conn->handle);

	if (fd < 0)
		return; /* the next operation will say so */
	socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	reactor_drop(reactor_of(conn));
}

static void tell(const struct dot_conn *conn)
{
	const struct dot_target *target = conn->target;
	char text[RESOLVER_HOST_MAX + sizeof("[]:65535")];
	const struct resolver_event event = {
		.kind = RESOLVER_HANDSHAKE,
		.transport = RESOLVER_TLS,
		.upstream = target->port ? text : address_to_str(&conn->addr, text),
		.ms = (uint32_t)conn->setup_ms,
		.resumed = tls_stream_is_resumed(&conn->tls),
		.authenticated = conn->tls.authenticated,
		.version = tls_stream_version(&conn->tls),
	};

	if (target->port)
		snprintf(text, sizeof(text), "%s:%u", target->host, target->port);
	reactor_event(target->reactor, &event);
}

/* The last flight and the first questions go in one segment: the server is woken once. */
static int shake_hands(struct dot_conn *conn)
{
	int err;

	conn->tls.socket.more = true;
	err = tls_stream_handshake(&conn->tls);
	conn->tls.socket.more = false;
	if (err == -EAGAIN)
		push(conn);
	if (err)
		return err == -EAGAIN ? 0 : err;
	enter(conn, DOT_OPEN);
	conn->setup_ms = reactor_of(conn)->now_ms - conn->begun_ms;
	tell(conn);
	conn->user->opened(conn);
	err = dot_exchange(conn);
	if (!err && !conn->table.n)
		push(conn);
	return err;
}

/* Goes as far as it can without waiting. */
static void step(struct dot_conn *conn)
{
	int err = 0;

	conn->tls.wants_write = false;
	if (conn->state == DOT_CONNECTING)
		err = begin_handshake(conn);
	conn->tls.socket.room = READ_MAX;
	if (conn->state == DOT_OPEN)
		err = dot_exchange(conn);
	else if (!err)
		err = shake_hands(conn);
	if (!err)
		err = dot_conn_watch(conn);
	if (err)
		lose(conn, err);
}

static void on_ready(void *arg, int handle, unsigned events)
{
	(void)handle;
	(void)events;
	step(arg);
}

/* ---- the connection ---- */

static int connect_socket(struct dot_conn *conn)
{
	int fd = reactor_hold(reactor_of(conn), conn->handle), err;

	if (fd < 0)
		return -EBADF;
	/* or a second question would wait for the ACK of the first */
	socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	socket_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, DOT_UNACKED_MS);
	socket_set(fd, IPPROTO_TCP, TCP_MAXSEG, SEGMENT); /* for the better only: may fail */
	err = socket_connect(fd, (const struct sockaddr *)&conn->addr, address_len(&conn->addr));
	reactor_drop(reactor_of(conn));
	return err == -EINPROGRESS ? 0 : err;
}

static int open_socket(struct dot_conn *conn)
{
	int err;

	conn->handle = reactor_socket_open(reactor_of(conn), conn->addr.ss_family, SOCK_STREAM,
					   IPPROTO_TCP, on_ready, conn);
	if (conn->handle < 0)
		return conn->handle;
	err = connect_socket(conn);
	if (!err)
		err = tls_context_load(conn->target->tls); /* while the server answers */
	if (!err)
		err = dot_conn_watch(conn);
	if (err)
		reactor_socket_close(reactor_of(conn), conn->handle);
	return err;
}

int dot_conn_open(const struct dot_target *target, const struct sockaddr_storage *addr, bool resume,
		  const struct dot_conn_user *user, void *arg, struct dot_conn **ret)
{
	struct dot_conn *conn = calloc(1, sizeof(*conn));
	int err;

	if (!conn)
		return -ENOMEM;
	*conn = (struct dot_conn){
		.user = user,
		.arg = arg,
		.target = target,
		.addr = *addr,
		.resume = resume,
		.begun_ms = target->reactor->now_ms,
		.idle_ms = DOT_IDLE_MS,
	};
	list_init(&conn->link);
	dot_table_init(&conn->table);
	if (reactor_timer_init(target->reactor, &conn->idle, on_idle)) {
		free(conn);
		return -ENOMEM;
	}
	err = open_socket(conn);
	if (err) {
		reactor_timer_fini(target->reactor, &conn->idle);
		free(conn);
		return err;
	}
	*ret = conn;
	return 0;
}

void dot_conn_close(struct dot_conn *conn)
{
	list_remove(&conn->link);
	reactor_timer_fini(reactor_of(conn), &conn->idle);
	tls_stream_close(&conn->tls, false);
	reactor_socket_close(reactor_of(conn), conn->handle);
	dot_inbox_release(&conn->in, false);
	dot_outbox_close(&conn->out);
	free(conn);
}

void dot_conn_forget(struct dot_conn *conn, struct attempt *a)
{
	dot_table_remove(&conn->table, a);
	dot_conn_settle(conn);
}

bool dot_conn_is_silent(const struct dot_conn *conn, const struct attempt *a, uint64_t ms)
{
	return a->nanswers == conn->nanswers && reactor_of(conn)->now_ms >= a->sent_ms + ms;
}
