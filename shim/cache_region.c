// SPDX-License-Identifier: MIT
/* cache_region.c - see cache_region.h. */
#include "shim/cache_region.h"

#include "shim/cache_internal.h"

#include <errno.h>

#define BITS ((CACHE_PAGE - CACHE_REGION_RECORDS) * 8)

static unsigned char *table_of(const struct cache *cache)
{
	return cache->map + cache->region_at + CACHE_PAGE;
}

/* The word that holds the bit of the page that `offset` is in. */
static _Atomic uint64_t *word_of(const struct cache *cache, size_t offset, uint64_t *ret_bit)
{
	_Atomic uint64_t *words = (void *)(cache->map + cache->region_at + CACHE_REGION_RECORDS);
	size_t page = offset / CACHE_PAGE;

	*ret_bit = UINT64_C(1) << page % 64;
	return &words[page / 64];
}

void *cache_region_records(const struct cache *cache)
{
	return cache->map + cache->region_at;
}

size_t cache_region_table_len(const struct cache *cache)
{
	uint64_t len = cache->region_len - CACHE_PAGE, most = (uint64_t)BITS * CACHE_PAGE;

	return (size_t)(len < most ? len : most);
}

void *cache_region_find(const struct cache *cache, size_t offset)
{
	uint64_t bit;
	const _Atomic uint64_t *word = word_of(cache, offset, &bit);

	return atomic_load_explicit(word, memory_order_relaxed) & bit ? table_of(cache) + offset
								      : NULL;
}

void *cache_region_claim(struct cache *cache, size_t offset)
{
	uint64_t at = cache->region_at + CACHE_PAGE + offset, bit;
	_Atomic uint64_t *word = word_of(cache, offset, &bit);
	int saved = errno, err = 0;

	if (!(atomic_load_explicit(word, memory_order_relaxed) & bit)) {
		if (cache->backing == CACHE_SHARED)
			err = cache_file_back(&cache->file, at / cache->page * cache->page,
					      cache->page);
		errno = saved;
		if (err < 0)
			return NULL;
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	}
	return table_of(cache) + offset;
}
