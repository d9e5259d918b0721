// SPDX-License-Identifier: MIT
/*
 * lease.h - one process asks, the others wait: who has a question in flight, of all processes that
 * share a cache.
 *
 * A lease is taken for a key, which stands for a question, and ends when it is released, or after
 * LEASE_MS: its holder was killed, or its server is slow. Then somebody else may take it and ask as
 * well. Places are fixed: key modulo their number. Where two questions meet in one place, the
 *second has none (LEASE_NONE) and asks without: that costs a packet, and nobody waits for a
 *stranger.
 *
 *	place	u64 who     upper half of the key | end in ms, 32 bits; 0: never used
 *		u32 word    counts what may interest those who wait; a futex
 *		u32 first   when the question was put first, of those in a row that had no answer
 *
 * Everything there is hostile: an end that is further away than LEASE_MS is none.
 *
 * Any thread; no lock; lease_wait() sleeps and is a cancellation point, the others make one system
 * call at most. The caller keeps the cache open.
 */
#ifndef NOBLOCKDNS_LEASE_H
#define NOBLOCKDNS_LEASE_H

#include "shim/cache.h"

#include <stdbool.h>
#include <stdint.h>

#define LEASE_MS 600 /* an answer within a second, although a holder was killed */

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
};

/* MINE: *ret is to be released. */
enum lease_result lease_take(struct cache *cache, uint64_t key, uint64_t now_ms, struct lease *ret);

/* The question is answered, with `answered`, or given up: those who wait wake up. */
void lease_release(struct cache *cache, const struct lease *lease, bool answered);

/* Something has come, `answered`: an answer, and the lease goes on. */
void lease_notify(struct cache *cache, const struct lease *lease, bool answered);

/* Sleeps until something has come, the lease ends, `timeout_ms` have passed, or a signal comes. */
void lease_wait(struct cache *cache, const struct lease *lease, uint64_t timeout_ms);

#endif
