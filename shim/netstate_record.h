// SPDX-License-Identifier: MIT
/*
 * netstate_record.h - what one process has learnt about the network, told to the others: a record
 * in the cache (cache_region.h), one for each network namespace.
 *
 * There is room for 16 namespaces; the one that has not been looked at for longest makes way. A
 * record carries a hash of itself, so that a torn or damaged one, or two that were written at once,
 * match nothing.
 *
 * Beside it stands a word of its own, which changes by compare-and-swap: which place the namespace
 * is in, and since when. So all processes agree on that, whoever notices a change first. A time of
 * the future there (damage, or another time namespace) is none.
 *
 * Any thread; no lock, no system call. Only processes of the cache's user write there.
 */
#ifndef NOBLOCKDNS_NETSTATE_RECORD_H
#define NOBLOCKDNS_NETSTATE_RECORD_H

#include "shim/cache.h"

#include <stdbool.h>
#include <stdint.h>

/* What decides the order of addresses, which families AI_ADDRCONFIG admits, and whether what was
 * learnt before still holds. */
struct network {
	uint64_t netns;	    /* netns_identify() */
	uint64_t addresses; /* netif.hash */
	uint64_t routes;    /* hash of the default routes' source addresses and of the routes */
	uint64_t place;	    /* hash of what tells one place from another (netstate.h) */
	uint64_t since_ms;  /* when the machine came there, as far as is known; 0: it is not */
	bool seen_ipv4, seen_ipv6; /* as in struct netif */
};

/*
 * The record of `netns` where there is one that is less than `max_age_ms` old at `now_ms`, and not
 * of the future (of another time namespace). *ret_checked_ms is when its writer asked the kernel.
 */
bool netstate_record_read(const struct cache *cache, uint64_t netns, uint64_t now_ms,
			  uint64_t max_age_ms, struct network *ret, uint64_t *ret_checked_ms);

/*
 * Replaces the record of network->netns. Returns since when the namespace is at network->place,
 * which is not taken from `network`: `checked_ms`, if the last place that anybody noted was another
 * one; 0 if none was noted.
 */
uint64_t netstate_record_write(const struct cache *cache, const struct network *network,
			       uint64_t checked_ms);

/* For who cannot see the place: since when the namespace has been where it is; 0: not known. */
uint64_t netstate_record_since(const struct cache *cache, uint64_t netns, uint64_t now_ms);

#endif
