// SPDX-License-Identifier: MIT
/* ask.c - see ask.h. */
#include "shim/ask.h"

#include "shim/clock.h"
#include "shim/failures.h"
#include "shim/lease.h"
#include "shim/process.h"
#include "shim/siblings_lookup.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* What one process does for all while the servers are silent: it asks, this often. */
#define PROBE_KEY UINT64_C(0x70726f6265000000)

/* When this process last knew the servers of a view to be silent, and for how long it may rely on
 * that. Both atomic; a pair that does not match costs one wait. */
#define SILENT_SEEN_MS 100
static _Atomic uint64_t seen_view, seen_ms;

struct asking {
	struct resolve *call;
	const struct lookup_question *question;
	struct ask_plan plan;
	uint64_t key;	     /* of the lease */
	uint64_t partial_ms; /* since when others have one type's addresses; 0: they have not */
	struct lease waited; /* the lease of others that was waited for; key 0: none was */
	struct fetch *fetch; /* owns, while it is waited for */
	bool refresh;
};

static struct cache *cache_of(const struct asking *a)
{
	return a->call->settings->cache;
}

/* ---- what is there already ---- */

static bool has_addresses(const struct entry *entry, unsigned types)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && entry->rr[t].naddrs > 0)
			return true;
	return false;
}

/* Makes what has expired look as if it were fresh; takes away what is too old. */
static void make_stale(struct entry *entry, uint64_t max_ms, uint64_t now_ms)
{
	for (int t = 0; t < ENTRY_NTYPES; t++) {
		struct entry_rrset *rr = &entry->rr[t];
		uint64_t age_ms = now_ms - rr->stored_ms;

		if (rr->kind == RESOLVER_NONE || entry_fresh(rr, now_ms))
			continue;
		if (rr->stored_ms > now_ms || rr->kind == RESOLVER_FAILURE || max_ms == 0 ||
		    age_ms > (uint64_t)rr->ttl_s * 1000 + max_ms) {
			*rr = (struct entry_rrset){.kind = RESOLVER_NONE};
			continue;
		}
		rr->ttl_s = ASK_STALE_TTL_S;
		rr->stored_ms = now_ms;
	}
}

/* Of the types that are asked: those that are fresh. */
static unsigned fresh_types(const struct entry *entry, unsigned types, uint64_t now_ms)
{
	unsigned fresh = 0;

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && entry_fresh(&entry->rr[t], now_ms))
			fresh |= 1u << t;
	return fresh;
}

/* Puts the failures in where there is nothing, or nothing but a negative answer that is not fresh:
 * such a one is not given by itself. */
static void add_failures(struct entry *entry, const struct entry_rrset failed[ENTRY_NTYPES],
			 unsigned types, unsigned fresh)
{
	bool keep = has_addresses(entry, types);

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (failed[t].kind != RESOLVER_NONE && !(fresh & 1u << t) &&
		    (!keep || entry->rr[t].kind == RESOLVER_NONE))
			entry->rr[t] = failed[t];
}

static void remember_silent(uint64_t view, uint64_t now_ms)
{
	atomic_store_explicit(&seen_view, view, memory_order_relaxed);
	atomic_store_explicit(&seen_ms, now_ms, memory_order_relaxed);
}

static void note_silent(const struct settings *s, uint64_t now_ms)
{
	remember_silent(s->view, now_ms);
	failures_note_silent(s->cache, s->view, now_ms);
}

/* The servers' state cannot be read while it is written, which takes long where the writer has lost
 * its core. What this process knew a moment ago serves meanwhile. */
static bool is_silent(const struct settings *s, uint64_t now_ms)
{
	uint64_t last_ms = atomic_load_explicit(&seen_ms, memory_order_relaxed);

	if (failures_silent(s->cache, s->view, now_ms)) {
		remember_silent(s->view, now_ms);
		return true;
	}
	return atomic_load_explicit(&seen_view, memory_order_relaxed) == s->view &&
	       now_ms - last_ms < SILENT_SEEN_MS && fetch_heard_ms() < last_ms;
}

static void make_plan(struct resolve *call, const struct lookup_question *question,
		      struct ask_plan *ret)
{
	const struct settings *s = call->settings;
	struct entry_rrset failed[ENTRY_NTYPES] = {0};
	unsigned fresh = 0, failing;
	struct entry entry;

	*ret = (struct ask_plan){.until_ms = call->deadline_ms};
	if (s->cache == NULL)
		return;
	if (resolve_find(call, &question->name, &entry) == 0)
		fresh = fresh_types(&entry, question->types, call->now_ms);
	else
		entry = (struct entry){.view = s->view,
				       .name = question->name.text,
				       .name_len = question->name.len};
	failing = failures_find(s->cache, s->view, &question->name, call->now_ms, failed);
	make_stale(&entry, (uint64_t)s->config->stale_max_s * 1000, call->now_ms);
	ret->known = ((fresh | failing) & question->types) == question->types;
	if (ret->known)
		add_failures(&entry, failed, question->types, fresh);
	if (ret->known || has_addresses(&entry, question->types))
		ret->stale = blob_encode(&entry);
	if (ret->stale == NULL)
		ret->known = false;
	if (ret->stale == NULL || ret->known)
		return;
	ret->silent = is_silent(s, call->now_ms);
	if (call->now_ms + s->config->stale_after_ms < ret->until_ms)
		ret->until_ms = call->now_ms + s->config->stale_after_ms;
}

