// SPDX-License-Identifier: MIT
/*
 * siblings_table.c - see siblings_table.h.
 *
 *	places   one list each, guarded by a sequence of its own: odd while it is claimed. They are
 *	         used one after the other.
 *	index    numbers (plus 1) of places, in buckets by the hash of what the list is found by:
 *	         its id, and each of its addresses. A hint: the list itself says.
 *	barred   until when there is no race for the addresses of one hash.
 *
 * Where too many addresses are barred, noting would be work for nothing: for SIBLINGS_HOLD_MS
 *nothing is noted, and for the same time again nothing is found, until all that was not noted is
 *over.
 *
 * A page that is touched for the first time costs up to 3 us, where a whole lookup takes a quarter
 * of one. So the index has a small level, which stands with the first lists on one page, and a
 * large one, for what does not fit the small one's bucket; and whatever may be the first touch of
 * a page writes: one that reads would come first and be another one.
 *
 * A place that is claimed is looked at again a few times and not waited for: the claimer may be the
 * thread that this signal handler interrupts, or, in a forked child, may never come back.
 */
#include "shim/siblings_table.h"

#include "shim/hash.h"
#include "shim/hot.h"

#include <stddef.h>
#include <string.h>

#define PLACES	 8192 /* as many names as the shared cache has room for by default */
#define SMALL	 63   /* buckets of a level */
#define LARGE	 8192
#define BARS	 16384
#define WORDS	 4		 /* of a bucket */
#define LANES	 4		 /* of 16 bits, in a word */
#define LEVEL	 (WORDS * LANES) /* lanes that one key has in a level */
#define LOOKS	 64		 /* at a place that is claimed */
#define BARS_MAX (BARS / 4)
#define TRIES	 16 /* to find a free place */

#define DEST_WORDS (sizeof(struct order_dest) / 8)

_Static_assert(sizeof(struct order_dest) == 24, "addresses are copied word by word");
_Static_assert(PLACES < UINT16_MAX, "numbers fit a lane");

struct siblings_place {
	_Alignas(512) _Atomic uint32_t seq;
	_Atomic uint32_t n;
	_Atomic bool early;
	_Atomic uint64_t id, until_ms, more_until_ms;
	_Atomic uint64_t words[SIBLINGS_MAX * DEST_WORDS];
};

struct bucket {
	_Atomic uint64_t words[WORDS]; /* lanes are filled from the first on, and not emptied */
};

static struct {
	_Alignas(4096) _Atomic bool touched;
	_Atomic uint32_t next; /* place */
	_Alignas(32) struct bucket small[SMALL];
	struct siblings_place places[PLACES];
} table;

_Static_assert(offsetof(__typeof__(table), places) == 2048, "one page with the first lists");

static struct bucket large[LARGE];
static _Atomic uint64_t barred_until_ms[BARS];
static HOT _Atomic uint32_t bars; /* how many were set, until there are too many */
static HOT _Atomic uint64_t unsure_until_ms;

HOT _Atomic uint64_t siblings_closed_until_ms;

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* ---- lists ---- */

static bool is_same(const struct order_dest *a, const struct order_dest *b)
{
	return a->family == b->family && a->scope_id == b->scope_id &&
	       memcmp(a->addr, b->addr, sizeof a->addr) == 0;
}

bool siblings_list_has(const struct siblings_list *list, const struct order_dest *dest)
{
	for (unsigned i = 0; i < list->n; i++)
		if (is_same(&list->dests[i], dest))
			return true;
	return false;
}

/* What stands there, be it half written. */
static void load(const struct siblings_place *place, struct siblings_list *ret)
{
	uint64_t words[SIBLINGS_MAX * DEST_WORDS];

	ret->n = atomic_load_explicit(&place->n, memory_order_acquire);
	ret->early = atomic_load_explicit(&place->early, memory_order_acquire);
	ret->id = atomic_load_explicit(&place->id, memory_order_acquire);
	ret->until_ms = atomic_load_explicit(&place->until_ms, memory_order_acquire);
	ret->more_until_ms = atomic_load_explicit(&place->more_until_ms, memory_order_acquire);
	for (size_t i = 0; i < ret->n * DEST_WORDS; i++)
		words[i] = atomic_load_explicit(&place->words[i], memory_order_acquire);
	memcpy(ret->dests, words, ret->n * sizeof(struct order_dest));
}

/* False: it is claimed. */
static bool read_list(const struct siblings_place *place, struct siblings_list *ret)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		uint32_t seq = atomic_load_explicit(&place->seq, memory_order_acquire);

		if (!(seq & 1)) {
			load(place, ret);
			if (atomic_load_explicit(&place->seq, memory_order_relaxed) == seq)
				return true;
		}
		relax();
	}
	return false;
}

/* ---- the index ---- */

