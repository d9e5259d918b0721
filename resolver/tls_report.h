// SPDX-License-Identifier: MIT
/*
 * tls_report.h - tells the host of a server's certificate, if it wants to know.
 */
#ifndef NOBLOCKDNS_RESOLVER_TLS_REPORT_H
#define NOBLOCKDNS_RESOLVER_TLS_REPORT_H

#include "resolver/tls_stream.h"

/* In a full handshake, when `s->doubt` is known. What memory is lacking for is left out. */
void tls_report(const struct tls_stream *s, X509_STORE_CTX *ctx);

#endif
