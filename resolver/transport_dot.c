// SPDX-License-Identifier: MIT
/*
 * transport_dot.c - DNS over TLS to one upstream (RFC 7858): which connection an attempt goes over,
 * and its life (transport.h, dot_table.h). Called on the thread that entered the resolver.
 *
 * 1. An attempt waits in a list, and a task that runs at the end of the entry, or at the next one,
 *    sends all that have gathered: many questions go in one record.
 * 2. There is one connection for new attempts. Without one, the upstream's addresses are looked up
 *    if they are not known, and race (dot_race.h); the attempts wait. When that fails, all fail.
 * 3. A connection that has let an attempt down (is_suspect(), forget()) is set aside: it gets no
 *    more attempts, keeps those that it has, and is closed with the last.
 * 4. When an open connection is lost, what was in flight goes to another one: most likely this one
 *    had been idle for too long in the eyes of the server (RFC 7766 6.2.4). Once; but a loss after
 *    answers had come does not count, so that a server which closes after each answer is asked for
 *    one answer at a time, as it wants to be. The same where it was lost before anything was sent:
 *    a server may break off each connection that it has just accepted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/dot_addrs.h"
#include "resolver/dot_race.h"

#define LIVE_MAX 65536 /* attempts; those beyond are refused. A process asks a thousandth */

struct transport {
	char host[RESOLVER_HOST_MAX];
	struct dot_target target; /* the connections borrow it */
	struct list waiting;	  /* attempts */
	unsigned nlive;		  /* attempts */
	uint64_t slowest_ms;	  /* attempt_slowest_ms() over all connections */
	struct reactor_task supply;
	struct dot_conn *conn; /* owns; for new attempts; NULL: none */
	struct list aside;     /* owns: connections that get no more */
	struct dot_addrs addrs;
	struct dot_race race;
};

static const struct dot_conn_user conn_user;

static struct reactor *reactor_of(const struct transport *t)
{
	return t->target.reactor;
}

/* ---- attempts ---- */

static void free_attempt(struct attempt *a)
{
	reactor_task_cancel(&a->task);
	a->transport->nlive--;
	free(a->answer);
	free(a);
}

static void deliver(struct reactor_task *task)
{
	struct attempt *a = container_of(task, struct attempt, task);
	struct attempt_result result = a->result;
	unsigned char *answer = a->answer;
	struct attempt_user user = a->user;
	struct transport *t = a->transport;

	if (!result.error)
		t->slowest_ms =
			attempt_slowest_ms(t->slowest_ms, reactor_of(t)->now_ms - a->sent_ms);
	a->answer = NULL;
	free_attempt(a);
	user.done(user.arg, &result);
	free(answer);
}

/* Of an attempt of no list. */
static void fail(struct attempt *a, int error)
{
	a->result = (struct attempt_result){.error = error};
	a->state = ATTEMPT_ENDED;
	reactor_defer(reactor_of(a->transport), &a->task);
}

static void fail_waiting(struct transport *t, int error)
{
	while (!list_empty(&t->waiting)) {
		struct attempt *a = container_of(t->waiting.next, struct attempt, link);

		list_remove(&a->link);
		fail(a, error);
	}
}

/* ---- connecting ---- */

static void on_won(struct dot_race *race, struct dot_conn *conn)
{
	struct transport *t = container_of(race, struct transport, race);

	conn->user = &conn_user;
	conn->arg = t;
	t->conn = conn;
}

static void on_race_lost(struct dot_race *race, int error)
{
	struct transport *t = container_of(race, struct transport, race);

	dot_addrs_doubt(&t->addrs);
	fail_waiting(t, error);
}

static const struct dot_race_user race_user = {
	.won = on_won,
	.lost = on_race_lost,
};

static void on_addrs(struct dot_addrs *addrs, int error)
{
	struct transport *t = container_of(addrs, struct transport, addrs);

	if (error)
		fail_waiting(t, error);
	else
		dot_race_start(&t->race, addrs->list, addrs->n);
}

static void connect_upstream(struct transport *t)
{
	if (!dot_race_is_on(&t->race))
		dot_addrs_get(&t->addrs);
}

/* ---- connections ---- */

/* An attempt of no list waits for another connection, or has failed. `stalled`: this one was of no
 * use to it. */
static void retry(struct transport *t, struct attempt *a, bool stalled, int error)
{
	if (stalled && a->retried) {
		fail(a, error);
		return;
	}
	a->retried |= stalled;
	a->state = ATTEMPT_WAITING;
	list_append(&t->waiting, &a->link);
}

/* What was in flight. */
static void take_back(struct transport *t, struct dot_conn *conn, int error)
{
	struct attempt *a;

	while ((a = dot_table_oldest(&conn->table))) {
		dot_table_remove(&conn->table, a);
		a->conn = NULL;
		retry(t, a, a->nanswers == conn->nanswers, error);
	}
}

/* What waited for a connection that was lost as soon as it was there. */
static void retry_waiting(struct transport *t, int error)
{
	struct list *last = t->waiting.prev;
	bool over = list_empty(&t->waiting);

	while (!over) {
		struct attempt *a = container_of(t->waiting.next, struct attempt, link);

		over = &a->link == last;
		list_remove(&a->link);
		retry(t, a, true, error);
	}
}

