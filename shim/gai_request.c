// SPDX-License-Identifier: MIT
/*
 * gai_request.c - see gai_request.h.
 *
 * Open requests stand in a hash table under the address of their gaicb, since that is all that
 * gai_cancel() and gai_suspend() are given, and it may be one that was never submitted.
 *
 * A sleeper in gai_suspend() waits for any completion of the process, then counts how many of its
 * list are still open. A gaicb that was closed and submitted again meanwhile has a higher serial
 * and does not count.
 */
#include "shim/gai_request.h"

#include "shim/cancel.h"
#include "shim/clock.h"
#include "shim/lock.h"
#include "shim/sys.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS	    256
#define NS_PER_S    1000000000u
#define MAX_SLEEP_S 4000000000u /* a century and more: keeps nanoseconds in 64 bits */

static struct lock lock;
static struct gai_request *buckets[BUCKETS]; /* guarded by lock */
static uint64_t serial;			     /* guarded by lock */
static _Atomic uint32_t nopen;		     /* all lists; written under lock */
static _Atomic uint32_t completions;	     /* futex; written under lock */

const char *gai_state_to_str(enum gai_state state)
{
	switch (state) {
	case GAI_RUNNING:
		return "running";
	case GAI_WAITING:
		return "waiting";
	case GAI_DONE:
		return "done";
	case GAI_CANCELLED:
		return "cancelled";
	}
	return "?";
}

static struct gai_request **bucket_of(const struct gaicb *gaicb)
{
	return &buckets[(uint64_t)(uintptr_t)gaicb * 0x9e3779b97f4a7c15u >> 56];
}

static struct gai_request *find_locked(const struct gaicb *gaicb)
{
	struct gai_request *r = *bucket_of(gaicb);

	while (r != NULL && r->gaicb != gaicb)
		r = r->in_bucket;
	return r;
}

/* gai_error() reads it without a lock: whoever sees the new value sees the result as well. */
static void set_return(struct gaicb *gaicb, int eai)
{
	__atomic_store_n(&gaicb->__return, eai, __ATOMIC_RELEASE);
}

static void open_locked(struct gai_request *r)
{
	struct gai_request **bucket = bucket_of(r->gaicb);

	set_return(r->gaicb, EAI_INPROGRESS);
	r->serial = serial;
	r->in_bucket = *bucket;
	*bucket = r;
}

static void close_locked(struct gai_request *r, enum gai_state state, int eai)
{
	struct gai_request **link = bucket_of(r->gaicb);

	while (*link != r)
		link = &(*link)->in_bucket;
	*link = r->in_bucket;
	r->state = state;
	set_return(r->gaicb, eai);
	r->gaicb = NULL;
	atomic_fetch_sub(&nopen, 1);
	atomic_fetch_add(&completions, 1);
}

/* After close_locked(), outside the lock, and while the list still has the caller's reference. */
static void tell(struct gai_list *list)
{
	(void)sys_futex_wake(&completions, INT_MAX, false);
	if (atomic_fetch_sub(&list->nopen, 1) != 1)
		return;
	if (list->notifies)
		gai_notify_send(&list->notify);
	else
		(void)sys_futex_wake(&list->nopen, 1, false);
}

/* ---- lists ---- */

static unsigned count_items(struct gaicb *const items[], int nitems)
{
	unsigned n = 0;

	for (int i = 0; i < nitems; i++)
		n += items[i] != NULL;
	return n;
}

struct gai_list *gai_list_new(int mode, struct gaicb *const items[], int nitems,
			      const struct sigevent *event)
{
	unsigned n = count_items(items, nitems), k = 0;
	struct gai_list *list = calloc(1, sizeof *list + n * sizeof list->requests[0]);

	if (list == NULL)
		return NULL;
	list->n = n;
	atomic_init(&list->refs, n + 1);
	atomic_init(&list->nopen, n);
	list->notifies = mode == GAI_NOWAIT;
	gai_notify_prepare(&list->notify, list->notifies ? event : NULL);
	for (int i = 0; i < nitems; i++)
		if (items[i] != NULL)
			list->requests[k++] = (struct gai_request){.list = list, .gaicb = items[i]};
	lock_take(&lock);
	serial++;
	atomic_fetch_add(&nopen, n);
	for (k = 0; k < n; k++)
		open_locked(&list->requests[k]);
	lock_release(&lock);
	return list;
}

void gai_list_ref(struct gai_list *list)
{
	atomic_fetch_add(&list->refs, 1);
}

