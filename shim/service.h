// SPDX-License-Identifier: MIT
/*
 * service.h - getaddrinfo's service argument and socket type hints become the tuples of socket
 * type, protocol and port that each address is returned with: equal to glibc 2.36.
 *
 * NULL and numeric services are answered from a table; names ask the C library's getservbyname_r,
 * which may read files. Any thread.
 */
#ifndef NOBLOCKDNS_SERVICE_H
#define NOBLOCKDNS_SERVICE_H

#include <stdint.h>

#define SERVICE_MAX 8 /* rows of glibc's table */

struct service_tuple {
	int socktype;
	int protocol;
	uint16_t port_be; /* network order */
};

/*
 * `service` may be NULL; "" and "*" are the same. `socktype`, `protocol` and `flags` are those of
 * the hints. Returns the number of tuples, 1 to SERVICE_MAX, or the (negative) EAI_ code of
 * getaddrinfo(): EAI_NONAME (AI_NUMERICSERV and no number), EAI_SOCKTYPE, EAI_SERVICE, EAI_MEMORY.
 * That node and service are not both absent is the caller's check. A number leaves errno alone.
 */
int service_resolve(const char *service, int socktype, int protocol, int flags,
		    struct service_tuple ret[SERVICE_MAX]);

#endif
