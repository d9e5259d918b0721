// SPDX-License-Identifier: MIT
/*
 * dnsconn.h - DNS over a TCP or TLS connection, the server's end: two octets of length, then the
 * message (RFC 1035 4.2.2), any number of them in both directions.
 */
#ifndef LAB_DNSCONN_H
#define LAB_DNSCONN_H

#include "dnstls.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum dns_conn_end {
	DNS_CONN_KEEP,
	DNS_CONN_CLOSE,	      /* FIN, after what is to be sent */
	DNS_CONN_RESET,	      /* RST, at once */
	DNS_CONN_RESET_AFTER, /* RST, after what is to be sent */
};

/* How a message is sent, and what becomes of the connection. Zero: whole, at once, and it stays. */
struct dns_conn_manner {
	enum dns_conn_end end;
	size_t only;	  /* so many octets of length and message, then FIN; 0: all */
	uint32_t drip_ms; /* between two octets of the wire; 0: all at once */
	bool renegotiate; /* ask for another handshake before */
};

/* Called with each whole message; may send on the connection or close it. */
typedef void (*dns_conn_message)(void *arg, uint64_t conn_id, const struct sockaddr_storage *peer,
				 const uint8_t *msg, size_t len);

struct dns_conn_opts {
	const struct lab_listen *listen; /* borrowed */
	struct dns_tls_server *tls;	 /* borrowed; NULL: without TLS */
	dns_conn_message message;
	void *arg;
};

/* Takes over `fd`, which is non-blocking, until the client closes it. */
void dns_conn_open(int fd, const struct sockaddr_storage *peer, const struct dns_conn_opts *opts);

/* Queues one message (len 0: none), then ends the connection as `how` says. A connection that is
 * gone is ignored. */
void dns_conn_send(uint64_t conn_id, const uint8_t *msg, size_t len,
		   const struct dns_conn_manner *how);

/* Closes all connections at once, as the end of the process would. */
void dns_conn_close_all(void);

#endif
