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
 *
 * Where the machine is, its *place*, is what the order needs without what comes and goes while a
 * machine stays where it is. It counts as another place when one of these is different:
 *
 *	addresses   with their prefixes; not those of loopback, those that are valid on a link
 *		    alone (fe80::/10, 169.254/16), and temporary ones (RFC 8981)
 *	routes	    of the main table; not those to a link's own addresses, nor those to a single
 *		    host on a link; whether a link is up counts for a route to everything alone
 *	sources	    the address towards the rest of the world; of IPv6 the first 64 bits
 *
 * So a laptop that moves, a VPN that comes up and a new network on a bridge are changes, and the
 * start of a container is none, which brings an interface with a link-local address. What was
 * learnt before the last change is not taken for fresh any more (entry_cut()). Coming back is a
 * change like any other: places are not remembered, since the same addresses are in use in many.
 */
#ifndef NOBLOCKDNS_NETSTATE_H
#define NOBLOCKDNS_NETSTATE_H

#include "shim/clock.h"
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
	uint64_t hash;		       /* of addresses and routes: two that differ have others */
	_Atomic(struct netif *) netif; /* owns; NULL until netstate_netif() */
};

/*
 * The current state of the settings' network namespace; never NULL. Valid until rcu_read_unlock().
 * Any thread; keeps errno.
 */
const struct netstate *netstate_get(const struct settings *settings, uint64_t now_ms);

extern _Atomic uint64_t netstate_checked_ms, netstate_since_ms;

/* Since when the network is the present one, as this process has last seen it; 0: that is not
 * known, or there was no change. Any thread. */
static inline uint64_t netstate_since_last(void)
{
	return atomic_load_explicit(&netstate_since_ms, memory_order_relaxed);
}

/* The same, by a state that is young enough. As netstate_get(). */
static inline uint64_t netstate_since(const struct settings *settings, uint64_t now_ms)
{
	uint64_t checked = atomic_load_explicit(&netstate_checked_ms, memory_order_relaxed);

	if (__builtin_expect(clock_elapsed(checked, now_ms, NETSTATE_CHECK_MS), 0))
		(void)netstate_get(settings, now_ms);
	return netstate_since_last();
}

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
