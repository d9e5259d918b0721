// SPDX-License-Identifier: MIT
/* failures.c - see failures.h. */
#include "shim/failures.h"

#include "shim/netstate.h"
#include "shim/silence.h"

#include <stdbool.h>

/* Room for an entry without addresses. */
struct room {
	unsigned char bytes[ENTRY_HEAD_SIZE + ENTRY_NAME_MAX + 9]
		__attribute__((aligned(ENTRY_ALIGN)));
};

/* What was noted before the network changed says nothing of the present one. */
static void forget(struct entry *entry, uint64_t since_ms)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (entry->rr[t].stored_ms < since_ms)
			entry->rr[t] = (struct entry_rrset){.kind = RESOLVER_NONE};
}

static bool look(struct cache *cache, uint64_t view, const struct name *name, struct room *room,
		 struct entry *ret)
{
	uint64_t of = view ^ FAILURES_VIEW;
	size_t need;

	if (cache_lookup(cache, cache_hash(cache, of, name->text, name->len), of, name->text,
			 name->len, room->bytes, sizeof room->bytes, ret, &need) < 0)
		return false;
	forget(ret, netstate_since_last());
	return true;
}

static void put(struct cache *cache, uint64_t view, const struct name *name, struct entry *entry,
		uint64_t now_ms)
{
	struct room room;
	ssize_t size;

	entry->view = view ^ FAILURES_VIEW;
	entry->name = name->text;
	entry->name_len = name->len;
	size = entry_encode(entry, room.bytes, sizeof room.bytes);
	if (size > 0)
		(void)cache_store(cache, cache_hash(cache, entry->view, name->text, name->len),
				  room.bytes, (size_t)size, now_ms);
}

/* Did no server say anything? */
static bool is_silence(enum resolver_failure failure)
{
	return failure == RESOLVER_TIMEOUT || failure == RESOLVER_UNREACHABLE;
}

bool failures_are_silence(const struct entry_rrset rrs[ENTRY_NTYPES], unsigned types,
			  uint64_t now_ms)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && rrs[t].kind == RESOLVER_FAILURE &&
		    is_silence(rrs[t].failure) && now_ms >= rrs[t].stored_ms + FAILURES_LATE_MS)
			return true;
	return false;
}

bool failures_is_said(enum resolver_failure failure)
{
	switch (failure) {
	case RESOLVER_SERVFAIL:
	case RESOLVER_REFUSED:
	case RESOLVER_FORMERR:
	case RESOLVER_MALFORMED:
		return true;
	case RESOLVER_FAILURE_NONE:
	case RESOLVER_TIMEOUT:
	case RESOLVER_UNREACHABLE:
	case RESOLVER_BAD_NAME:
	case RESOLVER_CANCELLED:
	case RESOLVER_LOCAL_ERROR:
		break;
	}
	return false;
}

/* Is it the server's, and not ours? */
static bool is_kept(const struct entry_rrset *rr)
{
	return rr->kind == RESOLVER_FAILURE &&
	       (is_silence(rr->failure) || failures_is_said(rr->failure));
}

static bool is_known(struct cache *cache, uint64_t view, const struct entry_rrset *rr,
		     uint64_t now_ms)
{
	return is_kept(rr) && entry_fresh(rr, now_ms) &&
	       !(is_silence(rr->failure) &&
		 rr->stored_ms <= silence_ended_ms(cache, view, now_ms, FAILURES_MAX_S * 1000));
}

unsigned failures_find(struct cache *cache, uint64_t view, const struct name *name, uint64_t now_ms,
		       struct entry_rrset ret[ENTRY_NTYPES])
{
	struct entry entry;
	struct room room;
	unsigned types = 0;

	for (int t = 0; t < ENTRY_NTYPES; t++)
		ret[t] = (struct entry_rrset){.kind = RESOLVER_NONE};
	if (!look(cache, view, name, &room, &entry))
		return 0;
	for (int t = 0; t < ENTRY_NTYPES; t++) {
		const struct entry_rrset *rr = &entry.rr[t];

		if (!is_known(cache, view, rr, now_ms))
			continue;
		ret[t] = (struct entry_rrset){.kind = RESOLVER_FAILURE,
					      .failure = rr->failure,
					      .ttl_s = rr->ttl_s,
					      .stored_ms = rr->stored_ms};
		types |= 1u << t;
	}
	return types;
}

/* How long this time: twice as long as the last, if that has not been over for as long again. */
static uint32_t next_s(const struct entry_rrset *last, uint64_t now_ms)
{
	uint64_t again_ms = last->stored_ms + (uint64_t)last->ttl_s * 2000;

	if (last->kind != RESOLVER_FAILURE || last->stored_ms > now_ms || again_ms < now_ms ||
	    last->ttl_s == 0)
		return FAILURES_FIRST_S;
	return last->ttl_s < FAILURES_MAX_S / 2 ? last->ttl_s * 2 : FAILURES_MAX_S;
}

/* What becomes of the memory of one type. Several who asked at the same time fail together: that
 * is one failure, or a crowd would have the longest time at once. False: nothing. */
static bool change(struct cache *cache, uint64_t view, struct entry_rrset *last,
		   const struct entry_rrset *rr, uint64_t now_ms)
{
	if (is_kept(rr)) {
		if (is_known(cache, view, last, now_ms))
			return false;
		*last = (struct entry_rrset){.kind = RESOLVER_FAILURE,
					     .failure = rr->failure,
					     .ttl_s = next_s(last, now_ms),
					     .stored_ms = now_ms};
		return true;
	}
	if (rr->kind == RESOLVER_NONE || rr->kind == RESOLVER_FAILURE ||
	    last->kind == RESOLVER_NONE)
		return false;
	*last = (struct entry_rrset){.kind = RESOLVER_NONE};
	return true;
}

void failures_note(struct cache *cache, uint64_t view, const struct name *name,
		   const struct entry_rrset rrs[ENTRY_NTYPES], uint64_t now_ms)
{
	struct entry entry;
	struct room room;
	bool any = false;

	if (!look(cache, view, name, &room, &entry))
		entry = (struct entry){.view = 0};
	for (int t = 0; t < ENTRY_NTYPES; t++)
		any |= change(cache, view, &entry.rr[t], &rrs[t], now_ms);
	if (any)
		put(cache, view, name, &entry, now_ms);
}
