// SPDX-License-Identifier: MIT
/*
 * dot_addrs.h - the addresses of an upstream: the one that it is configured with, or those of its
 * host name, which are looked up when they are needed and their time is over.
 *
 * Old addresses are better than none: whoever answers there has to prove who it is.
 */
#ifndef NOBLOCKDNS_RESOLVER_DOT_ADDRS_H
#define NOBLOCKDNS_RESOLVER_DOT_ADDRS_H

#include "resolver/transport.h"

#define DOT_ADDRS_MAX 8 /* more than a race could try in its time */

struct dot_addrs {
	struct reactor *reactor; /* borrows */
	struct transport_resolver resolver;
	struct transport_lookup *lookup; /* NULL: none is running */
	bool fixed;			 /* configured */
	struct sockaddr_storage list[DOT_ADDRS_MAX];
	unsigned n;
	uint64_t until_ms;
	void (*ready)(struct dot_addrs *addrs, int error);
};

/* `ready` is told the outcome of each dot_addrs_get(): 0, and there is at least one in `list`; or a
 * negative errno. */
void dot_addrs_init(struct dot_addrs *addrs, struct reactor *reactor,
		    const struct transport_conf *conf,
		    void (*ready)(struct dot_addrs *addrs, int error));

/* Ends a lookup without ready(). */
void dot_addrs_fini(struct dot_addrs *addrs);

/* Gets addresses that may be used. ready() is called now or later; not twice if this is called
 * again meanwhile. */
void dot_addrs_get(struct dot_addrs *addrs);

/* None of them could be had: perhaps there are others by now. */
void dot_addrs_doubt(struct dot_addrs *addrs);

#endif
