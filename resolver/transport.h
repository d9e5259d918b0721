// SPDX-License-Identifier: MIT
/*
 * transport.h - how one packet gets to one upstream and its answer back.
 *
 * A transport speaks one protocol to one upstream; it knows nothing of names, retransmission, the
 * order of upstreams or response codes: those are the query's (query.h). One attempt is one packet
 * on its way; it has no clock of its own and ends when an answer comes, when the transport fails,
 * or when the query cancels it.
 *
 * What a transport vouches for (RFC 5452): an answer is handed over only if it came from the
 * upstream's address and port, has QR set, the id that this transport drew and the attempt's
 * question. Over UDP anything else is dropped and the attempt goes on. There is one exception: a
 * bare header with an error code and the right id (old servers answer so to EDNS) is handed over,
 * since it carries no data that could be believed.
 *
 * An engine that keeps a connection (TCP, TLS) pipelines attempts over it, accepts answers in any
 * order (RFC 7766 6.2.1.1), opens it at the first attempt, gives each attempt one free try on a new
 * connection when one that worked before is closed by the peer, and closes it when idle.
 */
#ifndef NOBLOCKDNS_RESOLVER_TRANSPORT_H
#define NOBLOCKDNS_RESOLVER_TRANSPORT_H

#include "resolver/reactor.h"

struct transport; /* one protocol to one upstream */
struct attempt;	  /* one packet on its way */

/*
 * The end of an attempt, from a reactor task (never from inside start() or cancel()): `error` 0 and
 * the packet, valid during the call; or a negative errno:
 *	-ECONNREFUSED, -ECONNRESET, -EHOSTUNREACH, -ENETUNREACH ...  the upstream cannot be had
 *	-EBADF         the program closed the socket under us
 *	-ENOMEM, -EMFILE, -ENFILE, -ENOBUFS                          this process has no room
 * The attempt does not exist any more.
 */
typedef void attempt_done(void *arg, int error, const unsigned char *packet, unsigned len);

struct transport_ops {
	const char *name;

	/* A transport to this upstream (copied). Opens no socket yet. -ENOMEM. */
	int (*open)(struct reactor *reactor, const struct resolver_upstream *upstream,
		    struct transport **ret);

	/* Closes its sockets and frees it. Every attempt has ended or was cancelled. */
	void (*close)(struct transport *transport);

	/* Sends a packet (copied, at most PACKET_MAX bytes) under a fresh id, which replaces the
	 * first two bytes. -ENOMEM, -EMSGSIZE; all other trouble arrives in done(). */
	int (*start)(struct transport *transport, const unsigned char *packet, unsigned len,
		     attempt_done *done, void *arg, struct attempt **ret);

	/* The answer is not wanted any more; done() will not be called. */
	void (*cancel)(struct attempt *attempt);
};

/* The engines that this build has: c-ares over UDP and over TCP. */
extern const struct transport_ops transport_ares_udp;
extern const struct transport_ops transport_ares_tcp;

#endif
