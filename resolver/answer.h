// SPDX-License-Identifier: MIT
/*
 * answer.h - an answer packet, checked against the question and turned into one RRset.
 *
 * Pure: bytes in, verdict out. What is believed (RFC 1034 3.6.2, RFC 5452 9): the question must be
 * ours; from the question, CNAMEs are followed in whatever order they stand in the answer section;
 * only addresses that the end of that chain owns count; everything else is ignored. Class IN only.
 *
 * TTL: least along the chain, at most ANSWER_TTL_MAX. That goes for one with the top bit set, too,
 * which RFC 2181 8 took for 0: RFC 8767 4 has changed that. Nobody sends one on purpose, and with 0
 * each lookup of such a name would be a question to the servers. A negative answer's TTL is the
 * lesser of the SOA's TTL and its MINIMUM (RFC 2308 5), at most ANSWER_NEGATIVE_TTL_MAX; without a
 * SOA of an enclosing zone it is 0, which means that it may not be cached.
 *
 * Host names as in glibc (res_hnok): an answer about a question that is not a host name gives
 * NXDOMAIN that may not be cached; a CNAME target that is none is followed, but not named.
 */
#ifndef NOBLOCKDNS_RESOLVER_ANSWER_H
#define NOBLOCKDNS_RESOLVER_ANSWER_H

#include <stddef.h>

#include "resolver/packet.h"

#define ANSWER_TTL_MAX		604800 /* seconds; RFC 8767 4 recommends a week */
#define ANSWER_NEGATIVE_TTL_MAX 3600   /* seconds; RFC 2308 5 suggests 1 to 3 hours */

enum answer_verdict {
	ANSWER_VALID,	  /* `rrset` holds an answer, NODATA or NXDOMAIN */
	ANSWER_TRUNCATED, /* TC: ask again over TCP; never over a stream */
	ANSWER_FORMERR,	  /* RCODE 1 */
	ANSWER_SERVFAIL,  /* RCODE 2; or a lame one, which glibc also takes to the next upstream:
			   * empty, not authoritative and without recursion */
	ANSWER_REFUSED,	  /* RCODE 5, 4 (NOTIMP), and the others, which no resolver sends */
	ANSWER_MALFORMED, /* cannot be parsed; CNAME loop, or more than RESOLVER_CHAIN_MAX names */
	ANSWER_MISMATCH,  /* not an answer to this question */
	ANSWER_NO_MEMORY,
};

/* The place that an RRset is taken apart in. Large: one a resolver, not on a stack. */
struct answer {
	struct resolver_rrset rrset;
	const char *listed[RESOLVER_CHAIN_MAX]; /* the names that the rrset gives */
	char chain[RESOLVER_CHAIN_MAX][RESOLVER_NAME_MAX];
	unsigned nchain;
	uint32_t ttl_s;
	unsigned char *addrs; /* owns; as large as the largest packet so far, which bounds them */
	size_t addrs_size;
};

enum answer_parse_flags {
	ANSWER_STREAM = 1,   /* came over TCP or TLS: TC means nothing, as in glibc */
	ANSWER_TRUST_AD = 2, /* `rrset.ad` is the packet's AD bit, else false */
	ANSWER_WHOLE = 4,    /* with ANSWER_STREAM: one with TC is malformed */
};

/* `answer` is zeroed before its first use, and its rrset valid until the next call. */
enum answer_verdict answer_parse(struct answer *answer, const unsigned char *packet, unsigned len,
				 const struct packet_question *question, unsigned flags);

/* Frees what `answer` owns. */
void answer_fini(struct answer *answer);

const char *answer_verdict_to_str(enum answer_verdict verdict);

#endif