static uint64_t key_of(const struct order_dest *dest)
{
	return hash_bytes(dest->addr, sizeof dest->addr, HASH_K0);
}

static struct bucket *bucket_at(uint64_t key, unsigned level)
{
	return level == 0 ? &table.small[key % SMALL] : &large[(key >> 32) % LARGE];
}

static unsigned lane_of(uint64_t word, unsigned i)
{
	return (unsigned)(word >> 16 * i) & UINT16_MAX;
}

/* The next place under the key; NULL: no more. */
static struct siblings_place *walk(struct siblings_walk *walk)
{
	while (walk->lane < 2 * LEVEL) {
		unsigned level = walk->lane / LEVEL, lane = walk->lane++ % LEVEL;
		unsigned number = lane_of(
			atomic_load_explicit(&bucket_at(walk->key, level)->words[lane / LANES],
					     memory_order_acquire),
			lane % LANES);

		if (number == 0)
			break; /* nothing ever needed the room behind it */
		return &table.places[number - 1];
	}
	return NULL;
}

/* Does the list there hold, and belong into this bucket? Being written counts as yes. */
static bool is_live(unsigned number, const struct bucket *bucket, unsigned level, uint64_t now_ms)
{
	struct siblings_list list;

	if (!read_list(&table.places[number], &list))
		return true;
	if (list.until_ms <= now_ms)
		return false;
	if (bucket_at(list.id, level) == bucket)
		return true;
	for (unsigned i = 0; i < list.n; i++)
		if (bucket_at(key_of(&list.dests[i]), level) == bucket)
			return true;
	return false;
}

enum added { ADDED, FULL, CHANGED };

/* Into one word: where it is already, or a lane of no list that holds. */
static enum added add_to_word(struct bucket *bucket, unsigned level, unsigned at, unsigned number,
			      uint64_t now_ms)
{
	_Atomic uint64_t *word = &bucket->words[at];
	uint64_t old = atomic_load_explicit(word, memory_order_acquire), changed;
	unsigned free_lane = LANES;

	for (unsigned i = 0; i < LANES; i++) {
		unsigned other = lane_of(old, i);

		if (other == number + 1)
			return ADDED;
		if (free_lane == LANES &&
		    (other == 0 || !is_live(other - 1, bucket, level, now_ms)))
			free_lane = i;
	}
	if (free_lane == LANES)
		return FULL;
	changed = old & ~((uint64_t)UINT16_MAX << 16 * free_lane);
	changed |= (uint64_t)(number + 1) << 16 * free_lane;
	return atomic_compare_exchange_strong_explicit(word, &old, changed, memory_order_acq_rel,
						       memory_order_relaxed)
		       ? ADDED
		       : CHANGED;
}

/* False: there is no room. */
static bool index_add(uint64_t key, const struct siblings_place *place, uint64_t now_ms)
{
	unsigned number = (unsigned)(place - table.places);

	for (unsigned i = 0; i < 2 * WORDS;) {
		unsigned level = i / WORDS;

		switch (add_to_word(bucket_at(key, level), level, i % WORDS, number, now_ms)) {
		case ADDED:
			return true;
		case FULL:
			i++;
			break;
		case CHANGED:
			break;
		}
	}
	return false;
}

/* ---- places ---- */

bool siblings_is_known(const struct siblings_list *list, uint64_t now_ms)
{
	struct siblings_walk by_id = {.key = list->id};
	const struct siblings_place *place;
	struct siblings_list old;

	atomic_store_explicit(&table.touched, true, memory_order_relaxed);
	while ((place = walk(&by_id)) != NULL) {
		if (atomic_load_explicit(&place->id, memory_order_relaxed) != list->id ||
		    !read_list(place, &old) || old.id != list->id || old.until_ms <= now_ms)
			continue;
		return !old.early && old.n == list->n &&
		       (old.more_until_ms == 0) == (list->more_until_ms == 0) &&
		       memcmp(old.dests, list->dests, old.n * sizeof old.dests[0]) == 0 &&
		       old.until_ms >= list->until_ms - list->until_ms % 1024;
	}
	return false;
}

/* Of a place that has the id, or of any whose list is over. */
static enum siblings_claim claim(struct siblings_place *place, uint64_t id, uint64_t now_ms,
				 struct siblings_list *ret_old)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		uint32_t seq = atomic_fetch_or_explicit(&place->seq, 1, memory_order_acq_rel);

		if (seq & 1) {
			if (atomic_load_explicit(&place->id, memory_order_relaxed) == id)
				return SIBLINGS_BUSY;
			relax();
			continue;
		}
		load(place, ret_old);
		if (ret_old->until_ms > now_ms && ret_old->id != id) {
			atomic_store_explicit(&place->seq, seq, memory_order_release);
			return SIBLINGS_NO_ROOM;
		}
		atomic_store_explicit(&place->id, id, memory_order_release);
		return SIBLINGS_CLAIMED;
	}
	return SIBLINGS_NO_ROOM;
}

