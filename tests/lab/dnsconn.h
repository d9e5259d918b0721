// SPDX-License-Identifier: MIT
/*
 * dnsconn.h - DNS over a TCP connection, the server's end: two octets of length, then the message
 * (RFC 1035 4.2.2), any number of them in both directions.
 */
#ifndef LAB_DNSCONN_H
#define LAB_DNSCONN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum dns_conn_end {
	DNS_CONN_KEEP,
	DNS_CONN_CLOSE, /* FIN, after what is to be sent */
	DNS_CONN_RESET, /* RST, at once */
};

/* Called with each whole message; may send on the connection or close it. */
typedef void (*dns_conn_message)(void *arg, uint64_t conn_id, const struct sockaddr_storage *peer,
				 const uint8_t *msg, size_t len);

/* Takes over `fd`, which is non-blocking, until the client closes it. */
void dns_conn_open(int fd, const struct sockaddr_storage *peer, dns_conn_message message,
		   void *arg);

/* Queues one message (len 0: none), then ends the connection as `end` says. A connection that is
 * gone is ignored. */
void dns_conn_send(uint64_t conn_id, const uint8_t *msg, size_t len, enum dns_conn_end end);

#endif
