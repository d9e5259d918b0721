// SPDX-License-Identifier: MIT
/*
 * tls_context.h - what the TLS connections of one view share: OpenSSL with nothing of the program's
 * in it, and how servers are authenticated.
 *
 * OpenSSL is given a library context of our own, reads no configuration file, registers nothing to
 * be run at exit, and never sees a descriptor. TLS 1.2 is the lowest version; there is neither
 * renegotiation nor compression nor early data.
 *
 * ALPN is not offered. RFC 7858 does not ask for it, and a server that knows other protocols only
 * must then refuse us (RFC 7301 3.2).
 */
#ifndef NOBLOCKDNS_RESOLVER_TLS_CONTEXT_H
#define NOBLOCKDNS_RESOLVER_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "resolver/reactor.h"

struct tls_context {
	struct reactor *reactor; /* borrows */
	struct resolver_tls conf;
	/* own; NULL until tls_context_load() */
	OSSL_LIB_CTX *lib;
	BIO_METHOD *socket; /* tls_bio.h */
	SSL_CTX *ssl;
	unsigned nstreams; /* that use it */
	/* for tests */
	unsigned nverified; /* chains of certificates that were looked at */
	unsigned nresumed;  /* handshakes without one */
};

/* `conf` is copied, its ca_file and the reactor are borrowed. -ENOMEM. */
int tls_context_open(struct reactor *reactor, const struct resolver_tls *conf,
		     struct tls_context **ret);

/* Has OpenSSL get ready, which takes some 2 ms: best while the first connection waits for the
 * server. Called again, nothing happens. -ENOMEM. */
int tls_context_load(struct tls_context *tls);

/*
 * OpenSSL keeps random generators for each thread that made it draw numbers, and frees them when
 * that thread ends: through `lib`, whether that is still there or not. The resolver works on
 * threads that others end, so they are freed after each piece of work: on the thread that did it.
 */
void tls_context_leave_thread(struct tls_context *tls);

/*
 * A handshake failed. The cause may be here: where memory ran out while OpenSSL got ready, it goes
 * on without the ciphers that it could not load. So it gets ready anew for the next connection,
 * unless one is using it.
 */
void tls_context_doubt(struct tls_context *tls);

/* No connection is left. NULL: nothing happens. */
void tls_context_close(struct tls_context *tls);

#endif
