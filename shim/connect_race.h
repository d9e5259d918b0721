// SPDX-License-Identifier: MIT
/*
 * connect_race.h - connect() to an address that a lookup gave: may it race, and how.
 */
#ifndef NOBLOCKDNS_CONNECT_RACE_H
#define NOBLOCKDNS_CONNECT_RACE_H

#include "shim/siblings.h"
#include "shim/sys.h"

#include <stdbool.h>
#include <sys/socket.h>

/* Is this an Internet address, and can it be read? */
static inline bool connect_is_inet(const struct sockaddr *addr, socklen_t len)
{
	return len >= sizeof(struct sockaddr_in) &&
	       sys_is_readable(addr, len < sizeof(struct sockaddr_in6)
					     ? len
					     : sizeof(struct sockaddr_in6)) &&
	       (addr->sa_family == AF_INET || addr->sa_family == AF_INET6);
}

/* Might this be an address of a name? Nothing but a load, and a look at the family where there are
 * such addresses at all. */
static inline bool connect_race_may(const struct sockaddr *addr, socklen_t len)
{
	return siblings_any() && connect_is_inet(addr, len);
}

/* connect(), with the name's other addresses in reserve (RFC 8305). A cancellation point. Any
 * thread, signal handlers, children of vfork. */
int connect_race(int fd, const struct sockaddr *addr, socklen_t len);

#endif
