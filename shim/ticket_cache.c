// SPDX-License-Identifier: MIT
/*
 * ticket_cache.c - a set-associative table of tickets, one page each, under the slots' own lock
 * (cache_slot.h).
 *
 *	word 0	check: hash of all the others, never 0; 0: the slot is empty
 *	word 1	key
 *	word 2	when it was put, CLOCK_BOOTTIME in ms
 *	word 3	when it expires
 *	word 4	length of the ticket in bytes
 *	word 5	the ticket, and zeros up to the last word
 *
 * The lock alone does not give a ticket to one process only: a process that was stopped while it
 * held it loses it after SLOT_STALE_MS, and goes on some time later as if it had not. So who takes
 * a ticket
 *
 *	1. locks, copies, checks the copy;
 *	2. exchanges the check that belongs to the copy for 0; who fails has lost it to another;
 *	3. wipes the rest and unlocks.
 *
 * Who puts one stores 0 first and the check last, and every word in between, so that nothing is
 * left of the ticket before. Killed at any instruction, it leaves a slot that is empty or has the
 * wrong check. A writer that was stopped, and goes on in a slot that is no longer its own, spoils
 * the ticket there, whose check is then wrong; it cannot bring back one that was taken, since that
 * had all its words in place, and the writer none left to store.
 */
#include "shim/ticket_cache.h"

#include "resolver/resolver.h"
#include "shim/cache_region.h"
#include "shim/cache_slot.h"
#include "shim/hash.h"

#include <errno.h>
#include <string.h>

#define WAYS	      8
#define LOCAL_TICKETS 8
#define SEED	      UINT64_C(0x7469636b65747321) /* of the checks */

enum word { CHECK, KEY, PUT_MS, EXPIRY_MS, LEN, BODY, WORDS = BODY + RESOLVER_TICKET_MAX / 8 };

_Static_assert(RESOLVER_TICKET_MAX % 8 == 0, "whole words");
_Static_assert(sizeof(struct cache_slot) + WORDS * sizeof(uint64_t) <= CACHE_PAGE, "one page");
_Static_assert(TICKETS_PER_KEY <= WAYS, "a key has one set");

/* One ticket, as words of the slot, in memory of our own. */
struct ticket {
	uint64_t words[WORDS];
};

/* The slots in which a key may have its tickets. */
struct set {
	struct cache *cache; /* NULL: those of this process */
	unsigned first, ways;
};

/* A slot of our own. */
union page {
	struct cache_slot slot;
	uint64_t room[CACHE_PAGE / 8];
};

/* io thread only. Pages that no ticket needs are never touched. */
static union page local[LOCAL_TICKETS];
static bool local_used;

static struct set set_of(struct cache *cache, uint64_t key)
{
	bool shared = cache != NULL && cache_backing(cache) == CACHE_SHARED;
	unsigned n = shared ? cache_region_ntickets(cache) : LOCAL_TICKETS;
	unsigned ways = n < WAYS ? n : WAYS;
	uint64_t hash = hash_fold(key ^ HASH_K0, HASH_K1) >> 32;

	return (struct set){shared ? cache : NULL, (unsigned)(hash * (n / ways) >> 32) * ways,
			    ways};
}

/* NULL where nobody has put a ticket yet. */
static struct cache_slot *find(const struct set *set, unsigned way)
{
	if (set->cache == NULL)
		return &local[set->first + way].slot;
	return cache_region_find(set->cache, cache_region_ticket_at(set->cache, set->first + way));
}

/* NULL where there is no memory. */
static struct cache_slot *claim(const struct set *set, unsigned way)
{
	if (set->cache == NULL) {
		local_used = true;
		return find(set, way);
	}
	return cache_region_claim(set->cache, cache_region_ticket_at(set->cache, set->first + way));
}

/* ---- one slot ---- */

static uint64_t get(const struct cache_slot *slot, unsigned word)
{
	return atomic_load_explicit(&slot->words[word], memory_order_acquire);
}

