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

#include "shim/hot.h"
#include "shim/lock.h"

#include <stddef.h>

HOT struct rcu_shard rcu_shards[RCU_SHARDS];
HOT _Atomic uint32_t rcu_phase;

static HOT struct lock lock;	     /* a leaf: taken under any module's lock */
static HOT struct rcu_head *pending; /* guarded by lock */
static HOT struct rcu_head *waiting; /* guarded by lock */
static HOT _Atomic bool any;	     /* on either list; written under lock */

void rcu_retire(struct rcu_head *head)
{
	lock_take(&lock);
	head->next = pending;
	pending = head;
	atomic_store(&any, true);
	lock_release(&lock);
}

static bool drained(unsigned phase)
{
	for (unsigned i = 0; i < RCU_SHARDS; i++)
		if (atomic_load_explicit(&rcu_shards[i].readers[phase], memory_order_seq_cst) != 0)
			return false;
	return true;
}

/* Moves the lists one step on and returns what is to be freed. */
static struct rcu_head *advance_locked(void)
{
	unsigned phase = atomic_load_explicit(&rcu_phase, memory_order_relaxed);
	struct rcu_head *over = waiting;

	if ((pending == NULL && waiting == NULL) || !drained(phase ^ 1))
		return NULL;
	waiting = pending;
	pending = NULL;
	atomic_store_explicit(&rcu_phase, phase ^ 1, memory_order_seq_cst);
	return over;
}

unsigned rcu_poll(void)
{
	struct rcu_head *over, *next;
	unsigned freed = 0;

	if (!atomic_load(&any))
		return 0;
	lock_take(&lock);
	over = advance_locked();
	atomic_store(&any, pending != NULL || waiting != NULL);
	lock_release(&lock);
	for (; over != NULL; over = next, freed++) {
		next = over->next;
		over->free(over);
	}
	return freed;
}

void rcu_reset(void)
{
	lock_reset(&lock);
	/* Leaked: the fork may have come between the two stores of advance_locked(), and then one
	 * object is on both lists, or between retiring and freeing. */
	pending = waiting = NULL;
	atomic_store(&any, false);
	for (unsigned i = 0; i < RCU_SHARDS; i++)
		for (unsigned phase = 0; phase < 2; phase++)
			atomic_store(&rcu_shards[i].readers[phase], 0);
}
