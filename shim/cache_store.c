// SPDX-License-Identifier: MIT
/*
 * cache_store.c - the writers' side of the cache.
 *
 *	1. the entry's class is the smallest whose slots hold it
 *	2. where the name has a slot of that class already, it is overwritten
 *	3. else one of the ways of the name's two sets is taken (cache_evict.h)
 *	4. other slots of the same name (of another class, or made by a writer that ran at the same
 *	   time) are emptied
 *
 * Two writers that store one name at once may leave it in two slots. That harms nobody: both hold a
 * lawful answer with its own time and TTL, a reader finds one of them, and the next store of the
 * name, at the latest when the one found has expired, leaves one.
 *
 * The tag is set under the slot's lock, after the words: a writer killed before leaves the old tag
 * over a locked slot, one killed after leaves the new tag over a locked slot. Either costs the slot
 * until SLOT_STALE_MS have passed, and then whoever wants it takes it over.
 *
 * Runs on the io thread; correct on any.
 */
#include "shim/cache.h"

#include "shim/cache_evict.h"
#include "shim/cache_internal.h"

#include <errno.h>
#include <string.h>

#define TAKE_TRIES 4 /* ways to try when the best ones are being written by others */

/* What is stored or removed. */
struct key {
	uint64_t hash;
	uint64_t view;
	const char *name;
	size_t len;
	uint64_t now_ms;
};

/* In one step, without touching the neighbours, whose locks others may hold. Two writers of one way
 * (one of them late) may produce a tag that is neither's: a name of its own, found by nobody. */
static void tag_set(struct cache_set *set, unsigned way, uint16_t tag)
{
	uint64_t change = (uint64_t)(set_tag(set, way) ^ tag) << way % 4 * 16;

	atomic_fetch_xor_explicit(&set->quads[way / 4], change, memory_order_release);
}

/* Under the lock: is the slot the key's? A damaged one under the key's tag may as well be. */
static bool is_keys_locked(const struct cache_slot *slot, size_t capacity, const struct key *key)
{
	_Alignas(ENTRY_ALIGN) unsigned char buf[CACHE_ENTRY_MAX];
	struct entry entry;
	size_t len;

	if (slot_read_locked(slot, capacity, buf, &len) < 0 || entry_decode(buf, len, &entry) < 0)
		return true;
	return entry.view == key->view && entry.name_len == key->len &&
	       memcmp(entry.name, key->name, key->len) == 0;
}

/*
 * Finds the next slot of the key in the class, beginning at set 0 or 1 and, there, at the ways in
 * `*found`, and locks it. 0, -ENOENT, -EBUSY.
 */
static int lock_match(struct cache *cache, const struct cache_class *class, const struct key *key,
		      const struct cache_slot *except, struct cache_place *ret, uint64_t *ret_token)
{
	for (int which = 0; which < 2; which++) {
		uint32_t set = hash_set(class, key->hash, which);
		uint64_t found = set_match(set_at(cache, class, set), hash_tag(key->hash));

		while (found) {
			struct cache_place place = {.set = set_at(cache, class, set),
						    .way = set_next(&found)};

			if (place.way >= class->ways)
				continue;
			place.slot = slot_at(cache, class, set, place.way);
			if (place.slot == except ||
			    set_tag(place.set, place.way) != hash_tag(key->hash))
				continue;
			if (cache_back_slot(cache, class, place.slot, true) < 0 ||
			    slot_lock(place.slot, key->now_ms, ret_token) < 0)
				return -EBUSY;
			if (is_keys_locked(place.slot, slot_capacity(class), key)) {
				*ret = place;
				return 0;
			}
			slot_unlock(place.slot, *ret_token);
		}
	}
	return -ENOENT;
}

/* Locks a way for a name that has none. 0, -EBUSY, -ENOSPC. */
static int take_way(struct cache *cache, const struct cache_class *class, const struct key *key,
		    struct cache_place *ret, uint64_t *ret_token)
{
	bool no_memory = false;
	uint64_t tried = 0;

	for (int i = 0; i < TAKE_TRIES; i++) {
		uint16_t tag;

		if (!cache_pick_way(cache, class, key->hash, key->now_ms, no_memory, &tried, ret))
			break;
		tag = set_tag(ret->set, ret->way);
		if (cache_back_slot(cache, class, ret->slot, true) < 0) {
			no_memory = true; /* what has memory already can still be had */
			continue;
		}
		if (slot_lock(ret->slot, key->now_ms, ret_token) < 0)
			continue;
		if (set_tag(ret->set, ret->way) == tag) {
			if (tag != 0)
				cache_grow_older(cache, class, key->hash, ret->slot, key->now_ms);
			return 0;
		}
		slot_unlock(ret->slot, *ret_token); /* another writer was here first */
	}
	return no_memory ? -ENOSPC : -EBUSY;
}

