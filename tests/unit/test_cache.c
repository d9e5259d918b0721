// SPDX-License-Identifier: MIT
/*
 * test_cache.c - what one process sees of the cache: what is stored is found, until something
 * better needs its place.
 */
#include "shim/cache.h"

#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct sample sample(unsigned number, unsigned version)
{
	return (struct sample){
		.number = number, .version = version, .view = SAMPLE_VIEW, .stored_ms = SAMPLE_NOW};
}

static int store(struct cache *cache, struct sample s)
{
	return sample_store(cache, &s, SAMPLE_NOW);
}

static int lookup(struct cache *cache, unsigned number, struct sample *ret)
{
	return sample_lookup(cache, number, SAMPLE_VIEW, ret);
}

Test(cache, what_was_stored_is_found)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct sample got;

	cr_assert_eq(lookup(cache, 1, &got), -ENOENT);
	cr_assert_eq(store(cache, sample(1, 5)), 0);
	cr_assert_eq(lookup(cache, 1, &got), 0);
	cr_assert_eq(got.version, 5);
	cr_assert_eq(lookup(cache, 2, &got), -ENOENT);
	cache_close(cache);
}

Test(cache, views_stay_apart)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct sample other = sample(1, 9), got;

	other.view++;
	cr_assert_eq(store(cache, sample(1, 5)), 0);
	cr_assert_eq(sample_lookup(cache, 1, other.view, &got), -ENOENT);
	cr_assert_eq(store(cache, other), 0);
	cr_assert_eq(lookup(cache, 1, &got), 0);
	cr_assert_eq(got.version, 5);
	cr_assert_eq(sample_lookup(cache, 1, other.view, &got), 0);
	cr_assert_eq(got.version, 9);
	cache_close(cache);
}

Test(cache, same_hash_of_another_view_or_name_is_no_hit)
{
	_Alignas(8) unsigned char buf[SAMPLE_MAX];
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	char name[64];
	size_t len = sample_name(1, name), need;
	uint64_t hash = cache_hash(cache, SAMPLE_VIEW, name, len);
	struct entry entry;

	cr_assert_eq(store(cache, sample(1, 5)), 0);
	cr_assert_eq(cache_lookup(cache, hash, SAMPLE_VIEW + 1, name, len, buf, sizeof(buf), &entry,
				  &need),
		     -ENOENT);
	cr_assert_eq(cache_lookup(cache, hash, SAMPLE_VIEW, name, len - 1, buf, sizeof(buf), &entry,
				  &need),
		     -ENOENT);
	name[0] ^= 1;
	cr_assert_eq(
		cache_lookup(cache, hash, SAMPLE_VIEW, name, len, buf, sizeof(buf), &entry, &need),
		-ENOENT);
	cache_close(cache);
}

static unsigned count_tags(const struct cache *cache)
{
	unsigned n = 0;

	for (int i = 0; i < CACHE_NCLASSES; i++) {
		const struct cache_class *class = &cache->classes[i];

		for (uint32_t set = 0; set < class->nsets; set++) {
			for (unsigned way = 0; way < CACHE_TAGS; way++) {
				uint64_t quad = set_at(cache, class, set)->quads[way / 4];

				n += (uint16_t)(quad >> way % 4 * 16) != 0;
			}
		}
	}
	return n;
}

Test(cache, storing_again_replaces_in_place)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct sample got;

	for (unsigned version = 0; version < 100; version++) {
		cr_assert_eq(store(cache, sample(1, version)), 0);
		cr_assert_eq(lookup(cache, 1, &got), 0);
		cr_assert_eq(got.version, version);
		cr_assert_eq(count_tags(cache), 1);
	}
	cache_close(cache);
}

