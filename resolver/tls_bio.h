// SPDX-License-Identifier: MIT
/*
 * tls_bio.h - how OpenSSL reads from and writes to a socket of the reactor: the number behind the
 * handle is held for one system call at a time, and OpenSSL never learns it.
 */
#ifndef NOBLOCKDNS_RESOLVER_TLS_BIO_H
#define NOBLOCKDNS_RESOLVER_TLS_BIO_H

#include <openssl/bio.h>

#include "resolver/tls_context.h"

/* What the BIO is about; the one who made it owns it. */
struct tls_socket {
	struct reactor *reactor; /* borrows */
	int handle;
	int error;   /* negative errno of the call that has broken the socket, or 0 */
	bool ended;  /* by the peer */
	size_t room; /* set by the owner: what may be read before it gets -EAGAIN, though there be
		      * more: for its sake OpenSSL reads on as long as tickets or new keys come */
	bool more;   /* set by the owner: another write follows, in whose segment this one may go */
};

/* NULL: no memory. */
BIO_METHOD *tls_bio_method_new(void);

/* Borrows the socket. NULL: no memory. */
BIO *tls_bio_new(const struct tls_context *tls, struct tls_socket *sock);

#endif
