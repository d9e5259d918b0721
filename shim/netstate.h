// SPDX-License-Identifier: MIT
/*
 * netstate.h - the network as the address order needs it: the interfaces' addresses, and a
 * generation that changes when they, or the source addresses of the default routes, do.
 *
 * libc asks the kernel at each call (a netlink dump, 30 us and more). Here one caller a second
 * does, if anybody looks up at all; in between a hit makes no system call. A watch on netlink would
 * need a descriptor, and a thread or a system call a hit, in every process.
 */
#ifndef NOBLOCKDNS_NETSTATE_H
#define NOBLOCKDNS_NETSTATE_H

#include "shim/netif.h"
#include "shim/rcu.h"

#include <stdint.h>

#define NETSTATE_CHECK_MS 1000

struct netstate {
	struct rcu_head rcu;
	struct netif netif;  /* owns */
	uint32_t generation; /* 1 and up */
	uint64_t routes;     /* hash of the default routes' source addresses; netstate.c's, guarded
			      * by its lock */
};

/* The current state; never NULL. Valid until rcu_read_unlock(). Any thread; keeps errno. */
const struct netstate *netstate_get(uint64_t now_ms);

/* In a forked child. */
void netstate_reset(void);

#endif
