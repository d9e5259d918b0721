// SPDX-License-Identifier: MIT
/* ask_plan.c - see ask_plan.h. */
#include "shim/ask_plan.h"

#include "shim/counters.h"
#include "shim/failures.h"
#include "shim/resolve.h"
#include "shim/silence.h"
#include "shim/trace.h"

bool ask_plan_has_addresses(const struct entry *entry, unsigned types)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && entry->rr[t].naddrs > 0)
			return true;
	return false;
}

unsigned ask_plan_fresh(const struct entry *entry, unsigned types, uint64_t now_ms)
{
	unsigned fresh = 0;

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && entry_fresh(&entry->rr[t], now_ms))
			fresh |= 1u << t;
	return fresh;
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

/* Puts the failures in where there is nothing, or nothing but a negative answer that is not fresh:
 * such a one is not given by itself. */
static void add_failures(struct entry *entry, const struct entry_rrset failed[ENTRY_NTYPES],
			 unsigned types, unsigned fresh)
{
	bool keep = ask_plan_has_addresses(entry, types);

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (failed[t].kind != RESOLVER_NONE && !(fresh & 1u << t) &&
		    (!keep || entry->rr[t].kind == RESOLVER_NONE))
			entry->rr[t] = failed[t];
}

void ask_plan_make(struct resolve *call, const struct lookup_question *question,
		   struct ask_plan *ret)
{
	const struct settings *s = call->settings;
	struct entry_rrset failed[ENTRY_NTYPES];
	unsigned fresh = 0, failing;
	struct entry entry;

	*ret = (struct ask_plan){.until_ms = call->deadline_ms};
	if (s->cache == NULL)
		return;
	if (resolve_find(call, &question->name, &entry) == 0)
		fresh = ask_plan_fresh(&entry, question->types, call->now_ms);
	else
		entry = (struct entry){.view = s->view,
				       .name = question->name.text,
				       .name_len = question->name.len};
	failing = failures_find(s->cache, s->view, &question->name, call->now_ms, failed);
	make_stale(&entry, (uint64_t)s->config->stale_max_s * 1000, call->now_ms);
	ret->known = ((fresh | failing) & question->types) == question->types;
	if (ret->known) {
		add_failures(&entry, failed, question->types, fresh);
		ret->unheard = failures_are_silence(failed, question->types & ~fresh, call->now_ms);
	}
	ret->addresses = ask_plan_has_addresses(&entry, question->types);
	if (ret->known || ret->addresses)
		ret->stale = blob_encode(&entry);
	if (ret->stale == NULL)
		ret->known = false;
	if (ret->stale == NULL || ret->known)
		return;
	ret->silent = silence_is(s->cache, s->view, call->now_ms);
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

/* True: `entry` has changed. A type that did not come beside addresses may come yet. */
static bool fill_in(struct entry *entry, const struct entry *stale, unsigned types)
{
	bool has = ask_plan_has_addresses(entry, types), any = false;

	for (int t = 0; t < ENTRY_NTYPES; t++) {
		enum resolver_kind kind = entry->rr[t].kind;

		if (!(types & 1u << t) || stale->rr[t].naddrs == 0 ||
		    (kind != RESOLVER_FAILURE && (kind != RESOLVER_NONE || has)))
			continue;
		entry->rr[t] = stale->rr[t];
		any = true;
	}
	return any;
}

struct blob *ask_plan_choose(struct ask_plan *plan, unsigned types, struct blob *blob)
{
	struct blob *stale = plan->stale, *both = NULL;
	struct entry come, entry;

	plan->stale = NULL;
	if (stale == NULL)
		return blob;
	if (blob == NULL || entry_decode(blob->data, blob->size, &come) < 0 ||
	    !is_answer(&come, types)) {
		blob_release(blob);
		trace_note(TRACE_SOURCE_STALE);
		counters_add(plan->addresses ? COUNTER_STALE : COUNTER_REMEMBERED, 1);
		return stale;
	}
	if (entry_decode(stale->data, stale->size, &entry) == 0 && fill_in(&come, &entry, types))
		both = blob_encode(&come);
	blob_release(stale);
	if (both == NULL)
		return blob;
	blob_release(blob);
	counters_add(COUNTER_STALE, 1);
	return both;
}

void ask_plan_forget(struct ask_plan *plan)
{
	blob_release(plan->stale);
	plan->stale = NULL;
}
