// SPDX-License-Identifier: MIT
/*
 * netstate_record.h - what one process has learnt about the network, told to the others: a record
 * in the cache (cache_region.h), one for each network namespace.
 *
 * The records are direct-mapped by the namespace's cookie: 16 of them, and two namespaces that meet
 * in one only ask the kernel more often. A record carries a hash of itself, so that a torn or
 * damaged one, or two that were written at once, match nothing.
 *
 * Any thread; no lock, no system call. Only processes of the cache's user write there.
 */
#ifndef NOBLOCKDNS_NETSTATE_RECORD_H
#define NOBLOCKDNS_NETSTATE_RECORD_H

#include "shim/cache.h"

#include <stdbool.h>
#include <stdint.h>

/* What decides the order of addresses, and which families AI_ADDRCONFIG admits. */
struct network {
	uint64_t netns;	    /* netns_identify() */
	uint64_t addresses; /* netif.hash */
	uint64_t routes;    /* hash of the default routes' source addresses and of the routes */
	bool seen_ipv4, seen_ipv6; /* as in struct netif */
};

/*
 * The record of `netns` where there is one that is less than `max_age_ms` old at `now_ms`, and not
 * of the future (of another time namespace). *ret_checked_ms is when its writer asked the kernel.
 */
bool netstate_record_read(const struct cache *cache, uint64_t netns, uint64_t now_ms,
			  uint64_t max_age_ms, struct network *ret, uint64_t *ret_checked_ms);

/* Replaces the record of network->netns. */
void netstate_record_write(const struct cache *cache, const struct network *network,
			   uint64_t checked_ms);

#endif