/* ---- storing and removing ---- */

static const struct cache_class *class_for(const struct cache *cache, size_t size)
{
	for (int i = 0; i < CACHE_NCLASSES; i++) {
		if (size <= slot_capacity(&cache->classes[i]))
			return &cache->classes[i];
	}
	return NULL;
}

static bool has_addresses(const struct entry *entry)
{
	return entry->rr[ENTRY_A].naddrs > 0 || entry->rr[ENTRY_AAAA].naddrs > 0;
}

/* When the last of the RRsets is of no use any more, rounded up, in seconds: addresses may be given
 * for a while after they have expired. */
static uint32_t until_s(const struct cache *cache, const struct entry *entry)
{
	uint64_t latest = 0;

	for (int i = 0; i < ENTRY_NTYPES; i++) {
		const struct entry_rrset *rr = &entry->rr[i];
		uint64_t at = rr->stored_ms / 1000 + rr->ttl_s + 1;

		if (rr->naddrs > 0)
			at += cache->keep_s;
		if (rr->kind != RESOLVER_NONE && at > latest)
			latest = at;
	}
	return latest < UINT32_MAX ? (uint32_t)latest : UINT32_MAX;
}

/* Empties every slot of the key but `except`. 0 where there was one; -ENOENT, -EBUSY. */
static int empty_slots(struct cache *cache, const struct key *key, const struct cache_slot *except)
{
	int err, result = -ENOENT;

	for (int i = 0; i < CACHE_NCLASSES; i++) {
		const struct cache_class *class = &cache->classes[i];
		struct cache_place place;
		uint64_t token;

		/* bounded by the candidates: a damaged file could match for ever */
		for (unsigned n = 0; n < 2 * CACHE_TAGS; n++) {
			err = lock_match(cache, class, key, except, &place, &token);
			if (err < 0)
				break;
			tag_set(place.set, place.way, 0);
			slot_unlock(place.slot, token);
			result = 0;
		}
		if (err == -EBUSY)
			return err;
	}
	return result;
}

int cache_store(struct cache *cache, uint64_t hash, const void *blob, size_t size, uint64_t now_ms)
{
	const struct cache_class *class;
	struct cache_place place;
	struct entry entry;
	struct key key;
	uint64_t token;
	uint32_t stamp;
	bool addrs;
	int err;

	if (entry_decode(blob, size, &entry) < 0)
		return -EINVAL;
	class = class_for(cache, size);
	if (!class)
		return -EMSGSIZE;
	key = (struct key){hash, entry.view, entry.name, entry.name_len, now_ms};
	addrs = has_addresses(&entry);
	stamp = cache_stamp_new(addrs);
	err = lock_match(cache, class, &key, NULL, &place, &token);
	if (err == 0)
		stamp = cache_stamp_replace(
			atomic_load_explicit(&place.slot->stamp, memory_order_relaxed), addrs);
	else if (err == -ENOENT)
		err = take_way(cache, class, &key, &place, &token);
	if (err < 0)
		return err;
	slot_write_locked(place.slot, blob, size);
	atomic_store_explicit(&place.slot->until_s, until_s(cache, &entry), memory_order_relaxed);
	atomic_store_explicit(&place.slot->order, 0, memory_order_relaxed);
	atomic_store_explicit(&place.slot->stamp, stamp, memory_order_relaxed);
	tag_set(place.set, place.way, hash_tag(hash));
	slot_unlock(place.slot, token);
	empty_slots(cache, &key, place.slot); /* one that is busy waits for the next store */
	return 0;
}

void cache_prepare(struct cache *cache, uint64_t hash, size_t size, uint64_t now_ms)
{
	const struct cache_class *class = class_for(cache, size);
	struct cache_place place;
	uint64_t tried = 0;

	if (class && cache_pick_way(cache, class, hash, now_ms, false, &tried, &place))
		(void)cache_back_slot(cache, class, place.slot, true);
}

int cache_remove(struct cache *cache, uint64_t hash, uint64_t view, const char *name, size_t len,
		 uint64_t now_ms)
{
	const struct key key = {hash, view, name, len, now_ms};

	return empty_slots(cache, &key, NULL);
}
