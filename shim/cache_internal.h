// SPDX-License-Identifier: MIT
/*
 * cache_internal.h - what the readers (cache.c) and the writers (cache_store.c) share: the open
 * cache, and the way from a hash to slots.
 */
#ifndef NOBLOCKDNS_CACHE_INTERNAL_H
#define NOBLOCKDNS_CACHE_INTERNAL_H

#include "shim/cache.h"
#include "shim/cache_file.h"
#include "shim/cache_layout.h"
#include "shim/cache_slot.h"

struct cache {
	unsigned char *map;
	size_t map_size;
	uint64_t seed;
	enum cache_backing backing;
	uint32_t keep_s;			    /* as struct cache_options says */
	uint64_t region_at, region_len;		    /* cache_region.h; in bytes */
	struct cache_class classes[CACHE_NCLASSES]; /* copied, checked; never those of the file */
	size_t self_size;			    /* bytes of this mapping */
	uint64_t page;				    /* size of the machine's, in bytes */
	struct cache_file file;			    /* with CACHE_SHARED */
	_Atomic uint64_t backed[]; /* one bit a page: this process knows that it has memory */
};

/* Pages of the mapping, by number. */
static inline bool cache_is_backed(const struct cache *cache, uint64_t page)
{
	return atomic_load_explicit(&cache->backed[page / 64], memory_order_relaxed) >> page % 64 &
	       1;
}

static inline void cache_set_backed(struct cache *cache, uint64_t page)
{
	atomic_fetch_or_explicit(&cache->backed[page / 64], UINT64_C(1) << page % 64,
				 memory_order_relaxed);
}

/* One place in the table. */
struct cache_place {
	struct cache_set *set;
	unsigned way;
	struct cache_slot *slot;
};

/* The hash is spent three times: upper half, lower half and, for the tag, their product's middle,
 * so names that share a set do not share bits of the tag. */
static inline uint16_t hash_tag(uint64_t hash)
{
	uint16_t tag = (uint16_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	return tag ? tag : 1;
}

/* Which of the candidates is set `which`, 0 or 1? They differ where there are two sets. */
static inline uint32_t hash_set(const struct cache_class *class, uint64_t hash, int which)
{
	uint64_t first = (hash >> 32) * class->nsets >> 32;
	uint64_t second = (uint32_t)hash * (uint64_t) class->nsets >> 32;

	if (which == 0)
		return (uint32_t)first;
	if (second == first)
		second = first + 1 < class->nsets ? first + 1 : 0;
	return (uint32_t)second;
}

/* The way that a name goes into where it is free: readers begin to fetch it before they know. */
static inline unsigned hash_way(const struct cache_class *class, uint64_t hash)
{
	return (unsigned)(hash >> 8) & (class->ways - 1);
}

static inline struct cache_set *set_at(const struct cache *cache, const struct cache_class *class,
				       uint32_t set)
{
	return (struct cache_set *)(cache->map + class->tags_at) + set;
}

static inline struct cache_slot *slot_at(const struct cache *cache, const struct cache_class *class,
					 uint32_t set, unsigned way)
{
	uint64_t index = (uint64_t)set * class->ways + way;

	return (struct cache_slot *)(cache->map + class->slots_at + index * class->slot_size);
}

static inline uint16_t set_tag(const struct cache_set *set, unsigned way)
{
	uint64_t quad = atomic_load_explicit(&set->quads[way / 4], memory_order_relaxed);

	return (uint16_t)(quad >> way % 4 * 16);
}

/*
 * Ways of the set whose tag is `tag`, as bits for set_next(). All sixteen are looked at, four
 * words, without a branch. A way may be reported wrongly when the one below it in its word is
 * reported (a borrow); every hit is verified anyhow. Ways that the class has not are never filled.
 */
static inline uint64_t set_match(const struct cache_set *set, uint16_t tag)
{
	const uint64_t ones = UINT64_C(0x0001000100010001), highs = ones << 15;
	uint64_t pattern = tag * ones, found = 0;

	for (unsigned i = 0; i < CACHE_TAGS / 4; i++) {
		uint64_t x = atomic_load_explicit(&set->quads[i], memory_order_relaxed) ^ pattern;

		found |= ((x - ones) & ~x & highs) >> (15 - i);
	}
	return found;
}

/* The lines of a tiny slot, which an ordinary entry fills: fetched at once, not one by one. */
static inline void slot_prefetch(const struct cache_slot *slot)
{
	for (size_t line = 0; line < 192; line += 64)
		__builtin_prefetch((const char *)slot + line);
}

/* Takes one way out of `found`, which is not 0. Bit 16 j + i is way 4 i + j. */
static inline unsigned set_next(uint64_t *found)
{
	unsigned bit = (unsigned)__builtin_ctzll(*found);

	*found &= *found - 1;
	return (bit & 15) * 4 + (bit >> 4);
}

#endif
