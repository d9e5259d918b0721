// SPDX-License-Identifier: MIT
/*
 * dot_table.h - one packet on its way to an upstream over TLS, and the table of those that have
 * been sent over a connection, by id.
 *
 * An attempt's life:
 *
 *	state	   link is in			leaves by
 *	WAITING	   transport.waiting		sent (SENT), no connection (ENDED)
 *	SENT	   table.sent			answered (ENDED), connection lost (WAITING or ENDED)
 *	ENDED	   nothing; its task is due	its task: done() is called and it is freed
 *
 * It is freed in any state when the query cancels it. An answer to it that comes later finds
 * nobody, or somebody with another question.
 */
#ifndef NOBLOCKDNS_RESOLVER_DOT_TABLE_H
#define NOBLOCKDNS_RESOLVER_DOT_TABLE_H

#include "resolver/transport.h"

/* In flight over one connection. Far fewer than there are ids, so that a random one is free; the
 * others wait. */
#define DOT_TABLE_MAX	  4096
#define DOT_TABLE_BUCKETS 256

struct dot_conn;

enum attempt_state { ATTEMPT_WAITING, ATTEMPT_SENT, ATTEMPT_ENDED };

struct attempt {
	enum attempt_state state;
	struct list link;
	struct attempt *next;	     /* in its bucket of the table */
	struct reactor_task task;    /* delivers what has become of it */
	struct transport *transport; /* borrows */
	struct dot_conn *conn;	     /* borrows; in SENT */
	struct attempt_user user;
	uint64_t sent_ms;
	unsigned nanswers; /* of the connection, when it was sent */
	bool retried;	   /* has had its free second connection */
	struct attempt_result result;
	unsigned char *answer; /* owns; result.packet */
	unsigned len;
	unsigned char packet[];
};

/* Zeroed is not empty: dot_table_init(). */
struct dot_table {
	struct list sent; /* of attempts, the oldest first */
	unsigned n;
	struct attempt *buckets[DOT_TABLE_BUCKETS];
};

void dot_table_init(struct dot_table *table);

/* Enters an attempt of no list, under an id which nobody else has: the first two bytes of its
 * packet are replaced. There are fewer than DOT_TABLE_MAX. */
void dot_table_add(struct dot_table *table, struct reactor *reactor, struct attempt *a);

void dot_table_remove(struct dot_table *table, struct attempt *a);

/* The attempt that this message answers, or NULL: nobody asked. */
struct attempt *dot_table_find(const struct dot_table *table, const unsigned char *message,
			       size_t len);

/* The one that was sent first; NULL: none. */
struct attempt *dot_table_oldest(const struct dot_table *table);

#endif
