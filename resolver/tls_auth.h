// SPDX-License-Identifier: MIT
/*
 * tls_auth.h - is the server who it should be? (RFC 8310 section 8, RFC 7858 section 4.2, RFC 6125)
 *
 *	configured		what must be true of the certificates that the server presents
 *	host name		they lead to a trusted authority, and the name is in subjectAltName
 *	address alone		the same of the address
 *	host name and pins	the same of the name, and the key of one in the chain is pinned
 *				(RFC 8310 6.6: both)
 *	address and pins	the key of one that was presented is pinned, and the first
 *				leads to it. Neither names nor times nor authorities matter:
 *				such a server may have made its certificate itself (RFC 7858
 *				4.2)
 *
 * In strict mode a server of which that is not true is refused in the handshake, before any query
 * is sent. In opportunistic mode any server is accepted, and what it says is not authenticated.
 *
 * Certificates are looked at in a full handshake alone, never in one that resumes a session.
 */
#ifndef NOBLOCKDNS_RESOLVER_TLS_AUTH_H
#define NOBLOCKDNS_RESOLVER_TLS_AUTH_H

#include "resolver/tls_stream.h"

/* Has the certificates on all connections of `tls` looked at. */
void tls_auth_setup(struct tls_context *tls);

/* Says what the server of this connection must be. -ENOMEM. */
int tls_auth_expect(struct tls_stream *s);

/* At the end of the handshake: 0, and s->authenticated is valid; -EACCES. */
int tls_auth_conclude(struct tls_stream *s);

#endif
