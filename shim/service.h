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
 * `service` may be NULL; `socktype`, `protocol` and `flags` as in the hints. Returns the number of
 * tuples, 1 to SERVICE_MAX, or the (negative) EAI_ code that getaddrinfo returns; EAI_SYSTEM is
 * never returned.
 *
 * `*ret_port_is_name` of glibc's checks is not made here: NULL node and NULL service is the
 * caller's business.
 */
int service_resolve(const char *service, int socktype, int protocol, int flags,
		    struct service_tuple ret[SERVICE_MAX]);

#endif
