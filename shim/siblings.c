// SPDX-License-Identifier: MIT
/*
 * siblings.c - see siblings.h.
 *
 *	lists    each guarded by a sequence of its own: odd while it is written. A writer that finds
 *	         it odd goes away; so does a signal handler that has interrupted the writer.
 *	index    a word for each hash of an address: the numbers (plus 1) of up to four lists that
 *	         may have such an address. A hint: the list itself says.
 *
 * An address that belongs to two names must not be replaced by one that belongs to only one of
 * them. So a list that holds is never dropped for another; where there is no room for a list, its
 * addresses are barred from races for as long as it would have held.
 */
#include "shim/siblings.h"

#include "shim/hash.h"
#include "shim/hot.h"

#include <stdatomic.h>
#include <string.h>

#define LISTS	4096
#define BUCKETS 8192
#define LANES	4 /* of 16 bits, in the word of a bucket */

#define DEST_WORDS (sizeof(struct order_dest) / 8)

_Static_assert(sizeof(struct order_dest) == 24, "addresses are copied word by word");

struct list {
	_Atomic uint32_t seq;
	_Atomic uint32_t n;
	_Atomic uint64_t id, until_ms;
	_Atomic uint64_t words[SIBLINGS_MAX * DEST_WORDS];
};

/* A consistent copy. */
struct copy {
	uint64_t id, until_ms;
	unsigned n;
	struct order_dest dests[SIBLINGS_MAX];
};

static struct list lists[LISTS];
static _Atomic uint64_t buckets[BUCKETS];
static _Atomic uint64_t barred_until_ms[BUCKETS];
static HOT _Atomic bool any;

/* ---- one list ---- */

/* False: it is being written. */
static bool list_read(const struct list *list, struct copy *ret)
{
	uint32_t seq = atomic_load_explicit(&list->seq, memory_order_acquire);
	uint64_t words[SIBLINGS_MAX * DEST_WORDS];

	if (seq & 1)
		return false;
	ret->n = atomic_load_explicit(&list->n, memory_order_acquire);
	ret->id = atomic_load_explicit(&list->id, memory_order_acquire);
	ret->until_ms = atomic_load_explicit(&list->until_ms, memory_order_acquire);
	for (size_t i = 0; i < ret->n * DEST_WORDS; i++)
		words[i] = atomic_load_explicit(&list->words[i], memory_order_acquire);
	memcpy(ret->dests, words, ret->n * sizeof(struct order_dest));
	return atomic_load_explicit(&list->seq, memory_order_relaxed) == seq;
}

/* Only one that is not over is not replaced. False: it is not free. */
static bool list_write(struct list *list, const struct copy *from, uint64_t now_ms)
{
	uint32_t seq = atomic_load_explicit(&list->seq, memory_order_relaxed);
	uint64_t words[SIBLINGS_MAX * DEST_WORDS];

	if (seq & 1 ||
	    !atomic_compare_exchange_strong_explicit(&list->seq, &seq, seq + 1,
						     memory_order_acq_rel, memory_order_relaxed))
		return false;
	if (atomic_load(&list->until_ms) > now_ms && atomic_load(&list->id) != from->id) {
		atomic_store(&list->seq, seq + 2);
		return false;
	}
	memcpy(words, from->dests, from->n * sizeof(struct order_dest));
	for (size_t i = 0; i < from->n * DEST_WORDS; i++)
		atomic_store_explicit(&list->words[i], words[i], memory_order_release);
	atomic_store_explicit(&list->n, from->n, memory_order_release);
	atomic_store_explicit(&list->id, from->id, memory_order_release);
	atomic_store_explicit(&list->until_ms, from->until_ms, memory_order_release);
	atomic_store_explicit(&list->seq, seq + 2, memory_order_release);
	return true;
}

static bool is_same(const struct order_dest *a, const struct order_dest *b)
{
	return a->family == b->family &&
	       memcmp(a->addr, b->addr, a->family == AF_INET ? 4 : 16) == 0 &&
	       (a->family == AF_INET || a->scope_id == b->scope_id);
}

static bool has(const struct copy *list, const struct order_dest *dest)
{
	for (unsigned i = 0; i < list->n; i++)
		if (is_same(&list->dests[i], dest))
			return true;
	return false;
}

/* ---- the index ---- */

static unsigned bucket_of(const struct order_dest *dest)
{
	return (unsigned)hash_bytes(dest->addr, dest->family == AF_INET ? 4 : 16, HASH_K0) %
	       BUCKETS;
}

static unsigned lane(uint64_t word, unsigned i)
{
	return (unsigned)(word >> 16 * i) & UINT16_MAX;
}

