// SPDX-License-Identifier: MIT
/*
 * bootstrap.h - the addresses of an upstream over TLS that is known by its host name alone
 * (transport_resolver in transport.h). A strict view authenticates whoever answers there by that
 * name, so they may come in clear text, from the view's bootstrap servers.
 *
 * 1. AAAA and A are asked for at once, over UDP (TCP after a truncated answer), in an inner view,
 *    whose upstreams have addresses: so this never waits for itself.
 * 2. When addresses of one type have come, the other is waited for 50 ms more (RFC 8305 section 3);
 *    all is over after 3 s, or 1.8 s where older addresses are known (RFC 8767 5).
 * 3. Without any, the older ones serve for another 30 s (RFC 8767 4).
 * 4. All that ask meanwhile get the outcome of the one lookup.
 */
#ifndef NOBLOCKDNS_RESOLVER_BOOTSTRAP_H
#define NOBLOCKDNS_RESOLVER_BOOTSTRAP_H

#include "resolver/transport.h"

#define BOOTSTRAP_TIMEOUT_MS 1000 /* for one of the servers */

struct resolver_view;
struct bootstrap;

/* Of one upstream of a view; both are borrowed. -ENOMEM. */
int bootstrap_open(struct resolver_view *view, const struct resolver_upstream *upstream,
		   struct bootstrap **ret);

/* Ends what is running. The transport is closed: nobody waits to be told. */
void bootstrap_close(struct bootstrap *b);

/* What a transport to the upstream is opened with. Without bootstrap servers, or when they do not
 * tell, found() gets -EHOSTUNREACH. Addresses come with the upstream's port. */
struct transport_resolver bootstrap_resolver(struct bootstrap *b);

bool bootstrap_has_address(const struct bootstrap *b);

/* One of the latest addresses, to which there is a route; or -EHOSTUNREACH. */
int bootstrap_address(struct bootstrap *b, struct sockaddr_storage *ret);

#endif
