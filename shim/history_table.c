// SPDX-License-Identifier: MIT
/* history_table.c - see history_table.h. */
#include "shim/history_table.h"

#include "shim/cache_region.h"

#define WAYS	   8
#define LOCAL_SETS 32

struct set {
	struct history_slot ways[WAYS];
};

_Static_assert(CACHE_PAGE % sizeof(struct set) == 0, "a set has one page");

static struct set local[LOCAL_SETS]; /* without a cache, or a name for the network's namespace */

/* The upper half of the key chooses. */
static size_t choose(uint64_t key, size_t nsets)
{
	return (size_t)((key >> 32) * nsets >> 32);
}

static size_t offset_of(const struct cache *cache, uint64_t key)
{
	size_t nsets = cache_region_history_len(cache) / sizeof(struct set);

	return cache_region_history_at(cache) + choose(key, nsets) * sizeof(struct set);
}

static uint64_t key_of(const struct history_slot *slot)
{
	return atomic_load_explicit(&slot->key, memory_order_relaxed);
}

static struct history_slot *find(struct set *set, uint64_t key)
{
	for (struct history_slot *slot = set->ways; slot < set->ways + WAYS; slot++)
		if (key_of(slot) == key)
			return slot;
	return NULL;
}

/* Free ones first, then by age. */
static struct history_slot *oldest(struct set *set, uint64_t now_ms)
{
	struct history_slot *oldest = set->ways;
	uint64_t most = 0;

	for (struct history_slot *slot = set->ways; slot < set->ways + WAYS; slot++) {
		uint64_t word = atomic_load_explicit(&slot->outcome, memory_order_relaxed);
		uint64_t age = history_word_age(word, now_ms);

		if (key_of(slot) == 0)
			return slot;
		if (age > most) {
			oldest = slot;
			most = age;
		}
	}
	return oldest;
}

struct history_slot *history_table_find(struct cache *cache, uint64_t key)
{
	struct set *set = cache == NULL ? &local[choose(key, LOCAL_SETS)]
					: cache_region_find(cache, offset_of(cache, key));

	return set == NULL ? NULL : find(set, key);
}

struct history_slot *history_table_claim(struct cache *cache, uint64_t key, uint64_t now_ms)
{
	struct set *set = cache == NULL ? &local[choose(key, LOCAL_SETS)]
					: cache_region_claim(cache, offset_of(cache, key));
	struct history_slot *slot = set == NULL ? NULL : find(set, key);
	uint64_t old;

	if (set == NULL || slot != NULL)
		return slot;
	slot = oldest(set, now_ms);
	old = key_of(slot);
	if (atomic_compare_exchange_strong_explicit(&slot->key, &old, key, memory_order_relaxed,
						    memory_order_relaxed))
		return slot;
	return find(set, key); /* whoever was faster may have come for the same key */
}