/* Does list `number` hold, and have an address of this bucket? Being written counts as yes. */
static bool is_live(unsigned number, unsigned bucket, uint64_t now_ms)
{
	struct copy copy;

	if (!list_read(&lists[number], &copy))
		return true;
	for (unsigned i = 0; i < copy.n && copy.until_ms > now_ms; i++)
		if (bucket_of(&copy.dests[i]) == bucket)
			return true;
	return false;
}

/* False: the bucket is full. */
static bool index_add(unsigned bucket, unsigned number, uint64_t now_ms)
{
	uint64_t word = atomic_load(&buckets[bucket]), changed;
	unsigned at;

	do {
		unsigned free_lane = LANES;

		for (at = 0; at < LANES && lane(word, at) != number + 1; at++)
			if (lane(word, at) == 0 || !is_live(lane(word, at) - 1, bucket, now_ms))
				free_lane = at;
		if (at < LANES)
			return true; /* it is there */
		if (free_lane == LANES)
			return false;
		changed = word & ~((uint64_t)UINT16_MAX << 16 * free_lane);
		changed |= (uint64_t)(number + 1) << 16 * free_lane;
	} while (!atomic_compare_exchange_weak(&buckets[bucket], &word, changed));
	return true;
}

static void bar(unsigned bucket, uint64_t until_ms)
{
	uint64_t old = atomic_load(&barred_until_ms[bucket]);

	while (old < until_ms &&
	       !atomic_compare_exchange_weak(&barred_until_ms[bucket], &old, until_ms))
		;
}

/* ---- together ---- */

/* Is it noted already, for about as long? */
static bool is_known(const struct copy *list)
{
	unsigned first = (unsigned)list->id % LISTS, second = (unsigned)(list->id >> 32) % LISTS;
	uint64_t enough_ms = list->until_ms - list->until_ms % 1024; /* not each time anew */

	for (unsigned i = 0; i < 2; i++) {
		const struct list *l = &lists[i == 0 ? first : second];

		if (atomic_load_explicit(&l->id, memory_order_relaxed) == list->id &&
		    atomic_load_explicit(&l->until_ms, memory_order_relaxed) >= enough_ms)
			return true;
	}
	return false;
}

void siblings_note(const struct order_dest *dests, unsigned n, uint64_t id, uint64_t now_ms,
		   uint64_t until_ms)
{
	struct copy list = {.id = id, .until_ms = until_ms};
	unsigned number = (unsigned)id % LISTS;
	bool kept;

	if (list.until_ms > now_ms + SIBLINGS_HOLD_MS)
		list.until_ms = now_ms + SIBLINGS_HOLD_MS;
	if (is_known(&list))
		return;
	atomic_store_explicit(&any, true, memory_order_relaxed);
	list.n = n < SIBLINGS_MAX ? n : SIBLINGS_MAX;
	memcpy(list.dests, dests, list.n * sizeof *dests);
	kept = list_write(&lists[number], &list, now_ms);
	if (!kept) {
		number = (unsigned)(id >> 32) % LISTS;
		kept = list_write(&lists[number], &list, now_ms);
	}
	for (unsigned i = 0; i < list.n; i++) {
		unsigned bucket = bucket_of(&list.dests[i]);

		if (!kept || !index_add(bucket, number, now_ms))
			bar(bucket, list.until_ms);
	}
}

static void keep_common(struct order_dest *dests, unsigned *n, const struct copy *other)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *n; i++)
		if (has(other, &dests[i]))
			dests[kept++] = dests[i];
	*n = kept;
}

unsigned siblings_find(const struct order_dest *dest, uint64_t now_ms,
		       struct order_dest ret[SIBLINGS_MAX], bool *ret_more)
{
	unsigned bucket = bucket_of(dest), n = 0;
	uint64_t word = atomic_load_explicit(&buckets[bucket], memory_order_acquire);
	struct copy list;

	*ret_more = false;
	if (word == 0 || atomic_load(&barred_until_ms[bucket]) > now_ms)
		return 0;
	for (unsigned i = 0; i < LANES; i++) {
		if (lane(word, i) == 0)
			continue;
		if (!list_read(&lists[lane(word, i) - 1], &list))
			return 0;
		if (list.until_ms <= now_ms || !has(&list, dest))
			continue;
		if (n == 0) {
			memcpy(ret, list.dests, list.n * sizeof *ret);
			n = list.n;
		} else {
			keep_common(ret, &n, &list);
		}
	}
	return n;
}

bool siblings_any(void)
{
	return atomic_load_explicit(&any, memory_order_relaxed);
}
