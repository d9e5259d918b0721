// SPDX-License-Identifier: MIT
/* attempts_list.c - the races that are running (attempts.h). */
#include "shim/attempts_internal.h"

#include "shim/attempt_result.h"
#include "shim/clock.h"
#include "shim/lock.h"

/*
 * A program that connects to another address of the same name while the first is pending may race
 * by itself, or open several connections: a proxy that takes the addresses in turn, a pool. A race
 * of the program's own
 *
 *	- is made with sockets that do not block;
 *	- has its second attempt where RFC 8305 has it: in the other family (section 4), after at
 *	  least 100 ms (section 5), and nobody waits for more than 300 (curl 200, Node.js and
 *	  Firefox 250, Chrome 300);
 *	- with an address that was not asked for before on its own account;
 *	- closes what has lost within a moment of the second's being connected.
 *
 * A connect() of which all but the last is true is a rival. It races like any other, at half the
 * pace, and the race of the first makes room for it: a delay. If the first is closed in that time
 * and the rival is connected, the program has raced, and this is known from then on. Thus a pool
 * whose connects all hang is still helped, 250 ms later at most.
 */
#define RIVAL_MIN_MS 100
#define RIVAL_MAX_MS 350
#define FIRSTS	     16 /* addresses that are remembered for the third rule, the latest ones */

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

static bool is_rival(const struct attempts *a, const struct order_dest *dest, in_port_t port,
		     uint64_t now_ms)
{
	if (a->goal.blocking || a->goal.port != port || a->goal.dests[0].family == dest->family ||
	    attempts_end(a) != ATTEMPTS_RUNNING ||
	    !clock_elapsed(a->since_ms, now_ms, RIVAL_MIN_MS) ||
	    clock_elapsed(a->since_ms, now_ms, RIVAL_MAX_MS))
		return false;
	for (unsigned i = 1; i < a->goal.n; i++)
		if (order_dest_same(&a->goal.dests[i], dest))
			return true;
	return false;
}

static void note_rival_locked(struct attempts *a, int fd, uint64_t now_ms)
{
	if (atomic_load(&a->rival_ms) != 0)
		return;
	a->rival_fd = fd;
	atomic_store(&a->rival_ms, now_ms);
}

bool attempts_rival(int fd, const struct order_dest *dest, in_port_t port, uint64_t now_ms)
{
	bool found = false;

	lock_take(&list_lock);
	if (!is_first_locked(dest, port)) {
		for (struct attempts *a = list; a != NULL; a = a->next) {
			if (is_rival(a, dest, port, now_ms)) {
				note_rival_locked(a, fd, now_ms);
				found = true;
			}
		}
	}
	if (!found)
		note_first_locked(dest, port);
	lock_release(&list_lock);
	return found;
}

void attempts_closed(struct attempts *a, uint64_t now_ms)
{
	uint64_t rival_ms = atomic_load(&a->rival_ms);
	struct attempt_result rival;

	if (rival_ms == 0 || clock_elapsed(rival_ms, now_ms, a->goal.delay_ms))
		return;
	attempt_look_at(a->rival_fd, ATTEMPT_LOOK, &rival);
	if (rival.state == ATTEMPT_CONNECTED)
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
