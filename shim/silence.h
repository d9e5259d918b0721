// SPDX-License-Identifier: MIT
/*
 * silence.h - are the servers of a view silent? Remembered in the cache for all its processes.
 *
 * Silent they are when a question has waited in vain while nothing else was heard of them, or when
 * none of them listens. From then on nobody waits for them who has something stale, until somebody
 * has an answer: then failures for want of one are forgotten (failures.h; RFC 8767 section 5).
 * Without a further sign the silence ends after SILENCE_MS, and they are tried again as usual.
 * So it does when the network changes (netstate.h).
 *
 * Two words for each view, in the records of cache_region.h:
 *
 *	u64 since    upper half of the view | when it was last noted, in ms, 32 bits; 0: not silent
 *	u64 ended    upper half of the view | when they were heard again; 0: never
 *
 * Views that meet in one place forget each other, which costs a wait. What is damaged, or of
 * another boot, is not believed.
 *
 * Any thread, also one that is cancelled, or in a signal handler; no lock, no system call. The
 * caller keeps the cache open.
 */
#ifndef NOBLOCKDNS_SILENCE_H
#define NOBLOCKDNS_SILENCE_H

#include "shim/cache.h"

#include <stdbool.h>
#include <stdint.h>

#define SILENCE_MS 10000

bool silence_is(const struct cache *cache, uint64_t view, uint64_t now_ms);
void silence_note(const struct cache *cache, uint64_t view, uint64_t now_ms);

/* Something was heard of them. */
void silence_end(const struct cache *cache, uint64_t view, uint64_t now_ms);

/* When the last silence ended, of the last `max_ms` (less than 2^31); 0: none did. */
uint64_t silence_ended_ms(const struct cache *cache, uint64_t view, uint64_t now_ms,
			  uint32_t max_ms);

#endif