/* Does the answer say something about one of the types? */
static bool is_answer(const struct entry *entry, unsigned types)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && entry->rr[t].kind != RESOLVER_NONE &&
		    entry->rr[t].kind != RESOLVER_FAILURE)
			return true;
	return false;
}

static struct blob *choose(struct ask_plan *plan, unsigned types, struct blob *blob)
{
	struct blob *stale = plan->stale;
	struct entry entry;

	plan->stale = NULL;
	if (stale == NULL)
		return blob;
	if (blob != NULL && entry_decode(blob->data, blob->size, &entry) == 0 &&
	    is_answer(&entry, types)) {
		blob_release(stale);
		return blob;
	}
	blob_release(blob);
	return stale;
}

/* ---- to ask ---- */

static int put(struct asking *a, const struct lease *lease, fetch_done_fn done, void *arg,
	       struct fetch **ret)
{
	const struct fetch_question question = {
		.name = &a->question->name,
		.spelling = a->question->spelling,
		.types = a->question->types,
		.deadline_ms = done == NULL ? a->call->deadline_ms : a->plan.until_ms,
		.lease = lease,
		.refresh = a->refresh,
		.done = done,
		.arg = arg,
	};
	int r = fetch_start(a->call->settings, &question, ret);

	if (r < 0 && lease != NULL)
		lease_release(cache_of(a), lease, false);
	return r;
}

static void nobody_waits(void *arg, struct blob *blob, uint64_t now_ms)
{
	(void)arg;
	(void)blob;
	(void)now_ms;
}

static void put_in_background(struct asking *a, struct lease *lease)
{
	struct fetch *fetch;

	if (put(a, lease, nobody_waits, NULL, &fetch) == 0)
		fetch_abandon(fetch);
}

/* Nothing came in time. Is anything heard of the servers at all? */
static void heed_silence(const struct resolve *call, const struct ask_plan *plan, uint64_t since_ms)
{
	const struct settings *s = call->settings;

	if (s->cache != NULL && plan->stale != NULL && fetch_heard_ms() < since_ms)
		note_silent(s, clock_boot_ms());
}

int ask_end(struct resolve *call, struct ask_plan *plan, const struct name *name, unsigned types,
	    struct blob *blob)
{
	if (plan->since_ms != 0 && call->now_ms >= plan->until_ms)
		heed_silence(call, plan, plan->since_ms);
	return resolve_take(call, name, choose(plan, types, blob));
}

void ask_plan_forget(struct ask_plan *plan)
{
	blob_release(plan->stale);
	plan->stale = NULL;
}

static int take(struct asking *a, struct blob *blob)
{
	int r = ask_end(a->call, &a->plan, &a->question->name, a->question->types, blob);

	a->call->now_ms = clock_boot_ms();
	return r;
}

static int give_up(struct asking *a, uint64_t since_ms)
{
	heed_silence(a->call, &a->plan, since_ms);
	return take(a, NULL);
}

static int put_and_wait(struct asking *a, struct lease *lease)
{
	uint64_t since_ms = a->call->now_ms;
	struct blob *blob;
	int r = put(a, lease, NULL, NULL, &a->fetch);

	if (r < 0)
		return r;
	blob = fetch_wait(a->fetch, a->plan.until_ms);
	a->fetch = NULL;
	if (blob == NULL && !process_is_clean())
		return -EXDEV; /* a fork of a signal handler: the answer goes to the parent */
	return blob != NULL ? take(a, blob) : give_up(a, since_ms);
}

