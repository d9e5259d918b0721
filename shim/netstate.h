// SPDX-License-Identifier: MIT
/*
 * netstate.h - the network as the address order and the history need it: what changes when an
 * interface's address, the source address of a default route or a route (netroutes.h) does.
 *
 * libc asks the kernel at each call (a netlink dump, 30 us and more). Here one caller a second
 * does, of all processes that share a cache and a network namespace, if anybody looks up at all; it
 * leaves a record for the others (netstate_record.h). In between a hit makes no system call. A
 * watch on netlink would need a descriptor, and a thread or a system call a hit, in every process.
 *
 * A state counts from the moment when its process asked the kernel, whoever reads it: nobody goes
 * by one that is NETSTATE_CHECK_MS old.
 */
#ifndef NOBLOCKDNS_NETSTATE_H
#define NOBLOCKDNS_NETSTATE_H

#include "shim/netif.h"
#include "shim/netstate_record.h"
#include "shim/rcu.h"

#include <stdatomic.h>
#include <stdint.h>

#define NETSTATE_CHECK_MS 1000

struct settings;

struct netstate {
	struct rcu_head rcu;
	struct network network;
	uint64_t hash;		       /* of the network: two that differ have different ones */
	_Atomic(struct netif *) netif; /* owns; NULL until netstate_netif() */
};

/*
 * The current state of the settings' network namespace; never NULL. Valid until rcu_read_unlock().
 * Any thread; keeps errno.
 */
const struct netstate *netstate_get(const struct settings *settings, uint64_t now_ms);

/*
 * The hash of the current state, for connect(), which may be called in a signal handler: allocates
 * nothing, and looks for itself only where no state of this process or of another one is young
 * enough. 0: this is not the owner process, or a signal handler while another thread looks. Any
 * thread; keeps errno.
 */
uint64_t netstate_hash(const struct settings *settings, uint64_t now_ms);

/*
 * The interfaces' addresses. Read when they are first asked for, where another process has looked
 * at the network for this one: then they may be newer than the state, and their hash is not
 * network.addresses. Never NULL; valid as long as the state.
 */
const struct netif *netstate_netif(const struct netstate *state);

/* In a forked child. */
void netstate_reset(void);

#endif
