// SPDX-License-Identifier: MIT
/*
 * order_cache.h - the order of a list of addresses (order.h), remembered: asking the kernel for the
 * source address of each costs microseconds, and a name in use is asked for again and again, by one
 * process after the other.
 *
 * The table is in the cache (cache_region.h); without a cache a small one of this process serves.
 * The latest order of a short list also stands beside its addresses, in the cache line that a
 * lookup reads anyhow: with 50,000 names in use the table is a second trip to memory for each.
 * Fixed size, no lock. Any thread.
 */
#ifndef NOBLOCKDNS_ORDER_CACHE_H
#define NOBLOCKDNS_ORDER_CACHE_H

#include "shim/netstate.h"
#include "shim/order.h"
#include "shim/settings.h"

/* A route may change without any change that netstate.h notices; after this time it is seen. */
#define ORDER_CACHE_MS 60000

/*
 * As order_sort(), for the network `state` at `now_ms`. `hint` is a word beside the addresses in
 * the shared cache, or NULL; what it holds is hostile.
 */
int order_cached(const struct order_dest *dests, unsigned n, const struct settings *settings,
		 const struct netstate *state, uint64_t now_ms, _Atomic uint64_t *hint,
		 uint16_t *ret_perm);

#endif
