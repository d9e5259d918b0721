// SPDX-License-Identifier: MIT
/* ask.c - see ask.h. */
#include "shim/ask.h"

#include "shim/ask_internal.h"
#include "shim/cancel.h"
#include "shim/clock.h"
#include "shim/counters.h"
#include "shim/failures.h"
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
		lease_release(ask_cache(a), &a->lease, false);
	return r;
}

static void put_in_background(struct asking *a)
{
	struct fetch *fetch;

	if (put(a, nobody_waits, NULL, &fetch) == 0)
		fetch_abandon(fetch);
}

/* The time that others have waited since they asked is not waited for twice, unless they asked in
 * another network. */
enum lease_result ask_take_lease(struct asking *a)
{
	const struct config *config = a->call->settings->config;
	enum lease_result result =
		lease_take(ask_cache(a), a->key, a->question->types, a->call->now_ms, &a->lease);
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

int ask_take(struct asking *a, struct blob *blob)
{
	a->call->now_ms = clock_boot_ms();
	return ask_end(a->call, &a->plan, &a->question->name, a->question->types, blob);
}

void ask_note_wait(void)
{
	atomic_store_explicit(&has_waited, true, memory_order_relaxed);
}

static int put_and_wait(struct asking *a)
{
	struct blob *blob;
	int r = put(a, NULL, NULL, &a->fetch);

	if (r < 0)
		return r;
	ask_note_wait();
	blob = fetch_wait(a->fetch, a->plan.until_ms);
	a->fetch = NULL;
	if (blob == NULL && !process_is_clean())
		return -EXDEV; /* a fork of a signal handler: the answer goes to the parent */
	return ask_take(a, blob);
}

/* Puts a question for which there is something stale, and which nobody would wait for any more. */
static int put_for_the_next(struct asking *a)
{
	uint64_t until_ms = a->call->now_ms + a->call->settings->config->stale_after_ms;

	if (a->may_wait && !atomic_load_explicit(&has_waited, memory_order_relaxed)) {
		a->plan.until_ms =
			until_ms < a->call->deadline_ms ? until_ms : a->call->deadline_ms;
		return put_and_wait(a);
	}
	put_in_background(a);
	return ask_take(a, NULL);
}

static int ask_or_wait(struct asking *a)
{
	int r;

	trace_note(TRACE_SOURCE_UPSTREAM);
	r = ask_others(a);
	if (r <= 0)
		return r;
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

	switch (lease_take(ask_cache(a), PROBE_KEY ^ a->call->settings->view, BOTH, now_ms,
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
		return ask_take(a, NULL);
	silence_note(ask_cache(a), a->call->settings->view, a->call->now_ms);
	return put_for_the_next(a);
}

/* A failure may be remembered for long after the servers are back. */
static int take_known(struct asking *a)
{
	if (a->plan.unheard && probes(a))
		put_in_background(a);
	return ask_take(a, NULL);
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
		return ask_take(a, NULL);
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
	ask_take_lease(&a);
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
	    ask_take_lease(&a) != LEASE_MINE)
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
