// SPDX-License-Identifier: MIT
/*
 * tls_context.h - what the TLS connections of one view share: OpenSSL with nothing of the program's
 * in it, and how servers are authenticated.
 *
 * OpenSSL is given a library context of our own, reads no configuration file and registers nothing
 * to be run at exit.
 */
#ifndef NOBLOCKDNS_RESOLVER_TLS_CONTEXT_H
#define NOBLOCKDNS_RESOLVER_TLS_CONTEXT_H

#include "resolver/reactor.h"

struct tls_context;

/* `conf` is copied, its ca_file and the reactor are borrowed. -ENOMEM. */
int tls_context_open(struct reactor *reactor, const struct resolver_tls *conf,
		     struct tls_context **ret);

/* No connection is left. NULL: nothing happens. */
void tls_context_close(struct tls_context *tls);

#endif
