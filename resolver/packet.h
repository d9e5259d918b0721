// SPDX-License-Identifier: MIT
/*
 * packet.h - the packet that asks one question (RFC 1035 4.1, RFC 6891 6.1.2).
 *
 * Options (in an OPT record, so not without EDNS: a server that answers FORMERR to it gets neither,
 * and its queries over TLS are not padded):
 *	edns-tcp-keepalive	empty, over TCP and TLS only (RFC 7828 3.2.1); the engine over TLS
 *				goes by the answer, plain TCP by an idle time of its own
 *	Padding			over TLS: the message is a multiple of 128 octets (RFC 7830, RFC
 *				8467 4.1)
 * Client subnet (RFC 7871) is never sent.
 */
#ifndef NOBLOCKDNS_RESOLVER_PACKET_H
#define NOBLOCKDNS_RESOLVER_PACKET_H

#include <stdbool.h>

#include "resolver/resolver.h"

#define PACKET_NAME_MAX 255 /* RFC 1035 3.1: a name in wire form */
#define PACKET_HEADER	12
#define PACKET_OPT	11  /* an empty OPT record */
#define PACKET_OPTION	4   /* an empty option */
#define PACKET_BLOCK	128 /* RFC 8467 4.1 */
#define PACKET_MAX	384 /* the longest name with both options, padded */

/* The largest UDP answer that we ask for: what passes every path unfragmented (DNS flag day 2020).
 */
#define PACKET_EDNS_SIZE 1232

/* A question as it stands in the packet and as the answer must repeat it. */
struct packet_question {
	unsigned char name[PACKET_NAME_MAX]; /* wire form, uncompressed */
	unsigned name_len;
	enum resolver_type type;
};

/* From presentation form, escapes and trailing dot as in libc's ns_name_pton(). -EINVAL: a label or
 * the name is too long, or it is malformed. */
int packet_question_init(struct packet_question *question, const char *name,
			 enum resolver_type type);

enum packet_flags {
	PACKET_EDNS = 1,      /* with an OPT record */
	PACKET_AD = 2,	      /* "tell me whether the data is authentic" (RFC 6840 5.7) */
	PACKET_KEEPALIVE = 4, /* with PACKET_EDNS: how long may the connection be idle? */
	PACKET_PADDING = 8,   /* with PACKET_EDNS */
};

/* Recursion desired, id 0. Returns the length, at most PACKET_MAX. */
unsigned packet_build(const struct packet_question *question, unsigned flags,
		      unsigned char packet[PACKET_MAX]);

#endif
