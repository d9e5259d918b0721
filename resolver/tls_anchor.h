// SPDX-License-Identifier: MIT
/*
 * tls_anchor.h - the certificates that the user or the system trusts, as far as one chain needs
 * them.
 *
 * A system's bundle holds some 150 certificates, and OpenSSL takes 40 ms and a megabyte to take
 * them all apart. Here it gets those alone that could be part of this chain: whose subject is the
 * subject or the issuer of a certificate that the server presented. Names are compared byte for
 * byte, as RFC 5280 4.1.2.6 has an authority encode its name alike in all certificates. Nothing is
 * kept: the next full handshake reads the file again, and sees a new one.
 */
#ifndef NOBLOCKDNS_RESOLVER_TLS_ANCHOR_H
#define NOBLOCKDNS_RESOLVER_TLS_ANCHOR_H

#include "resolver/tls_context.h"

/*
 * Those of conf.ca_file (PEM), or of the first bundle that can be read of the places where Debian,
 * Fedora, Alpine and SUSE have it, that `presented` needs; the caller frees them with
 * sk_X509_pop_free(). None may be enough. -ENOENT or another errno: no file could be read.
 * -ENOMEM.
 */
int tls_anchor_find(struct tls_context *tls, const STACK_OF(X509) * presented,
		    STACK_OF(X509) * *ret);

#endif
