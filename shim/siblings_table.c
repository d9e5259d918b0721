// SPDX-License-Identifier: MIT
/*
 * siblings_table.c - see siblings_table.h.
 *
 * Places are used one after the other, and each is guarded by a sequence of its own: odd while it
 * is claimed. One that is claimed is looked at again a few times and not waited for: the claimer
 * may be the thread that this signal handler interrupts, or, in a forked child, may never come
 * back.
 */
#include "shim/siblings_table.h"

#include "shim/siblings_index.h"

#include <stddef.h>
#include <string.h>

#define LOOKS 64 /* at a place that is claimed */
#define TRIES 16 /* to find a free place */

_Static_assert(sizeof(struct order_dest) == 24, "addresses are copied word by word");

struct siblings_memory siblings_memory;

_Static_assert(offsetof(struct siblings_memory, places) == 2048, "one page with the first lists");

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* ---- lists ---- */

bool siblings_list_has(const struct siblings_list *list, const struct order_dest *dest)
{
	for (unsigned i = 0; i < list->n; i++)
		if (order_dest_same(&list->dests[i], dest))
			return true;
	return false;
}

/* What stands there, be it half written. */
static void load(const struct siblings_place *place, struct siblings_list *ret)
{
	ret->n = atomic_load_explicit(&place->n, memory_order_acquire);
	ret->early = atomic_load_explicit(&place->early, memory_order_acquire);
	ret->id = atomic_load_explicit(&place->id, memory_order_acquire);
	ret->until_ms = atomic_load_explicit(&place->until_ms, memory_order_acquire);
	ret->more_until_ms = atomic_load_explicit(&place->more_until_ms, memory_order_acquire);
	for (size_t i = 0; i < ret->n * SIBLINGS_DEST_WORDS; i++) {
		uint64_t word = atomic_load_explicit(&place->words[i], memory_order_acquire);

		memcpy((char *)ret->dests + i * sizeof word, &word, sizeof word);
	}
}

bool siblings_read(const struct siblings_place *place, struct siblings_list *ret)
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

/* ---- places ---- */

bool siblings_is_known(const struct siblings_list *list, uint64_t now_ms)
{
	struct siblings_walk by_id = {.key = list->id};
	const struct siblings_place *place;
	struct siblings_list old;

	atomic_store_explicit(&siblings_memory.touched, true, memory_order_relaxed);
	while ((place = siblings_index_walk(&by_id)) != NULL) {
		if (atomic_load_explicit(&place->id, memory_order_relaxed) != list->id ||
		    !siblings_read(place, &old) || old.id != list->id || old.until_ms <= now_ms)
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
		uint32_t number = atomic_fetch_add(&siblings_memory.next, 1) % SIBLINGS_PLACES;

		*ret_place = &siblings_memory.places[number];
		if (claim(*ret_place, id, now_ms, ret_old) != SIBLINGS_CLAIMED)
			continue;
		if (siblings_index_add(id, *ret_place, now_ms))
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

	while ((place = siblings_index_walk(&by_id)) != NULL) {
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
	uint64_t words[SIBLINGS_MAX * SIBLINGS_DEST_WORDS];

	memcpy(words, list->dests, list->n * sizeof(struct order_dest));
	for (size_t i = 0; i < list->n * SIBLINGS_DEST_WORDS; i++)
		atomic_store_explicit(&place->words[i], words[i], memory_order_release);
	atomic_store_explicit(&place->n, list->n, memory_order_release);
	atomic_store_explicit(&place->early, list->early, memory_order_release);
	atomic_store_explicit(&place->until_ms, list->until_ms, memory_order_release);
	atomic_store_explicit(&place->more_until_ms, list->more_until_ms, memory_order_release);
	unclaim(place);
	for (unsigned i = 0; i < list->n && !list->early; i++)
		if (!siblings_index_add(siblings_key_of(&list->dests[i]), place, now_ms))
			siblings_bar(&list->dests[i], now_ms, list->until_ms);
}

enum siblings_found siblings_walk_next(struct siblings_walk *by_addr, const struct order_dest *dest,
				       uint64_t now_ms, struct siblings_list *ret)
{
	const struct siblings_place *place;

	while ((place = siblings_index_walk(by_addr)) != NULL) {
		if (!siblings_read(place, ret))
			return SIBLINGS_UNKNOWN;
		if (!ret->early && ret->until_ms > now_ms && siblings_list_has(ret, dest))
			return SIBLINGS_FOUND;
	}
	return SIBLINGS_END;
}
