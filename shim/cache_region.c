// SPDX-License-Identifier: MIT
/* cache_region.c - see cache_region.h. */
#include "shim/cache_region.h"

#include "shim/cache_internal.h"

#include <errno.h>

#define BITS ((CACHE_PAGE - CACHE_REGION_RECORDS) * 8)

static unsigned char *table_of(const struct cache *cache)
{
	return cache->map + cache->region_at + CACHE_REGION_FIXED;
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

void *cache_region_stats(const struct cache *cache)
{
	return cache->map + cache->region_at + CACHE_PAGE;
}

/* Behind the first two. */
static size_t npages(const struct cache *cache)
{
	uint64_t n = (cache->region_len - CACHE_REGION_FIXED) / CACHE_PAGE;

	return (size_t)(n < BITS ? n : BITS);
}

unsigned cache_region_ntickets(const struct cache *cache)
{
	size_t n = (npages(cache) + 1) / 4;

	return (unsigned)(n < CACHE_REGION_TICKETS_MAX ? n : CACHE_REGION_TICKETS_MAX);
}

/* At least one page. */
static size_t share(const struct cache *cache, size_t divisor, size_t most)
{
	size_t n = (npages(cache) + 1) / divisor;

	return (n < 1 ? 1 : n < most ? n : most) * CACHE_PAGE;
}

size_t cache_region_history_len(const struct cache *cache)
{
	return share(cache, 16, CACHE_REGION_HISTORY_MAX);
}

size_t cache_region_leases_len(const struct cache *cache)
{
	return share(cache, 64, CACHE_REGION_LEASES_MAX);
}

size_t cache_region_leases_at(const struct cache *cache)
{
	return cache_region_history_at(cache) + cache_region_history_len(cache);
}

size_t cache_region_table_len(const struct cache *cache)
{
	return (npages(cache) - cache_region_ntickets(cache)) * CACHE_PAGE -
	       cache_region_history_len(cache) - cache_region_leases_len(cache);
}

size_t cache_region_history_at(const struct cache *cache)
{
	return cache_region_ticket_at(cache, cache_region_ntickets(cache));
}

size_t cache_region_ticket_at(const struct cache *cache, unsigned ticket)
{
	return cache_region_table_len(cache) + (size_t)ticket * CACHE_PAGE;
}

/* Makes sure, once a process, that the page can be touched. The bit in the file does not say so: it
 * may be damaged, and the file have lost its memory. Keeps errno. */
static bool back(struct cache *cache, size_t offset)
{
	uint64_t page = (cache->region_at + CACHE_REGION_FIXED + offset) / cache->page;
	int saved = errno, err;

	if (cache->backing != CACHE_SHARED || cache_is_backed(cache, page))
		return true;
	err = cache_file_back(&cache->file, page * cache->page, cache->page);
	errno = saved;
	if (err < 0)
		return false;
	cache_set_backed(cache, page);
	return true;
}

void *cache_region_find(struct cache *cache, size_t offset)
{
	uint64_t bit;
	const _Atomic uint64_t *word = word_of(cache, offset, &bit);

	if (!(atomic_load_explicit(word, memory_order_relaxed) & bit) || !back(cache, offset))
		return NULL;
	return table_of(cache) + offset;
}

void *cache_region_claim(struct cache *cache, size_t offset)
{
	uint64_t bit;
	_Atomic uint64_t *word = word_of(cache, offset, &bit);

	if (!back(cache, offset))
		return NULL;
	if (!(atomic_load_explicit(word, memory_order_relaxed) & bit))
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	return table_of(cache) + offset;
}
