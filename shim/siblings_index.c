// SPDX-License-Identifier: MIT
/* siblings_index.c - see siblings_index.h. */
#include "shim/siblings_index.h"

#include "shim/hash.h"
#include "shim/hot.h"

#define LARGE	 8192
#define BARS	 16384
#define BARS_MAX (BARS / 4)
#define LANES	 4			  /* of 16 bits, in a word of a bucket */
#define LEVEL	 (SIBLINGS_WORDS * LANES) /* lanes that one key has in a level */

_Static_assert(SIBLINGS_PLACES < UINT16_MAX, "numbers fit a lane");

static struct siblings_bucket large[LARGE];
static _Atomic uint64_t barred_until_ms[BARS];
static HOT _Atomic uint32_t bars; /* how many were set, until there are too many */
static HOT _Atomic uint64_t unsure_until_ms;

HOT _Atomic uint64_t siblings_closed_until_ms;

uint64_t siblings_key_of(const struct order_dest *dest)
{
	return hash_bytes(dest->addr, sizeof dest->addr, HASH_K0);
}

static struct siblings_bucket *bucket_at(uint64_t key, unsigned level)
{
	return level == 0 ? &siblings_memory.small[key % SIBLINGS_SMALL]
			  : &large[(key >> 32) % LARGE];
}

static unsigned lane_of(uint64_t word, unsigned i)
{
	return (unsigned)(word >> 16 * i) & UINT16_MAX;
}

struct siblings_place *siblings_index_walk(struct siblings_walk *walk)
{
	while (walk->lane < 2 * LEVEL) {
		unsigned level = walk->lane / LEVEL, lane = walk->lane++ % LEVEL;
		unsigned number = lane_of(
			atomic_load_explicit(&bucket_at(walk->key, level)->words[lane / LANES],
					     memory_order_acquire),
			lane % LANES);

		if (number == 0)
			break; /* nothing ever needed the room behind it */
		return &siblings_memory.places[number - 1];
	}
	return NULL;
}

/* Does the list there hold, and belong into this bucket? Being written counts as yes. */
static bool is_live(unsigned number, const struct siblings_bucket *bucket, unsigned level,
		    uint64_t now_ms)
{
	struct siblings_list list;

	if (!siblings_read(&siblings_memory.places[number], &list))
		return true;
	if (list.until_ms <= now_ms)
		return false;
	if (bucket_at(list.id, level) == bucket)
		return true;
	for (unsigned i = 0; i < list.n; i++)
		if (bucket_at(siblings_key_of(&list.dests[i]), level) == bucket)
			return true;
	return false;
}

enum added { ADDED, FULL, CHANGED };

/* Into one word: where it is already, or a lane of no list that holds. */
static enum added add_to_word(struct siblings_bucket *bucket, unsigned level, unsigned at,
			      unsigned number, uint64_t now_ms)
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

bool siblings_index_add(uint64_t key, const struct siblings_place *place, uint64_t now_ms)
{
	unsigned number = (unsigned)(place - siblings_memory.places);

	for (unsigned i = 0; i < 2 * SIBLINGS_WORDS;) {
		unsigned level = i / SIBLINGS_WORDS;

		switch (add_to_word(bucket_at(key, level), level, i % SIBLINGS_WORDS, number,
				    now_ms)) {
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

/* ---- bars ---- */

static _Atomic uint64_t *bar_of(const struct order_dest *dest)
{
	return &barred_until_ms[siblings_key_of(dest) % BARS];
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
	*walk = (struct siblings_walk){.key = siblings_key_of(dest)};
	if (atomic_load(&bars) == 0)
		return true; /* a page less to touch */
	return atomic_load(&unsure_until_ms) <= now_ms && atomic_load(bar_of(dest)) <= now_ms;
}
