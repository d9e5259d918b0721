// SPDX-License-Identifier: MIT
/*
 * cache_layout.c - computes the geometry of a cache file and judges the header of one that exists.
 *
 * A header is believed only when it is, byte for byte, the header that this library would write for
 * that size, boot and seed: so its geometry needs no checks of its own.
 */
#include "shim/cache_layout.h"

#include "shim/cache.h"
#include "shim/hash.h"

#include <string.h>

const char *cache_verdict_to_str(enum cache_verdict verdict)
{
	switch (verdict) {
	case CACHE_HEADER_OK:
		return "ok";
	case CACHE_HEADER_FOREIGN:
		return "not a cache file";
	case CACHE_HEADER_BYTE_ORDER:
		return "of another byte order";
	case CACHE_HEADER_LAYOUT:
		return "of another layout";
	case CACHE_HEADER_DAMAGED:
		return "damaged header";
	case CACHE_HEADER_TRUNCATED:
		return "truncated or extended";
	case CACHE_HEADER_OTHER_BOOT:
		return "of another boot";
	case CACHE_HEADER_SMALLER:
		return "smaller than wanted";
	}
	return "unknown";
}

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static uint32_t sets_in(uint64_t bytes, const struct cache_class *class)
{
	uint64_t n = bytes / (class->ways * class->slot_size + sizeof(struct cache_set));

	return n > 0 ? (uint32_t)n : 1;
}

/* The larger classes take their share, one set at least; tiny takes all that is left. */
static void share_out(struct cache_class classes[CACHE_NCLASSES], uint64_t bytes)
{
	static const unsigned percent[CACHE_NCLASSES] = {
		[CACHE_SMALL] = 48,
		[CACHE_MEDIUM] = 14,
		[CACHE_LARGE] = 8,
	};
	uint64_t left = bytes;

	for (int i = CACHE_LARGE; i > CACHE_TINY; i--) {
		struct cache_class *class = &classes[i];

		class->nsets = sets_in(bytes / 100 * percent[i], class);
		left -= class->nsets *
			((uint64_t) class->ways * class->slot_size + sizeof(struct cache_set));
	}
	classes[CACHE_TINY].nsets = sets_in(left, &classes[CACHE_TINY]);
}

void cache_header_fill(struct cache_header *ret, uint64_t size, uint64_t boot, uint64_t seed)
{
	uint64_t at = CACHE_PAGE;

	*ret = (struct cache_header){
		.byte_order = CACHE_BYTE_ORDER,
		.layout = CACHE_LAYOUT,
		.size = size,
		.boot = boot,
		.seed = seed,
		.reserved_len = size / 16 / CACHE_PAGE * CACHE_PAGE + CACHE_REGION_FIXED,
		.classes = {[CACHE_TINY] = {.slot_size = 192, .ways = 16},
			    [CACHE_SMALL] = {.slot_size = 384, .ways = 16},
			    [CACHE_MEDIUM] = {.slot_size = 1024, .ways = 16},
			    [CACHE_LARGE] = {.slot_size = 8192, .ways = 4}},
	};
	memcpy(ret->magic, CACHE_MAGIC, sizeof(ret->magic));
	/* one page for the header, one lost where the tags end within a page */
	share_out(ret->classes, size - 2 * CACHE_PAGE - ret->reserved_len);
	for (int i = 0; i < CACHE_NCLASSES; i++) {
		ret->classes[i].tags_at = at;
		at += ret->classes[i].nsets * sizeof(struct cache_set);
	}
	ret->tags_end = ret->reserved_at = align_up(at, CACHE_PAGE);
	at = ret->reserved_at + ret->reserved_len;
	for (int i = 0; i < CACHE_NCLASSES; i++) {
		const struct cache_class *class = &ret->classes[i];

		ret->classes[i].slots_at = at;
		at += (uint64_t) class->nsets * class->ways * class->slot_size;
	}
	assert(at <= size);
	ret->checksum = hash_bytes(ret, offsetof(struct cache_header, checksum), CACHE_HEADER_SEED);
}

enum cache_verdict cache_header_check(const struct cache_header *header, size_t len,
				      uint64_t file_size, uint64_t want_size, uint64_t boot)
{
	struct cache_header want;

	if (len < sizeof(header->magic) || memcmp(header->magic, CACHE_MAGIC, 8) != 0)
		return len ? CACHE_HEADER_FOREIGN : CACHE_HEADER_TRUNCATED;
	if (len < sizeof(*header))
		return CACHE_HEADER_TRUNCATED;
	if (header->byte_order == __builtin_bswap32(CACHE_BYTE_ORDER))
		return CACHE_HEADER_BYTE_ORDER;
	if (header->byte_order != CACHE_BYTE_ORDER)
		return CACHE_HEADER_DAMAGED;
	if (header->layout != CACHE_LAYOUT)
		return CACHE_HEADER_LAYOUT;
	if (header->size % CACHE_PAGE || header->size < CACHE_SIZE_MIN ||
	    header->size > CACHE_SIZE_MAX)
		return CACHE_HEADER_DAMAGED;
	cache_header_fill(&want, header->size, header->boot, header->seed);
	if (memcmp(&want, header, sizeof(want)) != 0)
		return CACHE_HEADER_DAMAGED;
	if (header->size != file_size)
		return CACHE_HEADER_TRUNCATED;
	if (header->boot != boot)
		return CACHE_HEADER_OTHER_BOOT;
	return header->size < want_size ? CACHE_HEADER_SMALLER : CACHE_HEADER_OK;
}