static void unclaim(struct siblings_place *place)
{
	uint32_t seq = atomic_load_explicit(&place->seq, memory_order_relaxed);

	atomic_store_explicit(&place->seq, seq + 1, memory_order_release);
}

static void drop(struct siblings_place *place)
{
	atomic_store_explicit(&place->until_ms, 0, memory_order_release);
	unclaim(place);
}

/* A place for an id that has none. */
static enum siblings_claim claim_new(uint64_t id, uint64_t now_ms,
				     struct siblings_place **ret_place,
				     struct siblings_list *ret_old)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t number = atomic_fetch_add(&table.next, 1) % PLACES;

		*ret_place = &table.places[number];
		if (claim(*ret_place, id, now_ms, ret_old) != SIBLINGS_CLAIMED)
			continue;
		if (index_add(id, *ret_place, now_ms))
			return SIBLINGS_CLAIMED;
		drop(*ret_place);
		break;
	}
	return SIBLINGS_NO_ROOM;
}

enum siblings_claim siblings_claim(uint64_t id, uint64_t now_ms, struct siblings_place **ret_place,
				   struct siblings_list *ret_old)
{
	struct siblings_walk by_id = {.key = id};
	struct siblings_place *place, *first = NULL;
	struct siblings_list other;

	while ((place = walk(&by_id)) != NULL) {
		enum siblings_claim r;

		if (place == first || atomic_load_explicit(&place->id, memory_order_relaxed) != id)
			continue;
		r = claim(place, id, now_ms, first == NULL ? ret_old : &other);
		if (r == SIBLINGS_BUSY && first == NULL)
			return r;
		if (r != SIBLINGS_CLAIMED)
			continue;
		if (first == NULL)
			first = place;
		else
			drop(place); /* two threads have noted the name for the first time */
	}
	if (first == NULL)
		return claim_new(id, now_ms, ret_place, ret_old);
	*ret_place = first;
	return SIBLINGS_CLAIMED;
}

void siblings_publish(struct siblings_place *place, const struct siblings_list *list,
		      uint64_t now_ms)
{
	uint64_t words[SIBLINGS_MAX * DEST_WORDS];

	memcpy(words, list->dests, list->n * sizeof(struct order_dest));
	for (size_t i = 0; i < list->n * DEST_WORDS; i++)
		atomic_store_explicit(&place->words[i], words[i], memory_order_release);
	atomic_store_explicit(&place->n, list->n, memory_order_release);
	atomic_store_explicit(&place->early, list->early, memory_order_release);
	atomic_store_explicit(&place->until_ms, list->until_ms, memory_order_release);
	atomic_store_explicit(&place->more_until_ms, list->more_until_ms, memory_order_release);
	unclaim(place);
	for (unsigned i = 0; i < list->n && !list->early; i++)
		if (!index_add(key_of(&list->dests[i]), place, now_ms))
			siblings_bar(&list->dests[i], now_ms, list->until_ms);
}

/* ---- addresses ---- */

static _Atomic uint64_t *bar_of(const struct order_dest *dest)
{
	return &barred_until_ms[key_of(dest) % BARS];
}

static void close_for_a_while(uint64_t now_ms)
{
	atomic_store(&unsure_until_ms, now_ms + 2 * SIBLINGS_HOLD_MS);
	atomic_store(&siblings_closed_until_ms, now_ms + SIBLINGS_HOLD_MS);
	atomic_store(&bars, 1);
}

void siblings_bar(const struct order_dest *dest, uint64_t now_ms, uint64_t until_ms)
{
	_Atomic uint64_t *bar = bar_of(dest);
	uint64_t old = atomic_load(bar);

	if (old <= now_ms && atomic_fetch_add(&bars, 1) == BARS_MAX)
		close_for_a_while(now_ms);
	while (old < until_ms && !atomic_compare_exchange_weak(bar, &old, until_ms))
		;
}

bool siblings_walk_start(struct siblings_walk *walk, const struct order_dest *dest, uint64_t now_ms)
{
	*walk = (struct siblings_walk){.key = key_of(dest)};
	if (atomic_load(&bars) == 0)
		return true; /* a page less to touch */
	return atomic_load(&unsure_until_ms) <= now_ms && atomic_load(bar_of(dest)) <= now_ms;
}

enum siblings_found siblings_walk_next(struct siblings_walk *by_addr, const struct order_dest *dest,
				       uint64_t now_ms, struct siblings_list *ret)
{
	const struct siblings_place *place;

	while ((place = walk(by_addr)) != NULL) {
		if (!read_list(place, ret))
			return SIBLINGS_UNKNOWN;
		if (!ret->early && ret->until_ms > now_ms && siblings_list_has(ret, dest))
			return SIBLINGS_FOUND;
	}
	return SIBLINGS_END;
}
