// SPDX-License-Identifier: MIT
/*
 * dnstls.h - the server's end of TLS for the scripted server: octets of the wire in, octets of
 * messages out, and the other way round. It has no socket and no clock; dnsconn.c moves the octets.
 */
#ifndef LAB_DNSTLS_H
#define LAB_DNSTLS_H

#include "dnscount.h"
#include "dnslisten.h"

#include <sys/types.h>

struct dns_tls_server; /* of one listener */
struct dns_tls;	       /* of one connection */

/* Makes the certificate and the key of the tickets. Borrows both. Ends the process on an error. */
struct dns_tls_server *dns_tls_server_new(const struct lab_listen *listen,
					  struct dns_counts *counts);

struct dns_tls *dns_tls_open(struct dns_tls_server *server);
void dns_tls_free(struct dns_tls *tls);

/* Octets that came. */
void dns_tls_receive(struct dns_tls *tls, const uint8_t *octets, size_t len);

/* What they say: the length, 0: nothing yet, -EPIPE: the connection has ended. Goes on with the
 * handshake. */
ssize_t dns_tls_read(struct dns_tls *tls, uint8_t *buf, size_t size);

/* Makes one record of it; nothing where there is no connection. */
void dns_tls_write(struct dns_tls *tls, const uint8_t *octets, size_t len);

/* Asks the client for another handshake (TLS 1.2). */
void dns_tls_renegotiate(struct dns_tls *tls);

/* Says that nothing more will come (close_notify). */
void dns_tls_close(struct dns_tls *tls);

/* Octets to be sent: their number, 0 where there are none. Call again until then. */
size_t dns_tls_send(struct dns_tls *tls, uint8_t *buf, size_t size);

bool dns_tls_established(const struct dns_tls *tls);

#endif
