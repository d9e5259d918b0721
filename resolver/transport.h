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

struct transport;	 /* one protocol to one upstream */
struct attempt;		 /* one packet on its way */
struct tls_context;	 /* tls_context.h */
struct transport_lookup; /* of whoever implements transport_resolver */

/* What became of an attempt. */
struct attempt_result {
	/*
	 * 0: `packet` is the answer; or a negative errno:
	 *	-ECONNREFUSED, -ECONNRESET, -EHOSTUNREACH, -ENETUNREACH ...  cannot be had
	 *	-EACCES        TLS: the server is not who it should be; nothing was sent
	 *	-EPROTO        TLS: the server does not speak it, or the handshake failed
	 *	-ETIMEDOUT     TLS: no connection in time; TCP: one that has stopped answering
	 *	-EBADF         the program closed the socket under us
	 *	-ENOMEM, -EMFILE, -ENFILE, -ENOBUFS                          no room here
	 *	and what a transport_resolver gave
	 */
	int error;
	const unsigned char *packet; /* valid during the call */
	unsigned len;
	bool authenticated; /* by TLS, as the view's conf.tls demands; what it says was not changed
			     * on the way */
	uint64_t sent_ms;   /* when the packet left, with no connecting before it: a sample of the
			     * round trip; 0: not known */
};

/* The end of an attempt, from a reactor task (never from inside start() or cancel()). The attempt
 * does not exist any more. */
typedef void attempt_done(void *arg, const struct attempt_result *result);

/* Whoever waits for an attempt. Copied. */
struct attempt_user {
	attempt_done *done;
	void *arg;
	uint64_t given_up_ms; /* resolver_question: from then on an answer is worth less to it */
};

/*
 * An attempt that has been given up, and was on its way for so long while the connection answered
 * nothing, has been let down by that connection: it gets no more attempts. Whoever asks next would
 * wait for as long and in vain, and that as often as a deadline goes into the time that it takes
 * TCP to find out. At least so long: twice as long as answers have taken, where that is longer, or
 * each question over a slow line, or to a slow server, would open a connection.
 */
#define ATTEMPT_PATIENCE_MS 500

/* What an answer takes at most these days, of the figure before and an answer that took so long:
 * one slow name does not count for ever. */
static inline uint64_t attempt_slowest_ms(uint64_t before_ms, uint64_t took_ms)
{
	uint64_t faded_ms = before_ms - before_ms / 8;

	return took_ms > faded_ms ? took_ms : faded_ms;
}

/* The addresses of a host, with ports, in order of preference, valid during the call, and how long
 * they may be used; or a negative errno. From a reactor task, exactly once. The lookup does not
 * exist any more. */
typedef void transport_found(void *arg, int error, const struct sockaddr_storage *addrs,
			     unsigned naddrs, uint32_t ttl_s);

/* How a transport gets the addresses of an upstream that is known by its host name alone. */
struct transport_resolver {
	/* Starts to look up the upstream's addresses. -ENOMEM; every other trouble arrives in
	 * found(), which is never called from inside start(). */
	int (*start)(void *ctx, transport_found *found, void *arg, struct transport_lookup **ret);

	/* Ends it without found(). */
	void (*cancel)(struct transport_lookup *lookup);

	void *ctx; /* borrowed until the transport is closed */
};

/* What a transport is opened with. Copied. */
struct transport_conf {
	struct resolver_upstream upstream;
	struct tls_context *tls;	    /* of the view; NULL: not for TLS. Borrowed */
	uint64_t ticket_seed;		    /* resolver_conf.view */
	struct transport_resolver resolver; /* where the upstream's address is AF_UNSPEC */
};

struct transport_ops {
	const char *name;

	/* A transport to one upstream. Opens no socket yet. -ENOMEM. */
	int (*open)(struct reactor *reactor, const struct transport_conf *conf,
		    struct transport **ret);

	/* Closes its sockets, sending nothing, and frees it. Every attempt has ended or was
	 * cancelled. */
	void (*close)(struct transport *transport);

	/* Sends a packet (copied, at most PACKET_MAX bytes) under a fresh id, which replaces the
	 * first two bytes. -ENOMEM, -EMSGSIZE; all other trouble arrives in done(). */
	int (*start)(struct transport *transport, const unsigned char *packet, unsigned len,
		     const struct attempt_user *user, struct attempt **ret);

	/* The answer is not wanted any more; done() will not be called. */
	void (*cancel)(struct attempt *attempt);
};

/* The engines that this build has: c-ares over UDP and over TCP, and our own over TLS. */
extern const struct transport_ops transport_ares_udp;
extern const struct transport_ops transport_ares_tcp;
extern const struct transport_ops transport_dot;

#endif