void gai_list_drop(struct gai_list *list)
{
	if (atomic_fetch_sub(&list->refs, 1) == 1)
		free(list);
}

void gai_list_wait(struct gai_list *list)
{
	uint32_t left;

	while ((left = atomic_load(&list->nopen)) != 0)
		(void)sys_futex_wait(&list->nopen, left, NULL, false);
}

/* ---- transitions ---- */

void gai_request_wait(struct gai_request *request)
{
	lock_take(&lock);
	request->state = GAI_WAITING;
	lock_release(&lock);
}

bool gai_request_run(struct gai_request *request)
{
	bool won;

	lock_take(&lock);
	won = request->state == GAI_WAITING;
	if (won)
		request->state = GAI_RUNNING;
	lock_release(&lock);
	return won;
}

void gai_request_finish(struct gai_request *request, int eai)
{
	lock_take(&lock);
	close_locked(request, GAI_DONE, eai);
	lock_release(&lock);
	tell(request->list);
}

void gai_request_leave(struct gai_request *request)
{
	free(request->name_owned);
	resolve_forget(&request->kept);
	ask_plan_forget(&request->plan);
	gai_list_drop(request->list);
}

void gai_request_end(struct gai_request *request, int eai)
{
	gai_request_finish(request, eai);
	gai_request_leave(request);
}

int gai_request_cancel(const struct gaicb *gaicb, struct gai_request **ret)
{
	struct gai_request *found;
	bool won;

	lock_take(&lock);
	found = find_locked(gaicb);
	won = found != NULL && found->state == GAI_WAITING;
	if (won) {
		gai_list_ref(found->list);
		close_locked(found, GAI_CANCELLED, EAI_CANCELED);
	}
	lock_release(&lock);
	if (!won)
		return found == NULL ? EAI_ALLDONE : EAI_NOTCANCELED;
	tell(found->list);
	*ret = found;
	return EAI_CANCELED;
}

/* ---- gai_suspend ---- */

bool gai_request_any(void)
{
	return atomic_load(&nopen) != 0;
}

static unsigned count_open_locked(const struct gaicb *const items[], int nitems, uint64_t before)
{
	unsigned n = 0;

	for (int i = 0; i < nitems; i++) {
		const struct gai_request *r = items[i] == NULL ? NULL : find_locked(items[i]);

		n += r != NULL && r->serial <= before;
	}
	return n;
}

/* Sleeps until `end_ns` (0: for ever). */
static int sleep_until(uint32_t seen, uint64_t end_ns)
{
	uint64_t now_ns = clock_boot_ns(), left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
	struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
				.tv_nsec = (long)(left_ns % NS_PER_S)};

	return cancel_futex_wait(&completions, seen, end_ns == 0 ? NULL : &left);
}

static bool end_of(const struct timespec *timeout, uint64_t *ret_end_ns)
{
	uint64_t s;

	*ret_end_ns = 0;
	if (timeout == NULL)
		return true;
	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= (long)NS_PER_S)
		return false;
	s = (uint64_t)timeout->tv_sec < MAX_SLEEP_S ? (uint64_t)timeout->tv_sec : MAX_SLEEP_S;
	*ret_end_ns = clock_boot_ns() + s * NS_PER_S + (uint64_t)timeout->tv_nsec;
	return true;
}

int gai_request_suspend(const struct gaicb *const items[], int nitems,
			const struct timespec *timeout)
{
	unsigned at_first = 0, open;
	uint64_t before, end_ns;
	uint32_t seen;
	int r = 0;

	if (!end_of(timeout, &end_ns)) {
		errno = EINVAL;
		return EAI_SYSTEM;
	}
	lock_take(&lock);
	before = serial;
	lock_release(&lock);
	for (;;) {
		lock_take(&lock);
		open = count_open_locked(items, nitems, before);
		seen = atomic_load(&completions);
		lock_release(&lock);
		if (at_first == 0)
			at_first = open;
		if (at_first == 0)
			return EAI_ALLDONE;
		if (open < at_first)
			return 0;
		if (r == -EINTR)
			return EAI_INTR;
		if (r == -ETIMEDOUT)
			return EAI_AGAIN;
		r = sleep_until(seen, end_ns);
	}
}

void gai_request_reset(void)
{
	lock_reset(&lock);
	memset(buckets, 0, sizeof buckets);
	atomic_store(&nopen, 0);
}