/* Others ask. 1: there is nothing yet. 0: the answer is in the cache, or in the call. */
static int look_again(struct asking *a)
{
	const struct lookup_question *q = a->question;
	struct resolve *call = a->call;
	struct entry entry;
	unsigned fresh;

	if (resolve_find(call, &q->name, &entry) < 0)
		return 1;
	fresh = fresh_types(&entry, q->types, call->now_ms);
	if (fresh == q->types)
		return 0;
	if (fresh == 0 || !has_addresses(&entry, fresh))
		return 1;
	/* As fetch_job.c: the other type is waited for a little (RFC 8305 section 3). */
	if (a->partial_ms == 0)
		a->partial_ms = call->now_ms;
	if (call->now_ms < a->partial_ms + call->settings->config->resolution_delay_ms)
		return 1;
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (!(fresh & 1u << t))
			entry.rr[t] = (struct entry_rrset){.kind = RESOLVER_NONE};
	return take(a, blob_encode(&entry));
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void wait_for_others(struct asking *a, const struct lease *lease)
{
	uint64_t until_ms = least(a->plan.until_ms, lease->end_ms);

	if (a->partial_ms != 0)
		until_ms = least(until_ms,
				 a->partial_ms + a->call->settings->config->resolution_delay_ms);
	if (until_ms > a->call->now_ms)
		lease_wait(cache_of(a), lease, until_ms - a->call->now_ms);
	a->call->now_ms = clock_boot_ms();
}

/* Somebody has asked before, and waited: the time is not waited for twice. */
static void heed_those_before(struct asking *a, const struct lease *lease)
{
	if (a->plan.stale != NULL)
		a->plan.until_ms =
			least(a->plan.until_ms,
			      lease->first_ms + a->call->settings->config->stale_after_ms);
}

/* Plans anew where others may have failed meanwhile. True: the call has what is known. */
static bool others_failed(struct asking *a, int *ret)
{
	struct ask_plan plan;

	make_plan(a->call, a->question, &plan);
	if (!plan.known) {
		ask_plan_forget(&plan);
		return false;
	}
	ask_plan_forget(&a->plan);
	a->plan = plan;
	*ret = take(a, NULL);
	return true;
}

/* Others have released the lease that was waited for, and still there is nothing: what they had may
 * not be kept (TTL 0). Whoever waited for the next one would stand in a line. */
static bool waits_in_vain(const struct asking *a, const struct lease *lease)
{
	return a->waited.key != 0 && a->waited.who != lease->who &&
	       a->call->now_ms < a->waited.end_ms && a->partial_ms == 0;
}

static int ask_or_wait(struct asking *a)
{
	struct lease lease;
	int r;

	for (;;) {
		uint64_t since_ms = a->call->now_ms;
		enum lease_result result = lease_take(cache_of(a), a->key, since_ms, &lease);

		heed_those_before(a, &lease);
		if (result != LEASE_OTHERS) {
			if (a->plan.until_ms > since_ms)
				return put_and_wait(a, &lease);
			put_in_background(a, &lease);
			return give_up(a, lease.first_ms);
		}
		r = look_again(a);
		if (r <= 0 || others_failed(a, &r))
			return r;
		if (a->plan.until_ms <= since_ms)
			return give_up(a, lease.first_ms);
		if (waits_in_vain(a, &lease))
			return put_and_wait(a, NULL);
		a->waited = lease;
		wait_for_others(a, &lease);
		if (!process_is_clean())
			return -EXDEV;
	}
}

/* The servers are silent. One process at a time finds out whether they still are. */
static int ask_silent(struct asking *a)
{
	struct lease lease;
	uint64_t view = a->call->settings->view, now_ms = a->call->now_ms;

	if (lease_take(cache_of(a), PROBE_KEY ^ view, now_ms, &lease) == LEASE_MINE) {
		note_silent(a->call->settings, now_ms);
		put_in_background(a, NULL);
	}
	return take(a, NULL);
}

static int run(struct asking *a)
{
	if (a->call->now_ms >= a->call->deadline_ms)
		return resolve_take(a->call, &a->question->name, NULL);
	make_plan(a->call, a->question, &a->plan);
	if (a->plan.known)
		return take(a, NULL);
	if (a->plan.silent)
		return ask_silent(a);
	if (cache_of(a) == NULL)
		return put_and_wait(a, NULL);
	a->key = siblings_key(a->call->settings, &a->question->name);
	return ask_or_wait(a);
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
	struct asking a = {.call = call, .question = question};
	int r;

	if (process_check() != PROCESS_OWNER)
		return -EXDEV;
	pthread_cleanup_push(clean_up, &a);
	pthread_testcancel(); /* an answer may come without any wait */
	r = run(&a);
	pthread_cleanup_pop(1);
	return r;
}

int ask_begin(struct resolve *call, const struct lookup_question *question, fetch_done_fn done,
	      void *arg, struct ask_plan *ret, struct fetch **ret_fetch)
{
	struct asking a = {.call = call, .question = question};
	int r;

	make_plan(call, question, &a.plan);
	if (a.plan.known || a.plan.silent) {
		r = a.plan.known ? take(&a, NULL) : ask_silent(&a);
		return r < 0 ? r : 1;
	}
	a.plan.since_ms = call->now_ms;
	r = put(&a, NULL, done, arg, ret_fetch);
	if (r < 0)
		ask_plan_forget(&a.plan);
	*ret = a.plan;
	return r;
}

void ask_refresh(struct resolve *call, const struct name *name, unsigned types)
{
	struct entry_rrset failed[ENTRY_NTYPES];
	struct lookup_question question = {.name = *name, .types = types};
	struct asking a = {.call = call, .question = &question, .refresh = true};
	struct lease lease;
	const struct settings *s = call->settings;

	if (process_check() != PROCESS_OWNER ||
	    lease_take(s->cache, siblings_key(s, name), call->now_ms, &lease) != LEASE_MINE)
		return;
	memcpy(question.spelling, name->text, name->len + 1u);
	if (failures_find(s->cache, s->view, name, call->now_ms, failed) & types)
		lease_release(s->cache, &lease, false);
	else
		put_in_background(&a, &lease);
}