Test(cache, change_of_size_leaves_one_copy)
{
	static const enum sample_size sizes[] = {SAMPLE_SMALL,	SAMPLE_LARGE, SAMPLE_MEDIUM,
						 SAMPLE_LARGE,	SAMPLE_SMALL, SAMPLE_MEDIUM,
						 SAMPLE_MEDIUM, SAMPLE_SMALL};
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct sample s, got;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		s = sample(1, i);
		s.size = sizes[i];
		cr_assert_eq(store(cache, s), 0);
		cr_assert_eq(lookup(cache, 1, &got), 0);
		cr_assert_eq(got.version, i);
		cr_assert_eq(got.size, sizes[i]);
		cr_assert_eq(count_tags(cache), 1, "%u copies", count_tags(cache));
	}
	cache_close(cache);
}

Test(cache, removed_is_gone)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	char name[64];
	size_t len = sample_name(1, name);
	uint64_t hash = cache_hash(cache, SAMPLE_VIEW, name, len);

	cr_assert_eq(cache_remove(cache, hash, SAMPLE_VIEW, name, len, SAMPLE_NOW), -ENOENT);
	cr_assert_eq(store(cache, sample(1, 1)), 0);
	cr_assert_eq(store(cache, sample(2, 1)), 0);
	cr_assert_eq(cache_remove(cache, hash, SAMPLE_VIEW, name, len, SAMPLE_NOW), 0);
	cr_assert_eq(lookup(cache, 1, NULL), -ENOENT);
	cr_assert_eq(lookup(cache, 2, NULL), 0);
	cache_close(cache);
}

Test(cache, small_buffer_is_told_what_it_needs)
{
	_Alignas(8) unsigned char buf[SAMPLE_MAX];
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct sample s = sample(1, 1);
	size_t size = sample_encode(&s, buf, sizeof(buf)), need, len;
	struct entry entry;
	char name[64];
	uint64_t hash;

	len = sample_name(1, name);
	hash = cache_hash(cache, SAMPLE_VIEW, name, len);
	cr_assert_eq(store(cache, s), 0);
	for (size_t have = 0; have < size; have++) {
		unsigned char guard = buf[have] = 0x5a;

		need = 0;
		cr_assert_eq(
			cache_lookup(cache, hash, SAMPLE_VIEW, name, len, buf, have, &entry, &need),
			-ENOBUFS, "with %zu bytes", have);
		cr_assert_eq(need, size);
		cr_assert_eq(buf[have], guard, "wrote past %zu bytes", have);
	}
	cr_assert_eq(cache_lookup(cache, hash, SAMPLE_VIEW, name, len, buf, size, &entry, &need),
		     0);
	cache_close(cache);
}

Test(cache, oversize_and_invalid_are_refused)
{
	static _Alignas(8) unsigned char blob[1 << 16];
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct entry big = {.view = 1,
			    .name = "nine.long",
			    .name_len = 9,
			    .rr = {[ENTRY_A] = {.kind = RESOLVER_ANSWER, .addrs = blob + 32768}}};
	size_t largest = 0;
	ssize_t len;

	for (unsigned n = 1; n < 2000; n++) {
		size_t size;
		int err;

		big.rr[ENTRY_A].naddrs = n * 2;
		size = (size_t)entry_encode(&big, blob, 32768);
		err = cache_store(cache, 1, blob, size, SAMPLE_NOW);
		if (err == 0)
			largest = size;
		else
			cr_assert_eq(err, -EMSGSIZE);
	}
	cr_assert_eq(largest, SAMPLE_MAX, "largest that was stored: %zu", largest);
	big.rr[ENTRY_A].naddrs = 2;
	len = entry_encode(&big, blob, sizeof(blob));
	cr_assert_eq(cache_store(cache, 1, blob, (size_t)len - 8, SAMPLE_NOW), -EINVAL);
	blob[len - 1] ^= 1;
	cr_assert_eq(cache_store(cache, 1, blob, (size_t)len, SAMPLE_NOW), -EINVAL);
	cache_close(cache);
}

