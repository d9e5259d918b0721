// SPDX-License-Identifier: MIT
/* siblings_lookup.c - see siblings_lookup.h. */
#include "shim/siblings_lookup.h"

#include <string.h>

/* A program connects a while after it has looked up, and what it is given may be at its end. */
#define GRACE_MS 30000

_Atomic uint16_t siblings_seen[SIBLINGS_SEEN];

static uint64_t id_of(uint64_t key, unsigned asked)
{
	return hash_fold(key ^ HASH_K2, HASH_K3 ^ asked);
}

/* When what the addresses are from ends; UINT64_MAX: never. */
static uint64_t end_of(const struct entry *entry, uint64_t now_ms)
{
	uint64_t end_ms = UINT64_MAX;
	bool fresh = false;

	for (int t = 0; t < ENTRY_NTYPES; t++) {
		const struct entry_rrset *rr = &entry->rr[t];
		uint64_t rr_end_ms = rr->stored_ms + (uint64_t)rr->ttl_s * 1000;

		if (rr->kind != RESOLVER_ANSWER)
			continue;
		if (entry_fresh(rr, now_ms) && (!fresh || rr_end_ms < end_ms)) {
			end_ms = rr_end_ms;
			fresh = true;
		} else if (!fresh) {
			end_ms = now_ms;
		}
	}
	return end_ms;
}

void siblings_take_new(const struct lookup_answer *answer, const uint16_t *perm, unsigned asked,
		       const struct settings *settings, uint64_t now_ms)
{
	const struct lookup_addrs *addrs = &answer->addrs;
	uint64_t end_ms = end_of(&answer->entry, now_ms);
	struct siblings_hold hold = {.now_ms = now_ms, .until_ms = end_ms + GRACE_MS};
	struct order_dest dests[SIBLINGS_MAX];
	unsigned n = addrs->n < SIBLINGS_MAX ? addrs->n : SIBLINGS_MAX;
	bool first = !siblings_any();

	if (!settings->config->race)
		return;
	for (unsigned i = 0; i < n; i++)
		dests[i] = addrs->v[perm == NULL ? i : perm[i]];
	if (end_ms == UINT64_MAX)
		hold.until_ms = now_ms + SIBLINGS_HOLD_MS;
	if (answer->entry.partial)
		hold.more_until_ms = now_ms + settings->deadline_ms; /* a query's longest life */
	if (siblings_note(id_of(answer->entry.key, asked), dests, n, &hold) &&
	    addrs->order != NULL && !first)
		atomic_store_explicit(siblings_seen_at(addrs->order),
				      siblings_tag(answer, asked, now_ms), memory_order_relaxed);
}

void siblings_take_late(uint64_t key, enum entry_slot type, const struct entry_rrset *rr,
			uint64_t now_ms)
{
	size_t size = type == ENTRY_A ? 4 : 16;
	struct order_dest dests[SIBLINGS_MAX];
	unsigned n = rr->naddrs < SIBLINGS_MAX ? rr->naddrs : SIBLINGS_MAX;

	for (unsigned i = 0; i < n; i++) {
		dests[i] = (struct order_dest){.family = type == ENTRY_A ? AF_INET : AF_INET6};
		memcpy(dests[i].addr, rr->addrs + i * size, size);
	}
	siblings_extend(id_of(key, AF_UNSPEC), dests, n, now_ms);
}
