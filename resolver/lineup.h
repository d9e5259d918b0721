// SPDX-License-Identifier: MIT
/*
 * lineup.h - the upstreams in the eyes of one query: whose turn it is, who is out, and what it
 * amounts to when all are. Pure: nothing is sent, no clock is read.
 */
#ifndef NOBLOCKDNS_RESOLVER_LINEUP_H
#define NOBLOCKDNS_RESOLVER_LINEUP_H

#include <stdbool.h>

#include "resolver/resolver.h"

#define LINEUP_SENDS_MAX 3 /* packets to one candidate over one protocol (RFC 9520 3.1) */

struct candidate {
	unsigned char upstream;		  /* index in the view */
	enum resolver_transport protocol; /* of the next packet */
	enum resolver_failure failure;	  /* not NONE: out, and why */
	bool in_flight; /* over TLS: a packet is on its way, and sending it twice is no use */
	unsigned char nsends[RESOLVER_NTRANSPORTS];
};

struct lineup {
	unsigned n;
	unsigned current; /* who was asked last */
	unsigned round;
	unsigned sends_limit; /* to one candidate over one protocol */
	struct candidate candidates[RESOLVER_MAX_UPSTREAMS];
};

/* `n` candidates in this order (indices of upstreams), with their first protocols; resolv.conf's
 * `attempts`. */
void lineup_init(struct lineup *l, const unsigned char *order,
		 const enum resolver_transport *protocols, unsigned n, unsigned attempts);

/* Is it in, and can another packet to it be of use? */
bool lineup_may_ask(const struct lineup *l, const struct candidate *c);

/* The next in turn who may be asked, round after round; it becomes the current one. NULL: nobody.
 */
struct candidate *lineup_next(struct lineup *l);

bool lineup_is_current(const struct lineup *l, const struct candidate *c);

bool lineup_all_out(const struct lineup *l);

/* What all being out amounts to: what an upstream said comes before that none could be reached, and
 * among answers the one that a retry may change comes first. */
enum resolver_failure lineup_failure(const struct lineup *l);

#endif
