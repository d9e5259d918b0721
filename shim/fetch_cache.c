// SPDX-License-Identifier: MIT
/*
 * fetch_cache.c - see fetch_cache.h. The settings are taken as they are: to look at their files
 * would open some, beside a program that may be counting on the lowest descriptor number.
 */
#include "shim/fetch_cache.h"

#include "shim/failures.h"
#include "shim/netstate.h"
#include "shim/silence.h"

#include <string.h>

/* The cache, and the key's hash; NULL: there is none. Inside rcu_read_lock(). */
static struct cache *cache_for(const struct fetch *f, uint64_t *ret_hash)
{
	const struct settings *s = settings_peek();

	if (s == NULL || s->cache == NULL)
		return NULL;
	*ret_hash = cache_hash(s->cache, f->view, f->name.text, f->name.len);
	return s->cache;
}

struct blob *fetch_cache_find(const struct fetch *f, uint64_t now_ms)
{
	unsigned char room[ENTRY_ROOM] __attribute__((aligned(ENTRY_ALIGN)));
	rcu_token token = rcu_read_lock();
	struct blob *blob = NULL;
	struct entry entry;
	size_t need;
	uint64_t hash;
	struct cache *cache = cache_for(f, &hash);

	if (cache != NULL && cache_lookup(cache, hash, f->view, f->name.text, f->name.len, room,
					  sizeof room, &entry, &need) == 0) {
		entry_cut(&entry, netstate_since_last());
		if (entry_has_fresh(&entry, f->types, now_ms))
			blob = blob_encode(&entry);
	}
	rcu_read_unlock(token);
	return blob;
}

void fetch_cache_prepare(const struct fetch *f, uint64_t now_ms)
{
	const struct entry_rrset usual = {.kind = RESOLVER_ANSWER,
					  .nnames = 1,
					  .names = f->spelling,
					  .names_len = strlen(f->spelling) + 1,
					  .naddrs = 1};
	const struct entry entry = {
		.name = f->name.text, .name_len = f->name.len, .rr = {usual, usual}};
	rcu_token token = rcu_read_lock();
	uint64_t hash;
	struct cache *cache = cache_for(f, &hash);

	if (cache != NULL)
		cache_prepare(cache, hash, entry_encoded_size(&entry), now_ms);
	rcu_read_unlock(token);
}

/*
 * Puts the answers into `entry`. One that may not be kept (TTL 0, RFC 2181 section 8; a negative
 * one without SOA, RFC 2308 section 5) takes away what was there all the same: that would be given
 * stale when the servers are gone. Has the entry changed?
 */
static bool add(struct entry *entry, const struct entry_rrset rrs[ENTRY_NTYPES])
{
	bool any = false;

	for (int t = 0; t < ENTRY_NTYPES; t++) {
		if (rrs[t].kind == RESOLVER_NONE || rrs[t].kind == RESOLVER_FAILURE)
			continue;
		any |= rrs[t].ttl_s > 0 || entry->rr[t].kind != RESOLVER_NONE;
		entry->rr[t] = rrs[t].ttl_s > 0 ? rrs[t] : (struct entry_rrset){0};
	}
	return any;
}

/* For those who will ask next: what had no answer, and whether the servers are there. */
static void note_outcome(struct cache *cache, const struct fetch *f,
			 const struct entry_rrset rrs[ENTRY_NTYPES], uint64_t now_ms)
{
	bool heard = false, gone = false;

	for (int t = 0; t < ENTRY_NTYPES; t++) {
		heard |= rrs[t].kind != RESOLVER_FAILURE && rrs[t].kind != RESOLVER_NONE;
		gone |= rrs[t].kind == RESOLVER_FAILURE &&
			(rrs[t].failure == RESOLVER_UNREACHABLE ||
			 (rrs[t].failure == RESOLVER_TIMEOUT && fetch_heard_ms() < f->begun_ms));
	}
	failures_note(cache, f->view, &f->name, rrs, now_ms);
	if (heard)
		silence_end(cache, f->view, now_ms);
	else if (gone)
		silence_note(cache, f->view, now_ms);
}

void fetch_cache_store(const struct fetch *f, const struct entry_rrset rrs[ENTRY_NTYPES],
		       uint64_t now_ms)
{
	unsigned char room[CACHE_ENTRY_MAX] __attribute__((aligned(ENTRY_ALIGN)));
	rcu_token token = rcu_read_lock();
	struct blob *blob = NULL;
	struct entry entry;
	size_t need;
	uint64_t hash;
	struct cache *cache = cache_for(f, &hash);

	if (cache == NULL)
		goto out;
	note_outcome(cache, f, rrs, now_ms);
	if (cache_lookup(cache, hash, f->view, f->name.text, f->name.len, room, sizeof room, &entry,
			 &need) < 0)
		entry = (struct entry){
			.view = f->view, .name = f->name.text, .name_len = f->name.len};
	if (add(&entry, rrs))
		blob = blob_encode(&entry);
	if (blob != NULL)
		cache_store(cache, hash, blob->data, blob->size, now_ms);
	blob_release(blob);
out:
	rcu_read_unlock(token);
}

void fetch_cache_notify(const struct lease *lease, uint64_t part_ms)
{
	rcu_token token = rcu_read_lock();
	const struct settings *s = settings_peek();

	if (lease->key != 0 && s != NULL && s->cache != NULL)
		lease_notify(s->cache, lease, part_ms);
	rcu_read_unlock(token);
}

void fetch_cache_release(const struct lease *lease, bool answered)
{
	rcu_token token = rcu_read_lock();
	const struct settings *s = settings_peek();

	if (lease->key != 0 && s != NULL && s->cache != NULL)
		lease_release(s->cache, lease, answered);
	rcu_read_unlock(token);
}
