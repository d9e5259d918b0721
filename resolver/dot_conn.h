// SPDX-License-Identifier: MIT
/*
 * dot_conn.h - one connection to one address over TLS, and the attempts that are in flight over it.
 *
 *	CONNECTING --TCP is there--> HANDSHAKING --authenticated--> OPEN
 *	    |                             |                           |
 *	    +----------- error -----------+---- error, end, idle -----+----> LOST
 *
 * There is no time limit on the first two: whoever opens it sets one. In OPEN, with nothing in
 * flight, it closes itself when the server's edns-tcp-keepalive timeout (RFC 7828) or DOT_IDLE_MS
 * is over; that is the one timer which is running then.
 *
 * The socket is watched for reading always, and for writing only while bytes could not be written:
 * a level-triggered loop would spin otherwise.
 */
#ifndef NOBLOCKDNS_RESOLVER_DOT_CONN_H
#define NOBLOCKDNS_RESOLVER_DOT_CONN_H

#include "resolver/dot_frame.h"
#include "resolver/dot_table.h"
#include "resolver/tls_stream.h"

#define DOT_IDLE_MS	20000  /* where the server does not say; Android's choice */
#define DOT_IDLE_MAX_MS 120000 /* where it does: no socket is kept for hours */
#define DOT_SILENT_MS	2000   /* an attempt is not answered, nor is another: suspect */
#define DOT_UNACKED_MS	3000   /* TCP_USER_TIMEOUT: some three retransmissions */

enum dot_state { DOT_CONNECTING, DOT_HANDSHAKING, DOT_OPEN, DOT_LOST };

/* Whoever holds a connection. Called from a reactor entry, never from inside a call below. */
struct dot_conn_user {
	/* It is open. The user may hand it to another one. */
	void (*opened)(struct dot_conn *conn);

	/* Open, and something has happened: there may be room to send. A negative errno ends it. */
	int (*ready)(struct dot_conn *conn);

	/* It is over and is to be closed, from here or later. 0: it had been idle. */
	void (*lost)(struct dot_conn *conn, int error);
};

/* What a connection is opened with. Borrowed until it is closed. */
struct dot_target {
	struct reactor *reactor;
	struct tls_context *tls;
	const char *host;     /* "": none, the address is authenticated */
	uint16_t port;	      /* where the upstream is known by its host name alone; else 0 */
	uint64_t ticket_seed; /* of tls_ticket_key() */
};

struct dot_conn {
	struct list link; /* the user's */
	const struct dot_conn_user *user;
	void *arg; /* the user's */
	enum dot_state state;
	const struct dot_target *target;
	struct sockaddr_storage addr;
	bool resume;
	uint64_t begun_ms; /* the connect */
	uint64_t setup_ms; /* from there to OPEN: two round trips at least */
	int handle;
	unsigned events; /* watched for */
	struct tls_stream tls;
	struct dot_table table;
	struct dot_inbox in;
	struct dot_outbox out; /* not empty: could not be written yet */
	struct reactor_timer idle;
	uint32_t idle_ms;
	unsigned nanswers;
	bool used; /* something was sent */
};

/* ---- between dot_conn.c and dot_exchange.c ---- */

/* In OPEN: reads and writes what there is. A negative errno: the connection is lost. */
int dot_exchange(struct dot_conn *conn);

/* Watches the socket for what the state waits for. */
int dot_conn_watch(struct dot_conn *conn);

/* Starts the idle timer if nothing is in flight, and else stops it. */
void dot_conn_settle(struct dot_conn *conn);

/* ---- for whoever holds a connection ---- */

/* Begins to connect. With `resume`, a TLS session is continued if the host knows one. -ENOMEM, or
 * an errno of socket() or connect(). */
int dot_conn_open(const struct dot_target *target, const struct sockaddr_storage *addr, bool resume,
		  const struct dot_conn_user *user, void *arg, struct dot_conn **ret);

/* Closes the socket without a word and frees. Nobody is in flight, or whoever is has been taken
 * from the table or does not matter. */
void dot_conn_close(struct dot_conn *conn);

/* In OPEN: sends those of a list of attempts for which there is room, the first first, several in
 * one record; they move to conn->table. 0 or a negative errno: it is to be given up. */
int dot_conn_send(struct dot_conn *conn, struct list *waiting);

/* An attempt of conn->table is not wanted any more. It is not freed. */
void dot_conn_forget(struct dot_conn *conn, struct attempt *a);

/* Has this one been in flight for so long, and nothing has been answered since it was sent? */
bool dot_conn_is_silent(const struct dot_conn *conn, const struct attempt *a, uint64_t ms);

const char *dot_state_to_str(enum dot_state state);

#endif
