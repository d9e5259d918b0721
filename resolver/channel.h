// SPDX-License-Identifier: MIT
/*
 * channel.h - one c-ares channel as a bare transport: it carries packets to one upstream over one
 * socket and hands the answers back, and decides nothing.
 *
 * What c-ares 1.18 would do and must not, and how it is kept from it:
 *	read files and the environment		every option is given
 *	time out, retransmit, other servers	one server, one try, a time limit of INT_MAX ms
 *	judge response codes and truncation	NOCHECKRESP, IGNTC
 *	resend after FORMERR by itself, cutting	its EDNS flag is off; it then reports at most 512
 *	eleven bytes off the packet		bytes of a datagram, but we know the real length
 *	make sockets				socket functions of ours
 *	take packets without QR, any source	filtered before it sees them (RFC 5452 9.1)
 *	port, drop bare error headers
 *
 * c-ares is never entered from one of its callbacks: what a callback learns is kept in the attempt,
 * whose task delivers it later. A single c-ares query cannot be cancelled: an attempt that is not
 * wanted any more stays inside as an orphan until it is answered or the channel is reset.
 */
#ifndef NOBLOCKDNS_RESOLVER_CHANNEL_H
#define NOBLOCKDNS_RESOLVER_CHANNEL_H

#include <ares.h>

#include "resolver/packet.h"
#include "resolver/transport.h"

struct attempt {
	struct list link;	     /* in channel.live while it is wanted */
	struct reactor_task task;    /* delivers what has come */
	struct transport *transport; /* borrows */
	struct channel *channel;     /* borrows: the one that it was sent over */
	struct attempt_user user;    /* done NULL: an orphan */
	bool inside;		     /* c-ares holds it and will call back */
	bool reused;		     /* sent over a connection that had answered before */
	unsigned nanswers;	     /* of the channel when it was sent */
	uint64_t sent_ms;
	int error;	       /* what is to be delivered: this, or the answer */
	unsigned char *answer; /* owns */
	unsigned answer_len;
	unsigned len;
	unsigned char packet[PACKET_MAX];
};

/*
 * The socket of an idle datagram channel, kept for the next attempt, so that making one is off the
 * way of a question. It is disconnected and connected again first, which gives it another source
 * port of the kernel's choice: no two attempts leave from the same one because of it. Nothing that
 * was sent to the old port is left in it.
 *
 *	NONE --closed by c-ares--> USED --timer, nobody waits--> READY --taken--> NONE
 *	USED or READY --taken before the time, anything arrives, SPARE_MS over, reset--> closed
 */
enum spare_state { SPARE_NONE, SPARE_USED, SPARE_READY };

struct channel_spare {
	enum spare_state state;
	int handle;
	struct reactor_timer timer;
};

struct channel {
	ares_channel ares;			  /* owns */
	struct reactor *reactor;		  /* borrows */
	const struct resolver_upstream *upstream; /* borrows */
	bool stream;
	int handle;	/* of the socket; -1: none */
	bool connected; /* it was when it was taken */
	struct channel_spare spare;
	unsigned *nspares; /* borrows: of all channels to this upstream */
	int error;  /* errno of the call that has broken the socket; c-ares makes its own of it */
	bool stale; /* a connection that has stopped answering: nothing more is sent over it */
	bool more;  /* a length has just been read and the message follows */
	unsigned nanswers;   /* over this socket */
	uint64_t slowest_ms; /* of them: from attempt to answer */
	unsigned ninside;    /* attempts that c-ares holds, orphans too */
	struct list live;
	struct attempt *sending;       /* during ares_send() */
	const unsigned char *datagram; /* the one that c-ares is looking at */
	unsigned datagram_len;
};

/* ---- between channel.c, channel_socket.c and channel_spare.c ---- */

extern const struct ares_socket_functions channel_socket_functions; /* user data: the channel */

/* c-ares's sock_state_cb. */
void channel_watch(void *arg, ares_socket_t handle, int readable, int writable);

/* -ENOMEM. */
int channel_spare_init(struct channel *ch);
void channel_spare_fini(struct channel *ch);

/* c-ares has closed this socket. True: it is kept. */
bool channel_spare_keep(struct channel *ch, int handle);

/* Nobody waits for an answer any more: makes a used spare fresh as soon as the host has control. */
void channel_spare_renew_soon(struct channel *ch);

/* A fresh connected socket, or -1: there is none. */
int channel_spare_take(struct channel *ch);

/* Closes the spare, if there is one. */
void channel_spare_close(struct channel *ch);

/* connect() to the upstream. 0 or a negative errno. */
int channel_connect(struct channel *ch, int handle, const struct sockaddr *to, socklen_t len);

/* An answer for an attempt, which is delivered later. Only the first counts. */
void channel_keep_answer(struct attempt *a, const unsigned char *packet, unsigned len);

/* The attempt that waits for an answer with this id; NULL: none. */
struct attempt *channel_find_id(struct channel *ch, const unsigned char *id);

/* ---- for the transport ---- */

/* A channel to this upstream, without a socket. `nspares`, 0 at first, counts the spares of all
 * channels that are given the same one. Both are borrowed. -ENOMEM. */
int channel_open(struct reactor *reactor, const struct resolver_upstream *upstream, bool stream,
		 unsigned *nspares, struct channel **ret);

/* Closes the socket and frees the channel and its orphans. Nobody is live; outside of c-ares. */
void channel_close(struct channel *ch);

/* Of a datagram channel: frees the orphans and closes the socket. Nobody is live; outside of
 * c-ares. */
void channel_reset(struct channel *ch);

/* Sends a->packet under a fresh id. Whatever happens is delivered by a->task. */
void channel_send(struct channel *ch, struct attempt *a);

#endif
