// SPDX-License-Identifier: MIT
/*
 * lease.h - one process asks, the others wait: who has a question in flight, of all processes that
 * share a cache.
 *
 * A lease is taken for a key, which stands for a name, and some of its types, and ends when it is
 * released, or after LEASE_MS: its holder was killed, or its server is slow. Then somebody else may
 * take it and ask as well. Who asks for types that the holder does not ask for takes it over for
 * all of them: those who come then wait for that, and nobody waits for what nobody asks.
 *
 * Places are fixed: key modulo their number. Where two names meet in one place, the second has none
 * (LEASE_NONE) and asks without: that costs a packet, and nobody waits for a stranger.
 *
 *	who      u64, from above: 30 bits of the key; 2 bits, the types; 32 bits, the end in ms;
 *	         0: never used
 *	word     u32, counts what may interest those who wait: a futex
 *	first    u32, when the question was put first, of those in a row that had no answer
 *
 * Everything there is hostile: an end that is further away than LEASE_MS is none, but for the
 * little that its holder may have read the clock later than who looks (CLOCK_AHEAD_MS).
 *
 * In a private cache nobody waits for a parent or a child, who have memory of their own.
 *
 * Any thread; no lock; lease_wait() sleeps and is a cancellation point, the others make one system
 * call at most. The caller keeps the cache open; NULL is a cache without places.
 */
#ifndef NOBLOCKDNS_LEASE_H
#define NOBLOCKDNS_LEASE_H

#include "shim/cache.h"
#include "shim/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LEASE_MS 600 /* an answer within a second, although a holder was killed */

/* One of the places in the file. */
struct lease_place {
	_Atomic uint64_t who;
	_Atomic uint32_t word;
	_Atomic uint32_t first;
};

/* Is it a lease for the key? */
bool lease_is_of(uint64_t who, uint64_t key);

/* How long what a place's `who` says lasts; 0: it has ended, or is damaged. */
static inline uint32_t lease_left_ms(uint64_t who, uint64_t now_ms)
{
	uint32_t left = (uint32_t)who - (uint32_t)now_ms;

	return who != 0 && left <= LEASE_MS + CLOCK_AHEAD_MS ? left : 0;
}

enum lease_result {
	LEASE_MINE,
	LEASE_OTHERS, /* look at the cache again, then lease_wait() */
	LEASE_NONE,   /* there is no place for this one: ask without */
};

struct lease {
	uint64_t key; /* 0: no lease */
	uint64_t who;
	uint32_t seen; /* OTHERS: the word, from before the look */
	uint64_t end_ms;
	uint64_t first_ms; /* since when the question is without an answer; `now` where it is new */
	bool part;	   /* a part of the answer came a moment ago; first_ms is long ago then */
};

/* `types`: bits of enum entry_slot. MINE: *ret is to be released. */
enum lease_result lease_take(struct cache *cache, uint64_t key, unsigned types, uint64_t now_ms,
			     struct lease *ret);

/* Has somebody the place of `key`, be it for a stranger? One atomic load; a system call the first
 * time. */
bool lease_is_taken(struct cache *cache, uint64_t key, uint64_t now_ms);

/* The question is answered, with `answered`, or given up: those who wait wake up, also those who
 * wait for one that has taken it over. */
void lease_release(struct cache *cache, const struct lease *lease, bool answered);

/* Something has come, and the lease goes on: at `part_ms` a part of the answer, whose rest has been
 * waited for long enough; 0: a failure. */
void lease_notify(struct cache *cache, const struct lease *lease, uint64_t part_ms);

/* Sleeps until something has come, the lease ends, `timeout_ms` have passed, or a signal comes. */
void lease_wait(struct cache *cache, const struct lease *lease, uint64_t timeout_ms);

#endif
