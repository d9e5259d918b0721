// SPDX-License-Identifier: MIT
/*
 * cache_evict.h - which way of its two sets a new name takes, and what goes for it.
 *
 *	1. an empty way, in the first set while that is not half full, then in the emptier one
 *	2. what is of no use to anybody any more: expired, and for too long to be given stale
 *	3. what was not used for the most ages; among those, negative answers and failures before
 *	   addresses, and then what ends first
 *
 * Ages (cache_slot.h) are predictions of when an entry is used next, as processor caches make them
 * (RRIP), and no times. A new entry begins one age short of the highest, or at the highest where it
 * has no addresses, and must be used to get away from there. So names that are asked once replace
 * one another, however many they are and however fast they come, and those in use stay: each time
 * that none of the highest age is left, all grow older by one, which a single use makes good. Names
 * that have gone out of use give in after as many stores to their sets as there are ages; that many
 * ways there are, so an LRU list would not be quicker. Measured (tests/bench/flood.c), as
 * hit rates of a Zipf stream of 100,000 names in 23,148 entries: 0.857, where an exact LRU list has
 * 0.829; with 10 million other names in between, each asked once, 0.813 and 0.692.
 *
 * That an entry has expired counts for little: it is given while no better answer is to be had
 * (RFC 8767), and who is asked for is refreshed.
 *
 * Any thread; locks nothing, and believes no field that it reads.
 */
#ifndef NOBLOCKDNS_CACHE_EVICT_H
#define NOBLOCKDNS_CACHE_EVICT_H

#include "shim/cache_internal.h"

/* Do the pages of the slot have memory? With `ask`, it is asked for, once per process and page.
 * 0, -ENOSPC, -ENOMEM, -ESTALE. */
int cache_back_slot(struct cache *cache, const struct cache_class *class, const void *slot,
		    bool ask);

/*
 * The cheapest of the ways whose bit in `*tried` is clear, which is then set. With `no_memory`,
 * an empty way is taken only where it has memory already. False: none is left.
 */
bool cache_pick_way(struct cache *cache, const struct cache_class *class, uint64_t hash,
		    uint64_t now_ms, bool no_memory, uint64_t *tried, struct cache_place *ret);

/*
 * Makes the ways of the name's two sets older by one age, where `slot`, which is to be taken, is
 * not of the highest, and not over. A use that another process counts at the same moment may be
 * lost.
 */
void cache_grow_older(struct cache *cache, const struct cache_class *class, uint64_t hash,
		      const struct cache_slot *slot, uint64_t now_ms);

/* The stamp of a new entry, or of one that replaces an older one of its name, whose stamp is `old`:
 * storing is no use. */
uint32_t cache_stamp_new(bool has_addresses);
uint32_t cache_stamp_replace(uint32_t old, bool has_addresses);

#endif