Test(cache, negative_answers_are_kept_apart_from_failures)
{
	_Alignas(8) unsigned char blob[512];
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct entry want = {.view = 3, .name = "no.such.name", .name_len = 12}, got;
	uint64_t hash = cache_hash(cache, 3, want.name, want.name_len);
	ssize_t len;
	size_t need;

	want.rr[ENTRY_A] = (struct entry_rrset){
		.kind = RESOLVER_NXDOMAIN, .ttl_s = 10, .stored_ms = SAMPLE_NOW};
	want.rr[ENTRY_AAAA] = (struct entry_rrset){.kind = RESOLVER_FAILURE,
						   .failure = RESOLVER_SERVFAIL,
						   .ttl_s = 1,
						   .stored_ms = SAMPLE_NOW};
	len = entry_encode(&want, blob, sizeof(blob));
	cr_assert_eq(cache_store(cache, hash, blob, (size_t)len, SAMPLE_NOW), 0);
	memset(blob, 0, sizeof(blob));
	cr_assert_eq(cache_lookup(cache, hash, 3, want.name, want.name_len, blob, sizeof(blob),
				  &got, &need),
		     0);
	cr_assert_eq(got.rr[ENTRY_A].kind, RESOLVER_NXDOMAIN);
	cr_assert_eq(got.rr[ENTRY_AAAA].kind, RESOLVER_FAILURE);
	cr_assert_eq(got.rr[ENTRY_AAAA].failure, RESOLVER_SERVFAIL);
	cr_assert(entry_fresh(&got.rr[ENTRY_A], SAMPLE_NOW + 9999));
	cr_assert(!entry_fresh(&got.rr[ENTRY_A], SAMPLE_NOW + 10000));
	cr_assert(!entry_fresh(&got.rr[ENTRY_AAAA], SAMPLE_NOW + 1000));
	cache_close(cache);
}

Test(cache, default_size_holds_8000_names_at_once)
{
	struct cache *cache = private_cache(CACHE_SIZE_DEFAULT);
	unsigned found = 0, large = 0;

	for (unsigned i = 0; i < 8000; i++)
		cr_assert_eq(store(cache, sample(i, i)), 0);
	for (unsigned i = 0; i < 8000; i++) {
		struct sample got;

		if (lookup(cache, i, &got) == 0 && got.version == i)
			found++;
		large += got.size != SAMPLE_SMALL;
	}
	cr_assert_eq(found, 8000, "%u of 8000 are there", found);
	cr_assert_eq(large, 0);
	cache_close(cache);
}

/* Names beyond the capacity: the size stays, and nearly every slot is in use. */
Test(cache, flood_fills_its_class_and_no_more)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	const struct cache_class *small = &cache->classes[CACHE_SMALL];
	unsigned slots = small->nsets * small->ways, found = 0, first = 0;

	for (unsigned i = 0; i < 20 * slots; i++)
		cr_assert_eq(store(cache, sample(i, i)), 0);
	for (unsigned i = 0; i < 20 * slots; i++)
		found += lookup(cache, i, NULL) == 0;
	cr_assert_eq(found, slots, "%u names in %u slots", found, slots);
	cr_assert_eq(count_tags(cache), slots);
	cache_close(cache);
	/* before the first eviction, 80 % at least are full: the two choices */
	cache = private_cache(CACHE_SIZE_DEFAULT);
	cache->seed = 1; /* the figure varies a little by the seed: 86 % is usual */
	small = &cache->classes[CACHE_SMALL];
	slots = small->nsets * small->ways;
	while (first < slots) {
		cr_assert_eq(store(cache, sample(first, 1)), 0);
		first++;
		if (count_tags(cache) < first)
			break;
	}
	cr_assert_gt(first, slots * 80 / 100, "first eviction at %u of %u", first, slots);
	cache_close(cache);
}

/* A steady reader writes nothing: the stamp's line stays shared between the cores. */
Test(cache, steady_reader_stores_nothing)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	unsigned char *copy = malloc(cache->map_size);

	cr_assert_eq(store(cache, sample(1, 1)), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(sample_use(cache, 1, SAMPLE_VIEW), 0);
	memcpy(copy, cache->map, cache->map_size);
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_eq(sample_use(cache, 1, SAMPLE_VIEW), 0);
	cr_assert_eq(memcmp(copy, cache->map, cache->map_size), 0);
	free(copy);
	cache_close(cache);
}

