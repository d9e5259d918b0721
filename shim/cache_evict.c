// SPDX-License-Identifier: MIT
/* cache_evict.c - see cache_evict.h. */
#include "shim/cache_evict.h"

#include <errno.h>

int cache_back_slot(struct cache *cache, const struct cache_class *class, const void *slot,
		    bool ask)
{
	uint64_t at = (uint64_t)((const unsigned char *)slot - cache->map);
	int err;

	if (cache->backing == CACHE_PRIVATE)
		return 0;
	for (uint64_t i = at / cache->page; i <= (at + class->slot_size - 1) / cache->page; i++) {
		if (cache_is_backed(cache, i))
			continue;
		err = ask ? cache_file_back(&cache->file, i * cache->page, cache->page) : -ENOSPC;
		if (err < 0)
			return err;
		cache_set_backed(cache, i);
	}
	return 0;
}

/* What an empty way costs: the first set comes first while it is not half full, then the emptier;
 * in each, the name's favourite way. */
static uint64_t empty_cost(const struct cache_class *class, uint64_t hash, int which, unsigned way,
			   unsigned nused)
{
	unsigned crowded = nused < class->ways / 2 ? 0 : nused;

	return crowded * 4 + (unsigned)which * 2 + (way != hash_way(class, hash));
}

static uint32_t get(const _Atomic uint32_t *field)
{
	return atomic_load_explicit(field, memory_order_relaxed);
}

static bool is_over(const struct cache_slot *slot, uint64_t now_ms)
{
	return get(&slot->until_s) < now_ms / 1000;
}

/* How dear a way in use is, above all empty ones; the least is taken. */
static uint64_t used_cost(const struct cache_slot *slot, uint64_t now_ms)
{
	uint32_t stamp = get(&slot->stamp);
	uint64_t young = SLOT_AGE_MAX - slot_stamp_age(stamp);
	uint64_t worth = is_over(slot, now_ms) ? 1 : 2 + young * 2 + !!(stamp & SLOT_ADDRS);

	return worth << 32 | get(&slot->until_s);
}

static unsigned set_nused(const struct cache_set *set, unsigned ways)
{
	unsigned n = 0;

	for (unsigned way = 0; way < ways; way++)
		n += set_tag(set, way) != 0;
	return n;
}

bool cache_pick_way(struct cache *cache, const struct cache_class *class, uint64_t hash,
		    uint64_t now_ms, bool no_memory, uint64_t *tried, struct cache_place *ret)
{
	uint64_t least = UINT64_MAX, least_bit = 0;

	for (int which = 0; which < 2; which++) {
		uint32_t set = hash_set(class, hash, which);
		struct cache_place place = {.set = set_at(cache, class, set)};
		unsigned nused = set_nused(place.set, class->ways);

		for (place.way = 0; place.way < class->ways; place.way++) {
			uint64_t bit = UINT64_C(1) << ((unsigned)which * CACHE_TAGS + place.way);
			bool used = set_tag(place.set, place.way) != 0;
			uint64_t cost;

			place.slot = slot_at(cache, class, set, place.way);
			if (*tried & bit || ((used || no_memory) &&
					     cache_back_slot(cache, class, place.slot, used) < 0))
				continue;
			cost = used ? used_cost(place.slot, now_ms)
				    : empty_cost(class, hash, which, place.way, nused);
			if (cost < least) {
				least = cost;
				least_bit = bit;
				*ret = place;
			}
		}
	}
	*tried |= least_bit;
	return least_bit != 0;
}

static void age_slot(struct cache_slot *slot)
{
	uint32_t stamp = get(&slot->stamp);

	if (slot_stamp_age(stamp) < SLOT_AGE_MAX)
		atomic_store_explicit(&slot->stamp, stamp + SLOT_AGE, memory_order_relaxed);
}

void cache_grow_older(struct cache *cache, const struct cache_class *class, uint64_t hash,
		      const struct cache_slot *slot, uint64_t now_ms)
{
	uint32_t sets[2] = {hash_set(class, hash, 0), hash_set(class, hash, 1)};

	if (slot_stamp_age(get(&slot->stamp)) == SLOT_AGE_MAX || is_over(slot, now_ms))
		return;
	for (int which = 0; which < 1 + (sets[0] != sets[1]); which++)
		for (unsigned way = 0; way < class->ways; way++) {
			struct cache_slot *each = slot_at(cache, class, sets[which], way);

			if (set_tag(set_at(cache, class, sets[which]), way) != 0 &&
			    cache_back_slot(cache, class, each, false) == 0)
				age_slot(each);
		}
}

uint32_t cache_stamp_new(bool has_addresses)
{
	return has_addresses ? (SLOT_AGE_MAX - 1) * SLOT_AGE | SLOT_ADDRS : SLOT_AGE_MAX * SLOT_AGE;
}

uint32_t cache_stamp_replace(uint32_t old, bool has_addresses)
{
	return (old & (SLOT_HITS | SLOT_AGE_MASK)) | (has_addresses ? SLOT_ADDRS : 0);
}
