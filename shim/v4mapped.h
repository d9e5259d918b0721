// SPDX-License-Identifier: MIT
/*
 * v4mapped.h - IPv4 addresses as IPv6 ones: ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
 *
 * Pure; any thread. Addresses are bytes in network order, of any alignment.
 */
#ifndef NOBLOCKDNS_V4MAPPED_H
#define NOBLOCKDNS_V4MAPPED_H

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#define V4MAPPED_PREFIX_LEN 12 /* bytes before those of the IPv4 address */

/* `addr` [4]. */
static inline struct in6_addr v4mapped_make(const void *addr)
{
	struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	memcpy(mapped.s6_addr + V4MAPPED_PREFIX_LEN, addr, 4);
	return mapped;
}

/* `addr` [16]. */
static inline bool v4mapped_is(const void *addr)
{
	static const unsigned char prefix[V4MAPPED_PREFIX_LEN] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, prefix, sizeof(prefix)) == 0;
}

#endif
