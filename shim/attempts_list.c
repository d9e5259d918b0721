// SPDX-License-Identifier: MIT
/* attempts_list.c - the races that are running (attempts.h). */
#include "shim/attempts_internal.h"
#include "shim/clock.h"
#include "shim/lock.h"

/*
 * A program that connects to another address of the same name while the first is pending may race
 * by itself, or open several connections: a proxy that takes the addresses in turn, a pool. It does
 * not race
 *
 *	- where it has not waited a while: RFC 8305 has 100 ms as the least delay, and nobody
 *	  less than this;
 *	- with an address that it has asked for before on its own account.
 *
 * Otherwise it is a rival. Its attempt gets a delay of its own, and the race goes on after that. If
 * the program ends the first attempt in this time, it has raced, and this is known from then on.
 */
#define RIVAL_MS 50
#define FIRSTS	 16 /* addresses that are remembered for the second rule, the latest ones */

struct first {
	struct order_dest dest;
	in_port_t port; /* 0: none */
};

static struct lock list_lock;	    /* a leaf */
static struct attempts *list;	    /* guarded by list_lock */
static struct first firsts[FIRSTS]; /* guarded by list_lock */
static _Atomic unsigned running;    /* how many; changed under list_lock */
static _Atomic bool raced;	    /* the program, by itself */
static unsigned nfirsts;	    /* guarded by list_lock; how many there have been */

static bool is_first_locked(const struct order_dest *dest, in_port_t port)
{
	for (unsigned i = 0; i < FIRSTS; i++)
		if (firsts[i].port == port && order_dest_same(&firsts[i].dest, dest))
			return true;
	return false;
}

static void note_first_locked(const struct order_dest *dest, in_port_t port)
{
	if (!is_first_locked(dest, port))
		firsts[nfirsts++ % FIRSTS] = (struct first){.dest = *dest, .port = port};
}

void attempts_enlist(struct attempts *a)
{
	lock_take(&list_lock);
	a->next = list;
	if (list != NULL)
		list->prev = a;
	list = a;
	running++;
	lock_release(&list_lock);
}

void attempts_delist(struct attempts *a)
{
	lock_take(&list_lock);
	if (a->prev != NULL)
		a->prev->next = a->next;
	else
		list = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	running--;
	lock_release(&list_lock);
}

unsigned attempts_running(void)
{
	return atomic_load(&running);
}

void attempts_leave_alone(struct attempts *a)
{
	atomic_store(&a->alone, true);
}

static bool is_rival(const struct attempts *a, const struct order_dest *dest, in_port_t port,
		     uint64_t now_ms)
{
	if (a->goal.port != port || !clock_elapsed(a->since_ms, now_ms, RIVAL_MS))
		return false;
	for (unsigned i = 1; i < a->goal.n; i++)
		if (order_dest_same(&a->goal.dests[i], dest))
			return true;
	return false;
}

static void note_rival(struct attempts *a, uint64_t now_ms)
{
	uint64_t none = 0;

	(void)atomic_compare_exchange_strong(&a->rival_ms, &none, now_ms);
}

bool attempts_rival(const struct order_dest *dest, in_port_t port, uint64_t now_ms)
{
	bool found = false;

	lock_take(&list_lock);
	if (!is_first_locked(dest, port)) {
		for (struct attempts *a = list; a != NULL; a = a->next) {
			if (is_rival(a, dest, port, now_ms)) {
				note_rival(a, now_ms);
				found = true;
			}
		}
	}
	if (!found)
		note_first_locked(dest, port);
	lock_release(&list_lock);
	return found;
}

void attempts_note_raced(void)
{
	atomic_store(&raced, true);
}

bool attempts_raced(void)
{
	return atomic_load(&raced);
}

void attempts_forked(void)
{
	lock_reset(&list_lock);
	attempts_pool_forked();
	for (struct attempts *a = list; a != NULL; a = a->next)
		atomic_store(&a->end, ATTEMPTS_STOPPED);
	list = NULL;
	running = 0;
}
