// SPDX-License-Identifier: MIT
/* ask.c - see ask.h. */
#include "shim/ask.h"

#include "shim/cancel.h"
#include "shim/clock.h"
#include "shim/counters.h"
#include "shim/failures.h"
#include "shim/lease.h"
#include "shim/netstate.h"
#include "shim/process.h"
#include "shim/siblings_lookup.h"
#include "shim/silence.h"
#include "shim/trace.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define BOTH (FETCH_A | FETCH_AAAA)

/* What one process does for all while the servers are silent: it asks, this often. */
#define PROBE_KEY UINT64_C(0x70726f6265000000)

/* Has this process waited for an answer before? A new one may be over at once, and its question
 * with it: where all are like that, nobody would ever have an answer who did not wait for it. What
 * a child's parent has waited for does not count. */
static atomic_bool has_waited;

struct asking {
	struct resolve *call;
	const struct lookup_question *question;
	struct ask_plan plan;
	uint64_t key;	     /* of the name */
	struct lease lease;  /* as it was taken, or is others' */
	uint64_t waited_who; /* others' lease that was waited for; 0: none was */
	uint64_t waited_end_ms;
	uint64_t partial_ms; /* since when others have one type's addresses; 0: they have not */
	struct fetch *fetch; /* owns, while it is waited for */
	bool mine;	     /* the lease */
	bool refresh;
	bool may_wait; /* on this thread */
};

static struct cache *cache_of(const struct asking *a)
{
	return a->call->settings->cache;
}

/* ---- to ask ---- */

static void nobody_waits(void *arg, struct blob *blob, uint64_t now_ms)
{
	(void)arg;
	(void)blob;
	(void)now_ms;
}

static int put(struct asking *a, fetch_done_fn done, void *arg, struct fetch **ret)
{
	const struct fetch_question question = {
		.name = &a->question->name,
		.spelling = a->question->spelling,
		.types = a->question->types,
		.deadline_ms = done == NULL ? a->call->deadline_ms : a->plan.until_ms,
		.lease = a->mine ? &a->lease : NULL,
		.refresh = a->refresh,
		.background = done == nobody_waits,
		.done = done,
		.arg = arg,
	};
	int r = fetch_start(a->call->settings, &question, ret);

	if (r < 0 && a->mine)
		lease_release(cache_of(a), &a->lease, false);
	return r;
}

static void put_in_background(struct asking *a)
{
	struct fetch *fetch;

	if (put(a, nobody_waits, NULL, &fetch) == 0)
		fetch_abandon(fetch);
}

/* Takes the lease if there is one to be had. The time that others have waited since they asked is
 * not waited for twice, unless they asked in another network. */
static enum lease_result take_lease(struct asking *a)
{
	const struct config *config = a->call->settings->config;
	enum lease_result result =
		lease_take(cache_of(a), a->key, a->question->types, a->call->now_ms, &a->lease);
	uint64_t end_ms;

	if (a->lease.first_ms < netstate_since_last())
		a->lease.first_ms = a->call->now_ms;
	end_ms = a->lease.first_ms + config->stale_after_ms;
	a->mine = result == LEASE_MINE;
	a->plan.since_ms = a->lease.part ? 0 : a->lease.first_ms; /* 0: they are not silent */
	if (a->plan.stale != NULL && end_ms < a->plan.until_ms)
		a->plan.until_ms = end_ms;
	return result;
}

/* ---- to end ---- */

/* Where nothing came in time, is anything heard of the servers at all? */
static void heed_silence(const struct resolve *call, const struct ask_plan *plan)
{
	if (plan->stale != NULL && plan->since_ms != 0 && call->now_ms >= plan->until_ms &&
	    plan->since_ms >= netstate_since_last() && fetch_heard_ms() < plan->since_ms)
		silence_note(call->settings->cache, call->settings->view, call->now_ms);
}

int ask_end(struct resolve *call, struct ask_plan *plan, const struct name *name, unsigned types,
	    struct blob *blob)
{
	heed_silence(call, plan);
	return resolve_take(call, name, ask_plan_choose(plan, types, blob));
}

static int take(struct asking *a, struct blob *blob)
{
	a->call->now_ms = clock_boot_ms();
	return ask_end(a->call, &a->plan, &a->question->name, a->question->types, blob);
}

static int put_and_wait(struct asking *a)
{
	struct blob *blob;
	int r = put(a, NULL, NULL, &a->fetch);

	if (r < 0)
		return r;
	atomic_store_explicit(&has_waited, true, memory_order_relaxed);
	blob = fetch_wait(a->fetch, a->plan.until_ms);
	a->fetch = NULL;
	if (blob == NULL && !process_is_clean())
		return -EXDEV; /* a fork of a signal handler: the answer goes to the parent */
	return take(a, blob);
}

/* ---- others ask ---- */

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
	/* As fetch_job.c: the other type is waited for a little (RFC 8305 section 3). */
	is_a = fresh == FETCH_A;
	if (a->partial_ms == 0)
		a->partial_ms = came_ms(a, &entry.rr[is_a ? ENTRY_A : ENTRY_AAAA]);
	if (call->now_ms < a->partial_ms + call->settings->config->resolution_delay_ms)
		return 1;
	entry.rr[is_a ? ENTRY_AAAA : ENTRY_A] = (struct entry_rrset){.kind = RESOLVER_NONE};
	a->plan.since_ms = 0; /* others have heard of the servers */
	return take(a, blob_encode(&entry));
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
		*ret = take(a, NULL);
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
		lease_wait(cache_of(a), &a->lease, until_ms - a->call->now_ms);
	atomic_store_explicit(&has_waited, true, memory_order_relaxed);
	a->waited_who = a->lease.who;
	a->waited_end_ms = a->lease.end_ms;
	a->call->now_ms = clock_boot_ms();
}