static void drop_conn(struct transport *t, struct dot_conn *conn, int error)
{
	if (error != -EBADF)
		error = -ECONNRESET;
	if (conn == t->conn) {
		t->conn = NULL;
		if (!conn->used)
			retry_waiting(t, error);
	}
	take_back(t, conn, error);
	dot_conn_close(conn);
	if (!list_empty(&t->waiting))
		reactor_defer(reactor_of(t), &t->supply);
}

static void set_aside(struct transport *t)
{
	if (t->conn->table.n)
		list_append(&t->aside, &t->conn->link);
	else
		dot_conn_close(t->conn);
	t->conn = NULL;
}

/* An attempt that nobody waits for any more: had it its time? */
static bool has_let_down(const struct dot_conn *conn, const struct attempt *a)
{
	return dot_conn_is_silent(conn, a, ATTEMPT_PATIENCE_MS) &&
	       dot_conn_is_silent(conn, a, conn->setup_ms) &&
	       dot_conn_is_silent(conn, a, 2 * a->transport->slowest_ms);
}

static bool is_suspect(const struct dot_conn *conn)
{
	const struct attempt *a = dot_table_oldest(&conn->table);

	if (!a)
		return false;
	return dot_conn_is_silent(conn, a, DOT_SILENT_MS) ||
	       (conn->target->reactor->now_ms >= a->user.given_up_ms && has_let_down(conn, a));
}

static void on_conn_opened(struct dot_conn *conn)
{
	(void)conn; /* it was open when it came here */
}

static int on_conn_ready(struct dot_conn *conn)
{
	struct transport *t = conn->arg;

	if (conn == t->conn)
		return dot_conn_send(conn, &t->waiting);
	return conn->table.n ? 0 : -ECONNRESET;
}

static void on_conn_lost(struct dot_conn *conn, int error)
{
	drop_conn(conn->arg, conn, error);
}

static const struct dot_conn_user conn_user = {
	.opened = on_conn_opened,
	.ready = on_conn_ready,
	.lost = on_conn_lost,
};

/* Sees to it that whoever waits gets on. */
static void on_supply(struct reactor_task *task)
{
	struct transport *t = container_of(task, struct transport, supply);
	int err = 0;

	if (t->conn && is_suspect(t->conn))
		set_aside(t);
	if (t->conn) {
		err = dot_conn_send(t->conn, &t->waiting);
		if (err)
			drop_conn(t, t->conn, err);
	} else if (!list_empty(&t->waiting)) {
		connect_upstream(t);
	}
}

/* ---- the operations ---- */

static int start(struct transport *t, const unsigned char *packet, unsigned len,
		 const struct attempt_user *user, struct attempt **ret)
{
	struct attempt *a;

	if (len > DOT_RECORD_MAX - DOT_FRAME_HEADER)
		return -EMSGSIZE;
	if (t->nlive == LIVE_MAX)
		return -ENOBUFS;
	a = malloc(sizeof(*a) + len);
	if (!a)
		return -ENOMEM;
	*a = (struct attempt){
		.state = ATTEMPT_WAITING,
		.transport = t,
		.user = *user,
		.len = len,
	};
	memcpy(a->packet, packet, len);
	reactor_task_init(&a->task, deliver);
	list_init(&a->link);
	list_append(&t->waiting, &a->link);
	t->nlive++;
	reactor_defer(reactor_of(t), &t->supply);
	*ret = a;
	return 0;
}

static void forget(struct attempt *a)
{
	struct transport *t = a->transport;
	struct dot_conn *conn = a->conn;

	if (conn == t->conn &&
	    (has_let_down(conn, a) || dot_conn_is_silent(conn, a, DOT_SILENT_MS)))
		set_aside(t);
	dot_conn_forget(conn, a);
	if (conn != t->conn && !conn->table.n)
		dot_conn_close(conn);
}

static void cancel(struct attempt *a)
{
	switch (a->state) {
	case ATTEMPT_WAITING:
		list_remove(&a->link);
		break;
	case ATTEMPT_SENT:
		forget(a);
		break;
	case ATTEMPT_ENDED:
		break;
	}
	free_attempt(a);
}

static int open_transport(struct reactor *reactor, const struct transport_conf *conf,
			  struct transport **ret)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	memcpy(t->host, conf->upstream.host, sizeof(t->host));
	t->target = (struct dot_target){
		.reactor = reactor,
		.tls = conf->tls,
		.host = t->host,
		.port = conf->upstream.addr.ss_family == AF_UNSPEC ? conf->upstream.port : 0,
		.ticket_seed = conf->ticket_seed,
	};
	if (dot_race_init(&t->race, &t->target, &race_user)) {
		free(t);
		return -ENOMEM;
	}
	dot_addrs_init(&t->addrs, reactor, conf, on_addrs);
	list_init(&t->waiting);
	list_init(&t->aside);
	reactor_task_init(&t->supply, on_supply);
	*ret = t;
	return 0;
}

static void close_transport(struct transport *t)
{
	reactor_task_cancel(&t->supply);
	dot_addrs_fini(&t->addrs);
	dot_race_fini(&t->race);
	if (t->conn)
		dot_conn_close(t->conn);
	while (!list_empty(&t->aside))
		dot_conn_close(container_of(t->aside.next, struct dot_conn, link));
	free(t);
}

const struct transport_ops transport_dot = {
	.name = "TLS",
	.open = open_transport,
	.close = close_transport,
	.start = start,
	.cancel = cancel,
};
