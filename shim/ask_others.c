// SPDX-License-Identifier: MIT
/* ask_others.c - while others have the question's lease (ask.h): what they have is waited for. */
#include "shim/ask_internal.h"

#include "shim/counters.h"
#include "shim/process.h"

#include <errno.h>

/* When what is fresh counts as having come: while the lease is on, when it did; else now. */
static uint64_t came_ms(const struct asking *a, const struct entry_rrset *fresh)
{
	return fresh->stored_ms + LEASE_MS >= a->lease.end_ms ? fresh->stored_ms : a->call->now_ms;
}

/* 1: there is nothing yet. 0: the answer is in the cache, or in the call. */
static int look_again(struct asking *a)
{
	const struct lookup_question *q = a->question;
	struct resolve *call = a->call;
	struct entry entry;
	unsigned fresh;
	bool is_a;

	if (resolve_find(call, &q->name, &entry) < 0)
		return 1;
	fresh = ask_plan_fresh(&entry, q->types, call->now_ms);
	if (fresh == q->types) {
		counters_unhit();
		return 0;
	}
	if (!ask_plan_has_addresses(&entry, fresh))
		return 1;
	/* As fetch_end.c: the other type is waited for a little (RFC 8305 section 3). */
	is_a = fresh == FETCH_A;
	if (a->partial_ms == 0)
		a->partial_ms = came_ms(a, &entry.rr[is_a ? ENTRY_A : ENTRY_AAAA]);
	if (call->now_ms < a->partial_ms + call->settings->config->resolution_delay_ms)
		return 1;
	entry.rr[is_a ? ENTRY_AAAA : ENTRY_A] = (struct entry_rrset){.kind = RESOLVER_NONE};
	a->plan.since_ms = 0; /* others have heard of the servers */
	return ask_take(a, blob_encode(&entry));
}

/* Plans anew: others may have failed meanwhile, or had a part of the answer, in whose place nothing
 * stale is to be given. True: the call has what is known. */
static bool plan_anew(struct asking *a, int *ret)
{
	struct ask_plan plan;

	ask_plan_make(a->call, a->question, &plan);
	if (!plan.known && (plan.stale == NULL || a->plan.stale == NULL)) {
		ask_plan_forget(&plan);
		return false;
	}
	if (!plan.known) {
		plan.until_ms = a->plan.until_ms;
		plan.since_ms = a->plan.since_ms;
	}
	ask_plan_forget(&a->plan);
	a->plan = plan;
	if (plan.known)
		*ret = ask_take(a, NULL);
	return plan.known;
}

/* Others have released the lease that was waited for, and still there is nothing: what they had may
 * not be kept (TTL 0). Whoever waited for the next one would stand in a line. */
static bool waits_in_vain(const struct asking *a)
{
	return a->waited_who != 0 && a->waited_who != a->lease.who &&
	       a->call->now_ms < a->waited_end_ms && a->partial_ms == 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void wait_for_others(struct asking *a)
{
	uint64_t until_ms = least(a->plan.until_ms, a->lease.end_ms);

	if (a->partial_ms != 0)
		until_ms = least(until_ms,
				 a->partial_ms + a->call->settings->config->resolution_delay_ms);
	if (until_ms > a->call->now_ms)
		lease_wait(ask_cache(a), &a->lease, until_ms - a->call->now_ms);
	ask_note_wait();
	a->waited_who = a->lease.who;
	a->waited_end_ms = a->lease.end_ms;
	a->call->now_ms = clock_boot_ms();
}

int ask_others(struct asking *a)
{
	int r;

	while (ask_take_lease(a) == LEASE_OTHERS) {
		r = look_again(a);
		if (r <= 0 || plan_anew(a, &r))
			return r;
		if (a->plan.until_ms <= a->call->now_ms)
			return ask_take(a, NULL);
		if (waits_in_vain(a))
			return 1;
		if (a->waited_who == 0)
			counters_add(COUNTER_WAITED, 1);
		wait_for_others(a);
		if (!process_is_clean())
			return -EXDEV;
	}
	return 1;
}
