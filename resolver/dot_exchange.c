// SPDX-License-Identifier: MIT
/*
 * dot_exchange.c - an open connection (dot_conn.h): packets are written and answers are read.
 * Called on the thread that entered the resolver.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/dot_conn.h"
#include "resolver/dot_message.h"

/* ---- reading ---- */

static void on_answer(struct dot_conn *conn, struct attempt *a, const unsigned char *message,
		      size_t len)
{
	dot_table_remove(&conn->table, a);
	conn->nanswers++;
	a->answer = malloc(len);
	if (a->answer)
		memcpy(a->answer, message, len);
	a->result = (struct attempt_result){
		.error = a->answer ? 0 : -ENOMEM,
		.packet = a->answer,
		.len = (unsigned)len,
		.authenticated = conn->tls.authenticated,
		.sent_ms = a->sent_ms,
	};
	a->state = ATTEMPT_ENDED;
	reactor_defer(conn->target->reactor, &a->task);
}

static void on_message(struct dot_conn *conn, const unsigned char *message, size_t len)
{
	struct attempt *a = dot_table_find(&conn->table, message, len);
	uint32_t idle_ms;

	if (!a) /* or it has been cancelled */
		return;
	if (dot_message_keepalive(message, len, &idle_ms)) {
		idle_ms -= idle_ms / 10; /* so that it is us who closes (RFC 7828 3.2.2) */
		conn->idle_ms = idle_ms < DOT_IDLE_MAX_MS ? idle_ms : DOT_IDLE_MAX_MS;
	}
	on_answer(conn, a, message, len);
}

/* All that may be read from the socket, to the last that is left in the TLS layer: nobody would
 * report that. */
static int read_messages(struct dot_conn *conn)
{
	for (;;) {
		const unsigned char *message;
		unsigned char *room;
		size_t len;
		ssize_t n;
		int err = dot_inbox_room(&conn->in, &room, &len);

		if (err)
			return err;
		n = tls_stream_read(&conn->tls, room, len);
		if (n < 0)
			return n == -EAGAIN ? 0 : (int)n;
		dot_inbox_fill(&conn->in, (size_t)n);
		while (dot_inbox_next(&conn->in, &message, &len))
			on_message(conn, message, len);
	}
}

/* ---- writing ---- */

static int write_out(struct dot_conn *conn)
{
	int err;

	if (!conn->out.len)
		return 0;
	err = tls_stream_write(&conn->tls, conn->out.buf, conn->out.len);
	if (err == -EAGAIN)
		return 0;
	dot_outbox_close(&conn->out);
	return err;
}

/* As many of the list as one record and the table hold. */
static int fill_out(struct dot_conn *conn, struct list *waiting)
{
	size_t size = 0;
	unsigned n = 0;
	int err;

	for (struct list *l = waiting->next; l != waiting; l = l->next, n++) {
		size_t more = DOT_FRAME_HEADER + container_of(l, struct attempt, link)->len;

		if (size + more > DOT_RECORD_MAX || conn->table.n + n == DOT_TABLE_MAX)
			break;
		size += more;
	}
	err = dot_outbox_open(&conn->out, size);
	conn->used = true;
	for (; !err && n; n--) {
		struct attempt *a = container_of(waiting->next, struct attempt, link);

		list_remove(&a->link);
		dot_table_add(&conn->table, conn->target->reactor, a);
		dot_outbox_add(&conn->out, a->packet, a->len);
		a->state = ATTEMPT_SENT;
		a->conn = conn;
		a->sent_ms = conn->target->reactor->now_ms;
		a->nanswers = conn->nanswers;
	}
	return err;
}

int dot_conn_send(struct dot_conn *conn, struct list *waiting)
{
	int err = 0;

	while (!err && !conn->out.len && !list_empty(waiting) && conn->table.n < DOT_TABLE_MAX) {
		err = fill_out(conn, waiting);
		if (!err)
			err = write_out(conn);
	}
	if (!err)
		err = dot_conn_watch(conn);
	dot_conn_settle(conn);
	return err;
}

/* ---- both ---- */

int dot_exchange(struct dot_conn *conn)
{
	int err = read_messages(conn);

	if (!err)
		err = write_out(conn);
	if (!err)
		err = conn->user->ready(conn);
	if (!err)
		dot_conn_settle(conn);
	return err;
}
