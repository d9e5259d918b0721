// SPDX-License-Identifier: MIT
/*
 * tls_ticket.h - sessions that are resumed without a certificate (RFC 8446 2.2, RFC 5077): each
 * that a server gives goes to the host, and each is taken for one connection only (RFC 8446
 * appendix C.4).
 *
 * A resumed session is as trustworthy as the one that it continues. So its key says under which
 * policy it was authenticated: another host name, mode, CA file or pin is another key. It also
 * remembers its verdict, which in opportunistic mode may be either.
 */
#ifndef NOBLOCKDNS_RESOLVER_TLS_TICKET_H
#define NOBLOCKDNS_RESOLVER_TLS_TICKET_H

#include "resolver/tls_stream.h"

/* The key of sessions with this server, under the policy of `tls`. `seed` makes it the view's. */
uint64_t tls_ticket_key(const struct tls_context *tls, const struct sockaddr_storage *addr,
			const char *host, uint64_t seed);

/* Takes sessions from servers, on all connections of `tls`. */
void tls_ticket_setup(struct tls_context *tls);

/* Offers a session to the server, if the host has one. */
bool tls_ticket_offer(struct tls_stream *s);

#endif