static void put(struct cache_slot *slot, unsigned word, uint64_t value)
{
	atomic_store_explicit(&slot->words[word], value, memory_order_release);
}

static uint64_t check_of(const struct ticket *t)
{
	uint64_t check = hash_bytes(&t->words[KEY], sizeof t->words - sizeof t->words[CHECK], SEED);

	return check != 0 ? check : 1;
}

/* Within its time, and that one that a server may give? */
static bool is_time(uint64_t put_ms, uint64_t expiry_ms, uint64_t now_ms)
{
	return put_ms <= now_ms && now_ms < expiry_ms &&
	       expiry_ms - put_ms <= (uint64_t)TICKET_LIFETIME_MAX_S * 1000;
}

/* Looked at without the lock it is a hint. */
static bool is_alive(const struct cache_slot *slot, uint64_t now_ms)
{
	return get(slot, CHECK) != 0 && is_time(get(slot, PUT_MS), get(slot, EXPIRY_MS), now_ms);
}

static bool is_whole(const struct ticket *t)
{
	return t->words[CHECK] == check_of(t) && t->words[LEN] > 0 &&
	       t->words[LEN] <= RESOLVER_TICKET_MAX;
}

static void wipe_locked(struct cache_slot *slot)
{
	for (unsigned i = 0; i < WORDS; i++)
		put(slot, i, 0);
}

/* Empties a slot whose ticket is over, unless somebody is busy with it. */
static void drop(struct cache_slot *slot, uint64_t now_ms)
{
	uint64_t token;

	if (slot_lock(slot, now_ms, &token) < 0)
		return;
	if (!is_alive(slot, now_ms))
		wipe_locked(slot);
	slot_unlock(slot, token);
}

/* 0 and the ticket, which nobody else will get; or -ENOENT. */
static int take_locked(struct cache_slot *slot, uint64_t key, uint64_t now_ms, struct ticket *ret)
{
	uint64_t check;
	int r = -ENOENT;

	for (unsigned i = 0; i < WORDS; i++)
		ret->words[i] = get(slot, i);
	check = ret->words[CHECK];
	if (is_whole(ret)) {
		if (ret->words[KEY] != key)
			return r; /* another's, put since we looked */
		if (is_time(ret->words[PUT_MS], ret->words[EXPIRY_MS], now_ms) &&
		    atomic_compare_exchange_strong_explicit(&slot->words[CHECK], &check, 0,
							    memory_order_acq_rel,
							    memory_order_relaxed))
			r = 0;
	}
	wipe_locked(slot);
	return r;
}

static void put_locked(struct cache_slot *slot, const struct ticket *t)
{
	put(slot, CHECK, 0);
	for (unsigned i = KEY; i < WORDS; i++)
		put(slot, i, t->words[i]);
	put(slot, CHECK, t->words[CHECK]);
}

/* ---- taking ---- */

/* The newest ticket of the key, of the ways whose bit in `tried` is clear. Empties what is over. */
static struct cache_slot *newest(const struct set *set, uint64_t key, uint64_t now_ms,
				 unsigned *tried)
{
	struct cache_slot *best = NULL;
	unsigned best_way = 0;

	for (unsigned way = 0; way < set->ways; way++) {
		struct cache_slot *slot = *tried & 1u << way ? NULL : find(set, way);

		if (slot == NULL || get(slot, CHECK) == 0)
			continue;
		if (!is_alive(slot, now_ms))
			drop(slot, now_ms);
		else if (get(slot, KEY) == key &&
			 (best == NULL || get(slot, PUT_MS) > get(best, PUT_MS))) {
			best = slot;
			best_way = way;
		}
	}
	*tried |= 1u << best_way;
	return best;
}

