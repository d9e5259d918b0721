// SPDX-License-Identifier: MIT
/*
 * rcu.h - lets threads read immutable snapshots (settings, network state, cache mapping) without a
 * lock while another thread replaces them.
 *
 * A reader brackets its use with rcu_read_lock() and rcu_read_unlock(); what it loads from a
 * published pointer in between stays valid until the unlock. A writer unpublishes an object and
 * hands it to rcu_retire(); rcu_poll() frees it once no reader can hold it any more. Nobody waits
 * for anybody: reclaiming is tried again at the next poll.
 *
 * A reader may block in between (a lookup under its deadline); that only postpones the freeing.
 *
 * Cost: two uncontended atomic additions on a cache line that few threads share.
 */
#ifndef NOBLOCKDNS_RCU_H
#define NOBLOCKDNS_RCU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RCU_SHARDS 16 /* a power of two; threads are spread over them by their stack address */

struct rcu_shard {
	_Atomic uint32_t readers[2]; /* by phase */
} __attribute__((aligned(64)));

extern struct rcu_shard rcu_shards[RCU_SHARDS];
extern _Atomic uint32_t rcu_phase; /* 0 or 1 */

typedef _Atomic uint32_t *rcu_token;

/* Any thread, signal handlers too; nests. */
static inline rcu_token rcu_read_lock(void)
{
	static _Thread_local char here;
	unsigned shard = (unsigned)((uintptr_t)&here >> 12) & (RCU_SHARDS - 1);
	unsigned phase = atomic_load_explicit(&rcu_phase, memory_order_relaxed) & 1;
	rcu_token token = &rcu_shards[shard].readers[phase];

	/* seq_cst: the count must be visible before any published pointer is loaded. */
	atomic_fetch_add_explicit(token, 1, memory_order_seq_cst);
	return token;
}

static inline void rcu_read_unlock(rcu_token token)
{
	atomic_fetch_sub_explicit(token, 1, memory_order_release);
}

/* An object that can be retired starts with this. */
struct rcu_head {
	struct rcu_head *next;
	void (*free)(struct rcu_head *head);
};

/*
 * Hands over an object that is no longer published. `head->free` will run once, in some later
 * rcu_poll(). Any thread of the owner process.
 */
void rcu_retire(struct rcu_head *head);

/* Frees what no reader can hold any more; waits for no reader. Returns how many were freed. Any
 * thread of the owner process. */
unsigned rcu_poll(void);

/* In a forked child: the readers of the parent's other threads are gone, and what was retired but
 * not freed yet is leaked. */
void rcu_reset(void);

#endif
