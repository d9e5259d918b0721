// SPDX-License-Identifier: MIT
/*
 * dest.h - a destination, as races and history have it (IPv4 is AF_INET), for connect(). Pure; any
 * thread.
 */
#ifndef NOBLOCKDNS_DEST_H
#define NOBLOCKDNS_DEST_H

#include "shim/order.h"
#include "shim/v4mapped.h"

#include <sys/socket.h>

/* For a socket of this family: IPv4 on AF_INET6 as a v4-mapped address; IPv6 on AF_INET is the
 * caller's mistake. `port` in network order. Returns the length. */
static inline socklen_t dest_to_sockaddr(const struct order_dest *dest, int family, in_port_t port,
					 struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof *ret);
	if (family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		memcpy(&v4->sin_addr, dest->addr, 4);
		return sizeof *v4;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = port;
	if (dest->family == AF_INET) {
		v6->sin6_addr = v4mapped_make(dest->addr);
	} else {
		memcpy(&v6->sin6_addr, dest->addr, 16);
		v6->sin6_scope_id = dest->scope_id;
	}
	return sizeof *v6;
}

#endif
