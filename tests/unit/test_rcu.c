// SPDX-License-Identifier: MIT
/* rcu.c: nothing is freed under a reader, everything is freed in the end. */
#include "shim/rcu.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

struct object {
	struct rcu_head head;
	_Atomic int alive;
};

static _Atomic int freed;

static void object_free(struct rcu_head *head)
{
	struct object *o = (struct object *)head;

	atomic_store(&o->alive, 0);
	atomic_fetch_add(&freed, 1);
}

static void retire(struct object *o)
{
	o->alive = 1;
	o->head.free = object_free;
	rcu_retire(&o->head);
}

Test(rcu, without_readers_two_polls_free)
{
	static struct object o;

	retire(&o);
	cr_expect_eq(rcu_poll(), 0u);
	cr_expect_eq(rcu_poll(), 1u);
	cr_expect_eq(o.alive, 0);
}

Test(rcu, reader_from_before_keeps_the_object)
{
	static struct object o;
	rcu_token token = rcu_read_lock();

	retire(&o);
	for (int i = 0; i < 10; i++)
		rcu_poll();
	cr_expect_eq(o.alive, 1, "freed under its reader");
	rcu_read_unlock(token);
	for (int i = 0; i < 3; i++)
		rcu_poll();
	cr_expect_eq(o.alive, 0);
}

Test(rcu, readers_that_never_pause_do_not_keep_it)
{
	static struct object o;
	rcu_token old = rcu_read_lock();

	retire(&o);
	for (int i = 0; i < 10; i++) { /* one reader or another is always inside */
		rcu_token next = rcu_read_lock();

		rcu_read_unlock(old);
		old = next;
		rcu_poll();
	}
	rcu_read_unlock(old);
	cr_expect_eq(o.alive, 0, "overlapping readers kept the object for ever");
}

Test(rcu, reset_forgets_readers_of_other_threads)
{
	static struct object o;

	rcu_read_lock(); /* a thread that fork() left behind */
	rcu_reset();
	retire(&o);
	for (int i = 0; i < 3; i++)
		rcu_poll();
	cr_expect_eq(o.alive, 0);
}

/* A fork amid a poll may leave one list under both names: neither is believed. */
Test(rcu, reset_frees_nothing_that_was_retired_before)
{
	static struct object waits, pends, later;

	retire(&waits);
	cr_assert_eq(rcu_poll(), 0u);
	retire(&pends);
	rcu_reset();
	retire(&later);
	for (int i = 0; i < 4; i++)
		rcu_poll();
	cr_expect_eq(waits.alive, 1);
	cr_expect_eq(pends.alive, 1);
	cr_expect_eq(later.alive, 0);
}

static _Atomic(struct object *) published;
static _Atomic int stop;
static _Atomic int dead_seen;

static void *reader(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		rcu_token token = rcu_read_lock();
		struct object *o = atomic_load_explicit(&published, memory_order_acquire);

		for (int i = 0; i < 20; i++)
			if (o != NULL && !atomic_load(&o->alive))
				atomic_fetch_add(&dead_seen, 1);
		rcu_read_unlock(token);
	}
	return NULL;
}

Test(rcu, no_reader_sees_a_freed_object)
{
	enum { ROUNDS = 20000 };
	struct object *all = calloc(ROUNDS, sizeof *all);
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, reader, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct object *old;

		atomic_store(&all[i].alive, 1);
		old = atomic_exchange(&published, &all[i]);
		if (old != NULL) {
			old->head.free = object_free;
			rcu_retire(&old->head);
		}
		rcu_poll();
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 3; i++)
		rcu_poll();
	cr_expect_eq(dead_seen, 0, "%d reads of a freed object", dead_seen);
	cr_expect_eq(freed, ROUNDS - 1, "freed %d of %d", freed, ROUNDS - 1);
	free(all);
}
