// SPDX-License-Identifier: MIT
/* attempts_list.c - the races that are running (attempts.h). */
#include "shim/attempts_internal.h"
#include "shim/clock.h"
#include "shim/lock.h"

/* A program that connects to another family's address of the same name while the first is pending
 * races by itself; to one of the same family only if it has waited a while: else it may just be
 * opening two connections. */
#define RIVAL_MS 50

static struct lock list_lock; /* a leaf */
static struct attempts *list; /* guarded by list_lock */

void attempts_enlist(struct attempts *a)
{
	lock_take(&list_lock);
	a->next = list;
	if (list != NULL)
		list->prev = a;
	list = a;
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
	lock_release(&list_lock);
}

void attempts_leave_alone(struct attempts *a)
{
	atomic_store(&a->alone, true);
}

bool attempts_rival(const struct order_dest *dest, uint64_t now_ms)
{
	bool found = false;

	lock_take(&list_lock);
	for (struct attempts *a = list; a != NULL; a = a->next) {
		const struct order_dest *asked = &a->goal.dests[0];
		bool rival = false;

		for (unsigned i = 1; i < a->goal.n && !rival; i++)
			rival = order_dest_same(&a->goal.dests[i], dest);
		rival = rival && (asked->family != dest->family ||
				  clock_elapsed(a->since_ms, now_ms, RIVAL_MS));
		if (rival)
			attempts_leave_alone(a);
		found |= rival;
	}
	lock_release(&list_lock);
	return found;
}

void attempts_forked(void)
{
	lock_reset(&list_lock);
	attempts_pool_forked();
	for (struct attempts *a = list; a != NULL; a = a->next)
		atomic_store(&a->end, ATTEMPTS_STOPPED);
	list = NULL;
}