/* Puts a question for which there is something stale, and which nobody would wait for any more. */
static int put_for_the_next(struct asking *a)
{
	uint64_t until_ms = a->call->now_ms + a->call->settings->config->stale_after_ms;

	if (a->may_wait && !atomic_load_explicit(&has_waited, memory_order_relaxed)) {
		a->plan.until_ms = least(until_ms, a->call->deadline_ms);
		return put_and_wait(a);
	}
	put_in_background(a);
	return take(a, NULL);
}

static int ask_or_wait(struct asking *a)
{
	int r;

	trace_note(TRACE_SOURCE_UPSTREAM);
	while (take_lease(a) == LEASE_OTHERS) {
		r = look_again(a);
		if (r <= 0 || plan_anew(a, &r))
			return r;
		if (a->plan.until_ms <= a->call->now_ms)
			return take(a, NULL);
		if (waits_in_vain(a))
			break;
		if (a->waited_who == 0)
			counters_add(COUNTER_WAITED, 1);
		wait_for_others(a);
		if (!process_is_clean())
			return -EXDEV;
	}
	return a->plan.until_ms > a->call->now_ms ? put_and_wait(a) : put_for_the_next(a);
}

/* ---- from the top ---- */

/* Servers are silent. Is it for this thread to find out whether they still are? Where there is no
 * place for a lease (a full disk, say) each process does, as often. */
static bool probes(const struct asking *a)
{
	static _Atomic uint64_t probed_ms;
	uint64_t now_ms = a->call->now_ms, last_ms = atomic_load(&probed_ms);
	struct lease probe;

	switch (lease_take(cache_of(a), PROBE_KEY ^ a->call->settings->view, BOTH, now_ms,
			   &probe)) {
	case LEASE_MINE:
		return true;
	case LEASE_OTHERS:
		return false;
	case LEASE_NONE:
		break;
	}
	return clock_elapsed(last_ms, now_ms, LEASE_MS) &&
	       atomic_compare_exchange_strong(&probed_ms, &last_ms, now_ms);
}

static int ask_silent(struct asking *a)
{
	if (!probes(a))
		return take(a, NULL);
	silence_note(cache_of(a), a->call->settings->view, a->call->now_ms);
	return put_for_the_next(a);
}

/* A failure may be remembered for long after the servers are back. */
static int take_known(struct asking *a)
{
	if (a->plan.unheard && probes(a))
		put_in_background(a);
	return take(a, NULL);
}

/* 1: it has to be asked, and waited for. What others have left may be younger than the time that
 * the call began with: the settings were read since, or the last question of a search list asked.
 */
static int begin(struct asking *a)
{
	a->call->now_ms = clock_boot_ms();
	counters_miss();
	ask_plan_make(a->call, a->question, &a->plan);
	if (a->plan.known)
		return take_known(a);
	if (a->call->now_ms >= a->call->deadline_ms)
		return take(a, NULL);
	if (a->plan.silent)
		return ask_silent(a);
	a->key = siblings_key(a->call->settings, &a->question->name);
	return 1;
}

static int run(struct asking *a)
{
	int r = begin(a);

	return r == 1 ? ask_or_wait(a) : r;
}

static void clean_up(void *arg)
{
	struct asking *a = arg;

	if (a->fetch != NULL)
		fetch_abandon(a->fetch);
	ask_plan_forget(&a->plan);
}

int ask(struct resolve *call, const struct lookup_question *question)
{
	struct asking a = {.call = call, .question = question, .may_wait = true};
	struct cancel_cleanup cleanup;
	int r;

	if (process_check() != PROCESS_OWNER)
		return -EXDEV;
	cancel_push(&cleanup, clean_up, &a);
	pthread_testcancel(); /* an answer may come without any wait */
	r = run(&a);
	cancel_pop(&cleanup);
	clean_up(&a);
	return r;
}

int ask_begin(struct resolve *call, const struct lookup_question *question, fetch_done_fn done,
	      void *arg, struct ask_plan *ret, struct fetch **ret_fetch)
{
	struct asking a = {.call = call, .question = question};
	int r = begin(&a);

	if (r <= 0)
		return r < 0 ? r : 1;
	take_lease(&a);
	r = put(&a, done, arg, ret_fetch);
	if (r < 0)
		ask_plan_forget(&a.plan);
	*ret = a.plan;
	return r;
}

__attribute__((noinline, cold)) static void refresh(struct resolve *call, const struct name *name,
						    unsigned types, uint64_t key)
{
	const struct settings *s = call->settings;
	struct lookup_question question = {.name = *name, .types = types};
	struct asking a = {.call = call, .question = &question, .key = key, .refresh = true};
	struct entry_rrset failed[ENTRY_NTYPES];

	if (process_check() != PROCESS_OWNER ||
	    (failures_find(s->cache, s->view, name, call->now_ms, failed) & types) ||
	    take_lease(&a) != LEASE_MINE)
		return;
	counters_add(COUNTER_PREFETCHES, 1);
	memcpy(question.spelling, name->text, name->len + 1u);
	put_in_background(&a);
}

void ask_refresh(struct resolve *call, const struct name *name, unsigned types, uint64_t key)
{
	if (!lease_is_taken(call->settings->cache, key, call->now_ms))
		refresh(call, name, types, key);
}

void ask_reset(void)
{
	atomic_store_explicit(&has_waited, false, memory_order_relaxed);
}