int ticket_take(struct cache *cache, uint64_t key, uint64_t now_ms, void *ret_ticket, unsigned size)
{
	const struct set set = set_of(cache, key);
	struct cache_slot *slot;
	struct ticket t = {0};
	unsigned tried = 0;
	uint64_t token;
	int r = -ENOENT;

	while (r < 0 && (slot = newest(&set, key, now_ms, &tried)) != NULL) {
		if (slot_lock(slot, now_ms, &token) < 0)
			continue;
		r = take_locked(slot, key, now_ms, &t);
		slot_unlock(slot, token);
	}
	if (r == 0 && t.words[LEN] > size)
		r = -ENOENT;
	if (r == 0) {
		r = (int)t.words[LEN];
		memcpy(ret_ticket, &t.words[BODY], (size_t)r);
	}
	explicit_bzero(&t, sizeof t);
	return r;
}

/* ---- putting ---- */

/* How dear a slot is; the least is overwritten. Empty ones that have memory come first, then those
 * that have none yet, then tickets, the oldest first. */
static uint64_t cost(const struct cache_slot *slot, uint64_t now_ms)
{
	if (slot == NULL)
		return 1;
	return is_alive(slot, now_ms) ? 2 + get(slot, PUT_MS) : 0;
}

static bool is_of(const struct cache_slot *slot, uint64_t key, uint64_t now_ms)
{
	return slot != NULL && is_alive(slot, now_ms) && get(slot, KEY) == key;
}

/* The way to be overwritten, of those whose bit in `tried` is clear; -1: none is left. A key that
 * has its number of tickets gives up one of its own. */
static int choose(const struct set *set, uint64_t key, uint64_t now_ms, unsigned *tried)
{
	uint64_t least = UINT64_MAX;
	unsigned own = 0;
	int best = -1;

	for (unsigned way = 0; way < set->ways; way++)
		own += is_of(find(set, way), key, now_ms);
	for (unsigned way = 0; way < set->ways; way++) {
		const struct cache_slot *slot = find(set, way);

		if (*tried & 1u << way || cost(slot, now_ms) >= least ||
		    (own >= TICKETS_PER_KEY && !is_of(slot, key, now_ms)))
			continue;
		least = cost(slot, now_ms);
		best = (int)way;
	}
	if (best >= 0)
		*tried |= 1u << best;
	return best;
}

static void fill(struct ticket *ret, uint64_t key, uint64_t now_ms, const void *ticket,
		 unsigned len, uint32_t lifetime_s)
{
	memset(ret, 0, sizeof *ret);
	ret->words[KEY] = key;
	ret->words[PUT_MS] = now_ms;
	ret->words[EXPIRY_MS] = now_ms + (uint64_t)lifetime_s * 1000;
	ret->words[LEN] = len;
	memcpy(&ret->words[BODY], ticket, len);
	ret->words[CHECK] = check_of(ret);
}

/* False: the slot cannot be had. */
static bool put_into(struct cache_slot *slot, const struct ticket *t, uint64_t now_ms)
{
	uint64_t token, seen = slot == NULL ? 0 : get(slot, CHECK);
	bool same;

	if (slot == NULL || slot_lock(slot, now_ms, &token) < 0)
		return false;
	same = get(slot, CHECK) == seen; /* or another was here first */
	if (same)
		put_locked(slot, t);
	slot_unlock(slot, token);
	return same;
}

void ticket_put(struct cache *cache, uint64_t key, uint64_t now_ms, const void *ticket,
		unsigned len, uint32_t lifetime_s)
{
	const struct set set = set_of(cache, key);
	struct ticket t;
	unsigned tried = 0;
	int way;

	if (len == 0 || len > RESOLVER_TICKET_MAX || lifetime_s == 0)
		return;
	fill(&t, key, now_ms, ticket, len,
	     lifetime_s < TICKET_LIFETIME_MAX_S ? lifetime_s : TICKET_LIFETIME_MAX_S);
	do
		way = choose(&set, key, now_ms, &tried);
	while (way >= 0 && !put_into(claim(&set, (unsigned)way), &t, now_ms));
	explicit_bzero(&t, sizeof t);
}

void ticket_reset(void)
{
	if (local_used)
		explicit_bzero(local, sizeof local);
	local_used = false;
}
