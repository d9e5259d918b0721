// SPDX-License-Identifier: MIT
/*
 * history_table.h - where the outcomes of connects are kept: slots (history_slot.h), found by a
 * key.
 *
 * The slots are in the cache (cache_region.h), 32 for each KiB of its history; without a cache a
 * small table of this process serves. A set is eight slots; of a full one the slot whose latest
 * outcome is the oldest goes.
 *
 * Any thread, signal handlers too; no lock, no allocation; a system call only where a page of the
 * cache is touched for the first time.
 */
#ifndef NOBLOCKDNS_HISTORY_TABLE_H
#define NOBLOCKDNS_HISTORY_TABLE_H

#include "shim/cache.h"
#include "shim/history_slot.h"

#include <stdint.h>

/* The slot of a key, or NULL. `cache` NULL: of this process's own table. */
struct history_slot *history_table_find(struct cache *cache, uint64_t key);

/* The same for a writer, who gets a slot where there is none; NULL where there is no memory. */
struct history_slot *history_table_claim(struct cache *cache, uint64_t key, uint64_t now_ms);

#endif