/* The last number that sets of each geometry can reach lies inside the mapping. */
Test(cache, every_size_lays_out_inside_the_file)
{
	static const uint64_t sizes[] = {CACHE_SIZE_MIN, CACHE_SIZE_MIN + 4096, 300 << 10,
					 1 << 20,	 CACHE_SIZE_DEFAULT,	64 << 20,
					 1 << 30,	 CACHE_SIZE_MAX};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct cache_header h;
		uint64_t at = 0, slots = 0;

		cache_header_fill(&h, sizes[i] / CACHE_PAGE * CACHE_PAGE, 1, 2);
		for (int c = 0; c < CACHE_NCLASSES; c++) {
			const struct cache_class *class = &h.classes[c];

			cr_assert_geq(class->nsets, 1);
			cr_assert_geq(class->slots_at, at);
			cr_assert_leq(class->tags_at + class->nsets * sizeof(struct cache_set),
				      h.tags_end);
			at = class->slots_at +
			     (uint64_t) class->nsets * class->ways * class->slot_size;
			slots += (uint64_t) class->nsets * class->ways * class->slot_size;
		}
		cr_assert_leq(at, h.size);
		cr_assert_geq(h.reserved_at, h.tags_end);
		cr_assert_geq(h.reserved_len, h.size / 16 - CACHE_PAGE);
		cr_assert_leq(h.reserved_at + h.reserved_len, h.classes[0].slots_at);
		cr_assert_geq(slots, h.size / 100 * 85, "%lu: too little of it is slots", h.size);
	}
}

/* Two addresses of each family, as most names have them, take the least room there is. */
Test(cache, ordinary_name_goes_into_the_tiny_class)
{
	_Alignas(ENTRY_ALIGN) unsigned char blob[256];
	static const unsigned char addrs[32];
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	const struct cache_class *tiny = &cache->classes[CACHE_TINY];
	struct entry entry = {.view = 1, .name = "www.example.com", .name_len = 15};
	uint64_t hash = cache_hash(cache, 1, entry.name, entry.name_len);
	ssize_t len;

	for (int t = 0; t < ENTRY_NTYPES; t++)
		entry.rr[t] = (struct entry_rrset){.kind = RESOLVER_ANSWER,
						   .stored_ms = SAMPLE_NOW,
						   .ttl_s = 60,
						   .nnames = 1,
						   .names = "www.example.com",
						   .names_len = 16,
						   .naddrs = 2,
						   .addrs = addrs};
	len = entry_encode(&entry, blob, sizeof(blob));
	cr_assert_gt(len, 0);
	cr_assert_eq(cache_store(cache, hash, blob, (size_t)len, SAMPLE_NOW), 0);
	cr_expect_neq(set_match(set_at(cache, tiny, hash_set(tiny, hash, 0)), hash_tag(hash)), 0u);
	cache_close(cache);
}

/* The copy that a lookup gives has a place for the order of the addresses, in the slot itself; a
 * new answer empties it. */
Test(cache, entry_has_a_place_for_the_order)
{
	_Alignas(ENTRY_ALIGN) unsigned char buf[CACHE_ENTRY_MAX];
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	char name[64];
	size_t need, len = sample_name(1, name);
	uint64_t hash = cache_hash(cache, SAMPLE_VIEW, name, len);
	struct entry entry;

	for (unsigned version = 1; version <= 2; version++) {
		cr_assert_eq(store(cache, sample(1, version)), 0);
		cr_assert_eq(cache_lookup(cache, hash, SAMPLE_VIEW, name, len, buf, sizeof(buf),
					  &entry, &need),
			     0);
		cr_assert_not_null(entry.order);
		cr_expect_eq(*entry.order, 0u);
		*entry.order = 42;
	}
	cache_close(cache);
}
