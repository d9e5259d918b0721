// SPDX-License-Identifier: MIT
/*
 * cache.c - opening the cache, and the readers' side of it.
 *
 * A lookup goes through the classes, the smallest first. In each it reads the tags of two sets, one
 * cache line each; where a tag matches, the slot is copied out under its sequence, and the copy
 * must decode and bear the right view and name. A miss in all classes costs eight lines of tags.
 */
#include "shim/cache.h"

#include "shim/cache_internal.h"
#include "shim/hash.h"
#include "shim/random.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

static void take_layout(struct cache *cache, const struct cache_header *header)
{
	cache->map_size = header->size;
	cache->seed = header->seed;
	cache->region_at = header->reserved_at;
	cache->region_len = header->reserved_len;
	memcpy(cache->classes, header->classes, sizeof(cache->classes));
}

/* Where the private mapping begins its life: the same layout, without a file. */
static int map_private(struct cache *cache, uint64_t size)
{
	struct cache_header header;
	uint64_t seed;

	random_bytes(&seed, sizeof(seed));
	cache_header_fill(&header, size, 0, seed);
	cache->map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cache->map == MAP_FAILED)
		return -ENOMEM;
	cache->backing = CACHE_PRIVATE;
	take_layout(cache, &header);
	return 0;
}

static int map_shared(struct cache *cache, const char *path, uint64_t size, char *why)
{
	struct cache_file *file = &cache->file;
	int err = cache_file_open(path, size, file, why);

	if (err < 0)
		return err;
	cache->map = file->map;
	cache->backing = CACHE_SHARED;
	take_layout(cache, &file->header);
	return 0;
}

/* Clamped and rounded to whole pages. */
static uint64_t fit_size(size_t size)
{
	if (size < CACHE_SIZE_MIN)
		size = CACHE_SIZE_MIN;
	if (size > CACHE_SIZE_MAX)
		size = CACHE_SIZE_MAX;
	return size / CACHE_PAGE * CACHE_PAGE;
}

/* The handle lives in a mapping of its own: malloc may be the program's, and not ready. */
static struct cache *new_handle(uint64_t largest)
{
	uint64_t page = getauxval(AT_PAGESZ);
	size_t size = sizeof(struct cache) + (largest / page / 64 + 1) * sizeof(uint64_t);
	struct cache *cache = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (cache == MAP_FAILED)
		return NULL;
	cache->self_size = size;
	cache->page = page;
	return cache;
}

int cache_open(const struct cache_options *options, struct cache **ret, char why[256])
{
	/* the file found may be larger than the one wanted */
	struct cache *cache = new_handle(CACHE_SIZE_MAX);
	uint64_t size = fit_size(options->size);
	int err = -ENOENT;

	why[0] = '\0';
	if (!cache)
		return -ENOMEM;
	if (!options->want_private)
		err = map_shared(cache, options->path, size, why);
	if (err < 0)
		err = map_private(cache, size);
	if (err < 0) {
		munmap(cache, cache->self_size);
		return err;
	}
	cache->keep_s = options->keep_s;
	*ret = cache;
	return 0;
}

void cache_close(struct cache *cache)
{
	munmap(cache->map, cache->map_size);
	munmap(cache, cache->self_size);
}

enum cache_backing cache_backing(const struct cache *cache)
{
	return cache->backing;
}

bool cache_is_current(const struct cache *cache)
{
	return cache->backing == CACHE_PRIVATE || cache_file_is_current(&cache->file);
}

uint64_t cache_hash(const struct cache *cache, uint64_t view, const char *name, size_t len)
{
	return hash_bytes(name, len, cache->seed ^ view * HASH_K0);
}

/* The key of a lookup, and where the answer goes. */
struct query {
	uint64_t hash;
	uint64_t view;
	const char *name;
	size_t len;
	void *buf;
	size_t size;
};

static bool is_key(const struct query *q, const struct entry *entry)
{
	return entry->view == q->view && entry->name_len == q->len &&
	       memcmp(entry->name, q->name, q->len) == 0;
}

/* 0, -ENOENT (go on with the next candidate), -ENOBUFS. */
static int look_at(struct cache_slot *slot, size_t capacity, const struct query *q,
		   struct entry *ret, size_t *ret_need)
{
	size_t len = 0;
	int err = slot_read(slot, capacity, q->buf, q->size, &len);

	if (err == -ENOBUFS) {
		*ret_need = len;
		return err;
	}
	if (err < 0 || entry_decode(q->buf, len, ret) < 0 || !is_key(q, ret))
		return -ENOENT;
	ret->order = &slot->order;
	return 0;
}

unsigned cache_touch(const struct entry *entry)
{
	char *order = (char *)entry->order;

	return slot_touch((struct cache_slot *)(order - offsetof(struct cache_slot, order)));
}

static int look_in_set(struct cache *cache, const struct cache_class *class, uint32_t set,
		       const struct query *q, struct entry *ret, size_t *ret_need)
{
	uint64_t found = set_match(set_at(cache, class, set), hash_tag(q->hash));

	while (found) {
		unsigned way = set_next(&found);
		struct cache_slot *slot;
		int err;

		if (way >= class->ways)
			continue;
		slot = slot_at(cache, class, set, way);
		slot_prefetch(slot);
		err = look_at(slot, slot_capacity(class), q, ret, ret_need);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

static bool prefetch_in(const struct cache *cache, const struct cache_class *class, uint64_t hash)
{
	uint32_t sets[2] = {hash_set(class, hash, 0), hash_set(class, hash, 1)};

	slot_prefetch(slot_at(cache, class, sets[0], hash_way(class, hash))); /* mostly right */
	__builtin_prefetch(set_at(cache, class, sets[1]));
	for (int which = 0; which < 2; which++) {
		uint64_t found = set_match(set_at(cache, class, sets[which]), hash_tag(hash));

		if (found) {
			slot_prefetch(slot_at(cache, class, sets[which], set_next(&found)));
			return true;
		}
	}
	return false;
}

void cache_prefetch(const struct cache *cache, uint64_t hash)
{
	if (!prefetch_in(cache, &cache->classes[CACHE_TINY], hash))
		prefetch_in(cache, &cache->classes[CACHE_SMALL], hash);
}

int cache_lookup(struct cache *cache, uint64_t hash, uint64_t view, const char *name, size_t len,
		 void *buf, size_t size, struct entry *ret, size_t *ret_need)
{
	const struct query q = {hash, view, name, len, buf, size};

	for (int i = 0; i < CACHE_NCLASSES; i++) {
		const struct cache_class *class = &cache->classes[i];
		uint32_t first = hash_set(class, hash, 0), second = hash_set(class, hash, 1);
		int err;

		err = look_in_set(cache, class, first, &q, ret, ret_need);
		if (err == -ENOENT && second != first)
			err = look_in_set(cache, class, second, &q, ret, ret_need);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}
