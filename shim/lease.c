// SPDX-License-Identifier: MIT
/*
 * lease.c - see lease.h.
 *
 * Who changes `who` with compare-and-swap from a lease that has ended has the lease: key and end
 * are one word, so there is never half a lease. The word that sleepers wait on is read before
 * `who`: a release between the two changes it, and the sleep ends at once.
 */
#include "shim/lease.h"

#include "shim/cache_region.h"
#include "shim/cancel.h"
#include "shim/clock.h"
#include "shim/hash.h"
#include "shim/process.h"
#include "shim/sys.h"

#include <limits.h>
#include <stdatomic.h>
#include <time.h>

/* Questions that are older than this are asked anew, as if for the first time. */
#define FIRST_MAX_MS 60000

#define TYPES_SHIFT 32
#define TYPES_MASK  ((1u << ENTRY_NTYPES) - 1)
#define KEY_SHIFT   (TYPES_SHIFT + ENTRY_NTYPES)

/* For so long nobody waits for the rest of an answer whose first part is there; then it is asked
 * for anew, as if for the first time. */
#define PART_MS 3000

static_assert(sizeof(struct lease_place) == 16, "the layout of the shared file");

static struct lease_place *place_of(struct cache *cache, uint64_t key)
{
	size_t n;

	if (cache == NULL)
		return NULL;
	n = cache_region_leases_len(cache) / sizeof(struct lease_place);
	return cache_region_claim(cache, cache_region_leases_at(cache) +
						 key % n * sizeof(struct lease_place));
}

/* A forked child has a copy of a private cache, and in it leases whose answers it will never see:
 * there each process has keys of its own. */
static uint64_t own_key(const struct cache *cache, uint64_t key)
{
	const struct process_page *page;

	if (cache == NULL || cache_backing(cache) == CACHE_SHARED)
		return key;
	page = atomic_load_explicit(&process_page, memory_order_acquire);
	return page == NULL ? key : key ^ hash_fold((uint64_t)page->owner ^ HASH_K0, HASH_K1);
}

static uint64_t make_who(uint64_t key, unsigned types, uint64_t end_ms)
{
	return key >> KEY_SHIFT << KEY_SHIFT | (uint64_t)types << TYPES_SHIFT | (uint32_t)end_ms;
}

bool lease_is_of(uint64_t who, uint64_t key)
{
	return who != 0 && who >> KEY_SHIFT == key >> KEY_SHIFT;
}

static unsigned types_of(uint64_t who)
{
	return (unsigned)(who >> TYPES_SHIFT) & TYPES_MASK;
}

/* Since when the same question is without an answer, by the place's last holder. */
static uint64_t first_ms(const struct lease_place *place, uint64_t who, uint64_t key,
			 uint64_t now_ms)
{
	uint32_t first = atomic_load_explicit(&place->first, memory_order_relaxed);
	uint32_t age = (uint32_t)now_ms - first;

	return first != 0 && lease_is_of(who, key) && age <= FIRST_MAX_MS && age <= now_ms
		       ? now_ms - age
		       : now_ms;
}

/* What becomes of a place that says `who`. *ret has whose it is then, all but `seen`. */
static enum lease_result judge(const struct lease_place *place, uint64_t who, uint64_t key,
			       unsigned types, uint64_t now_ms, struct lease *ret)
{
	uint32_t left = lease_left_ms(who, now_ms);
	unsigned held = left > 0 ? types_of(who) : 0;

	if (left > 0 && !lease_is_of(who, key)) {
		*ret = (struct lease){.first_ms = now_ms};
		return LEASE_NONE;
	}
	ret->key = key;
	ret->first_ms = first_ms(place, who, key, now_ms);
	ret->part = now_ms - ret->first_ms >= FIRST_MAX_MS - PART_MS;
	if (left > 0 && (types & ~held) == 0) {
		ret->who = who;
		ret->end_ms = now_ms + left;
		return LEASE_OTHERS;
	}
	ret->end_ms = now_ms + LEASE_MS;
	ret->who = make_who(key, types | held, ret->end_ms);
	return LEASE_MINE;
}

enum lease_result lease_take(struct cache *cache, uint64_t key, unsigned types, uint64_t now_ms,
			     struct lease *ret)
{
	uint64_t own = own_key(cache, key), who;
	struct lease_place *place = place_of(cache, own);

	*ret = (struct lease){.first_ms = now_ms};
	if (place == NULL)
		return LEASE_NONE;
	ret->seen = atomic_load(&place->word);
	who = atomic_load(&place->who);
	do {
		enum lease_result result = judge(place, who, own, types, now_ms, ret);

		if (result != LEASE_MINE)
			return result;
	} while (!atomic_compare_exchange_strong(&place->who, &who, ret->who));
	atomic_store_explicit(&place->first, (uint32_t)ret->first_ms, memory_order_relaxed);
	return LEASE_MINE;
}

bool lease_is_taken(struct cache *cache, uint64_t key, uint64_t now_ms)
{
	const struct lease_place *place = place_of(cache, own_key(cache, key));

	return place != NULL &&
	       lease_left_ms(atomic_load_explicit(&place->who, memory_order_relaxed), now_ms) > 0;
}

static void wake(struct lease_place *place)
{
	atomic_fetch_add(&place->word, 1);
	(void)sys_futex_wake(&place->word, INT_MAX, true);
}

void lease_release(struct cache *cache, const struct lease *lease, bool answered)
{
	struct lease_place *place = lease->key != 0 ? place_of(cache, lease->key) : NULL;
	uint64_t who = lease->who;

	if (place == NULL)
		return;
	if (answered)
		atomic_store_explicit(&place->first, 0, memory_order_relaxed);
	/* Its end stays behind where it had no answer: first_ms() needs to know whose it was. */
	(void)atomic_compare_exchange_strong(&place->who, &who,
					     answered ? 0 : make_who(lease->key, types_of(who), 0));
	wake(place);
}

void lease_notify(struct cache *cache, const struct lease *lease, uint64_t part_ms)
{
	struct lease_place *place = lease->key != 0 ? place_of(cache, lease->key) : NULL;

	if (place == NULL)
		return;
	if (part_ms != 0)
		atomic_store_explicit(&place->first, (uint32_t)(part_ms + PART_MS - FIRST_MAX_MS),
				      memory_order_relaxed);
	wake(place);
}

void lease_wait(struct cache *cache, const struct lease *lease, uint64_t timeout_ms)
{
	struct lease_place *place = lease->key != 0 ? place_of(cache, lease->key) : NULL;
	const struct timespec timeout = {.tv_sec = (time_t)(timeout_ms / 1000),
					 .tv_nsec = (long)(timeout_ms % 1000) * 1000000};

	if (place != NULL && timeout_ms > 0)
		(void)cancel_futex(&place->word, lease->seen, &timeout, true);
}
