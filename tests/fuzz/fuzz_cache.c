// SPDX-License-Identifier: MIT
/*
 * fuzz_cache.c - any bytes as an entry under a right checksum, and any bytes in a cache that is in
 * use: nothing outside is touched, no key but the right one answers, and a store heals.
 * links: shim/cache.c shim/cache_*.c shim/entry.c shim/file.c shim/random.c
 */
#include "shim/cache.h"
#include "shim/cache_internal.h"
#include "shim/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(1000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"a", "www.example.com", "b.example.org", "c.example.net"};
#define NAMES (sizeof(names) / sizeof(*names))

static void check(int condition)
{
	if (!condition)
		abort();
}

/* Reads every byte that the entry points to. */
static void touch(const struct entry *entry)
{
	static const size_t addr_len[ENTRY_NTYPES] = {4, 16};
	uint64_t sum = hash_bytes(entry->name, entry->name_len, 0);

	for (int i = 0; i < ENTRY_NTYPES; i++) {
		const struct entry_rrset *rr = &entry->rr[i];
		const char *name = rr->names;

		check(rr->kind <= RESOLVER_FAILURE && rr->failure <= RESOLVER_LOCAL_ERROR);
		check(rr->nnames <= RESOLVER_CHAIN_MAX);
		for (unsigned n = 0; n < rr->nnames; n++)
			name += strlen(name) + 1;
		check(name == rr->names + rr->names_len);
		sum ^= hash_bytes(rr->addrs, rr->naddrs * addr_len[i], sum);
	}
	__asm__ volatile("" ::"r"(sum));
}

/* What decodes also encodes, and decodes to the same. */
static void fuzz_entry(const uint8_t *data, size_t size)
{
	size_t len = size & ~(size_t)7;
	unsigned char *blob, *again;
	struct entry entry, copy;
	uint64_t sum;
	ssize_t n;

	if (len < ENTRY_HEAD_SIZE)
		return;
	blob = malloc(len);
	memcpy(blob, data, len);
	memcpy(blob + ENTRY_SIZE_AT, &(uint32_t){(uint32_t)len}, 4);
	sum = hash_bytes(blob + 8, len - 8, ENTRY_SEED);
	memcpy(blob, &sum, 8);
	if (entry_decode(blob, len, &entry) == 0) {
		touch(&entry);
		again = malloc(entry_encoded_size(&entry));
		n = entry_encode(&entry, again, entry_encoded_size(&entry));
		check(n > 0 && entry_decode(again, (size_t)n, &copy) == 0);
		check(copy.view == entry.view && copy.rr[0].naddrs == entry.rr[0].naddrs);
		free(again);
	}
	free(blob);
}

static int store(struct cache *cache, const char *name, uint64_t now_ms)
{
	static const unsigned char addr[16] = {192, 0, 2, 1};
	_Alignas(ENTRY_ALIGN) unsigned char blob[512];
	struct entry entry = {.view = 1, .name = name, .name_len = strlen(name)};
	ssize_t len;

	for (int i = 0; i < ENTRY_NTYPES; i++)
		entry.rr[i] = (struct entry_rrset){.kind = RESOLVER_ANSWER,
						   .ttl_s = 60,
						   .stored_ms = NOW,
						   .naddrs = 1,
						   .addrs = addr};
	len = entry_encode(&entry, blob, sizeof(blob));
	return cache_store(cache, cache_hash(cache, 1, name, entry.name_len), blob, (size_t)len,
			   now_ms);
}

static int lookup(struct cache *cache, const char *name)
{
	_Alignas(ENTRY_ALIGN) unsigned char buf[CACHE_ENTRY_MAX];
	size_t len = strlen(name), need;
	struct entry entry;
	int err = cache_lookup(cache, cache_hash(cache, 1, name, len), 1, name, len, buf,
			       sizeof(buf), &entry, &need);

	if (err == 0) {
		check(entry.view == 1 && entry.name_len == len && !memcmp(entry.name, name, len));
		touch(&entry);
	} else {
		check(err == -ENOENT);
	}
	return err;
}

/* Where `place` bytes after the header's page stand; the low numbers lead to what is in use. */
static unsigned char *target(struct cache *cache, uint32_t place, size_t len)
{
	uint64_t hash = cache_hash(cache, 1, names[place % NAMES], strlen(names[place % NAMES]));
	const struct cache_class *tiny = &cache->classes[CACHE_TINY];
	unsigned char *at = cache->map + CACHE_PAGE + place / 8;

	if (place % 8 < 4) {
		at = (unsigned char *)slot_at(cache, tiny, hash_set(tiny, hash, place / 4 % 2),
					      place / 8 % CACHE_TAGS);
		at += place / 128 % tiny->slot_size;
	}
	return at < cache->map + cache->map_size - len ? at : cache->map + CACHE_PAGE;
}

static void fuzz_cache(const uint8_t *data, size_t size)
{
	const struct cache_options options = {.want_private = true, .size = CACHE_SIZE_MIN};
	static struct cache *cache;
	char why[256];

	if (!cache)
		check(cache_open(&options, &cache, why) == 0);
	memset(cache->map + CACHE_PAGE, 0, cache->map_size - CACHE_PAGE);
	cache->seed = 1; /* the same input does the same */
	for (size_t i = 0; i < NAMES; i++)
		check(store(cache, names[i], NOW) == 0);
	while (size > 5) {
		uint32_t place;
		size_t len = data[4] < size - 5 ? data[4] : size - 5;

		memcpy(&place, data, 4);
		memcpy(target(cache, place, len), data + 5, len);
		data += 5 + len;
		size -= 5 + len;
		lookup(cache, names[place % NAMES]);
	}
	for (size_t i = 0; i < NAMES; i++) {
		int err = -EBUSY;

		lookup(cache, names[i]);
		for (uint64_t n = 0; n < 3 && err == -EBUSY; n++)
			err = store(cache, names[i], NOW + n * 1000);
		check(err == 0 && lookup(cache, names[i]) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & 1)
		fuzz_entry(data + 1, size - 1);
	else
		fuzz_cache(data + 1, size - 1);
	return 0;
}
