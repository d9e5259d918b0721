// SPDX-License-Identifier: MIT
/*
 * rcu.c - the writer's side of rcu.h.
 *
 * Two phases, two lists. A retired object enters `pending`. A poll that finds the counters of the
 * other phase all zero flips the phase, frees `waiting` and moves `pending` there. So between an
 * object's retirement and its end every counter, of both phases, was seen at zero once:
 *
 *	retire -> pending -(old phase drained)-> waiting -(the other phase drained)-> free
 *
 * That is enough. A reader that holds the object raised a counter before the object was
 * unpublished, and lowers the same counter when it is done; a counter that was at zero at any
 * moment afterwards has no such reader. Flipping the phase gives each counter a time in which no
 * new reader enters, so that a busy program cannot keep one above zero for ever.
 */
#include "shim/rcu.h"

#include <stddef.h>

struct rcu_shard rcu_shards[RCU_SHARDS];
_Atomic uint32_t rcu_phase;

static struct rcu_head *pending; /* guarded by the writers' lock */
static struct rcu_head *waiting; /* likewise */

void rcu_retire_locked(struct rcu_head *head)
{
	head->next = pending;
	pending = head;
}

static bool drained(unsigned phase)
{
	for (unsigned i = 0; i < RCU_SHARDS; i++)
		if (atomic_load_explicit(&rcu_shards[i].readers[phase], memory_order_seq_cst) != 0)
			return false;
	return true;
}

unsigned rcu_poll_locked(void)
{
	unsigned freed = 0;
	unsigned phase = atomic_load_explicit(&rcu_phase, memory_order_relaxed);

	if ((pending == NULL && waiting == NULL) || !drained(phase ^ 1))
		return 0;
	for (struct rcu_head *head = waiting, *next; head != NULL; head = next, freed++) {
		next = head->next;
		head->free(head);
	}
	waiting = pending;
	pending = NULL;
	atomic_store_explicit(&rcu_phase, phase ^ 1, memory_order_seq_cst);
	return freed;
}

void rcu_reset(void)
{
	for (unsigned i = 0; i < RCU_SHARDS; i++)
		for (unsigned phase = 0; phase < 2; phase++)
			atomic_store(&rcu_shards[i].readers[phase], 0);
}
