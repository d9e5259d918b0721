// SPDX-License-Identifier: MIT
/*
 * flood.h - names in use, by Zipf's law (exponent 1), and among them a flood of names that are
 * asked once: how many lookups the cache answers, beside an exact LRU list of as many entries as it
 * has slots.
 *
 * The cache is driven as lookups drive it: what is not there is stored, what has expired is stored
 * anew. Its clock is a fake one. Names need room in the proportion in which the file has it.
 * There is one seed, and nothing that depends on the machine but the time that is taken.
 *
 * For flood.c and the unit test of the same bound. One thread.
 */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include "shim/cache.h"
#include "shim/cache_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define FLOOD_START_MS UINT64_C(1000000000)
#define FLOOD_VIEW     UINT64_C(0x466c6f6f64)

struct flood_plan {
	unsigned names;	  /* in use */
	double skew;	  /* the exponent of Zipf's law */
	uint64_t lookups; /* of names in use; a tenth more comes first, uncounted */
	unsigned others;  /* names that are asked once, to one lookup of a name in use */
	unsigned gap_us;  /* of the fake clock, after each lookup */
	uint32_t ttl_s;	  /* of the names; half and double of it as well */
	bool nxdomain;	  /* the flood's names do not exist */
	uint64_t seed;
};

/* Lookups of names in use that were answered. */
struct flood_result {
	uint64_t hits;	     /* by the cache */
	uint64_t lru_hits;   /* by an LRU list that sees the same */
	uint64_t quiet_hits; /* by an LRU list that sees the names in use alone */
};

/* ---- numbers ---- */

static inline uint64_t flood_random(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Shares of the names up to each, of all that are asked. */
static inline double *flood_zipf_make(unsigned names)
{
	double *shares = malloc(names * sizeof *shares), sum = 0;

	for (unsigned i = 0; i < names; i++)
		shares[i] = sum += 1.0 / (i + 1);
	for (unsigned i = 0; i < names; i++)
		shares[i] /= sum;
	return shares;
}

static inline unsigned flood_zipf(const double *shares, unsigned names, uint64_t *random)
{
	double x = (double)(flood_random(random) >> 11) / (double)(UINT64_C(1) << 53);
	unsigned low = 0, high = names - 1;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (shares[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- the exact LRU list ---- */

struct flood_lru {
	unsigned room, used;
	unsigned *prev, *next; /* of each node; node 0 is the list's head */
	unsigned *name;	       /* of each node */
	unsigned *node;	       /* of each name in use; 0: not in the list */
	unsigned names;
};

static inline struct flood_lru flood_lru_make(unsigned room, unsigned names)
{
	return (struct flood_lru){.room = room,
				  .prev = calloc(room + 1, sizeof(unsigned)),
				  .next = calloc(room + 1, sizeof(unsigned)),
				  .name = calloc(room + 1, sizeof(unsigned)),
				  .node = calloc(names, sizeof(unsigned)),
				  .names = names};
}

static inline void flood_lru_free(struct flood_lru *l)
{
	free(l->prev);
	free(l->next);
	free(l->name);
	free(l->node);
}

static inline void flood_lru_unlink(struct flood_lru *l, unsigned node)
{
	l->next[l->prev[node]] = l->next[node];
	l->prev[l->next[node]] = l->prev[node];
}

static inline void flood_lru_push(struct flood_lru *l, unsigned node)
{
	l->next[node] = l->next[0];
	l->prev[node] = 0;
	l->prev[l->next[0]] = node;
	l->next[0] = node;
}

/* Asks for a name; one from `names` on is asked this once. True: it was there. */
static inline bool flood_lru_ask(struct flood_lru *l, unsigned name)
{
	unsigned node = name < l->names ? l->node[name] : 0;
	bool found = node != 0;

	if (!found && l->used < l->room) {
		node = ++l->used;
	} else {
		if (!found) {
			node = l->prev[0];
			if (l->name[node] < l->names)
				l->node[l->name[node]] = 0;
		}
		flood_lru_unlink(l, node);
	}
	flood_lru_push(l, node);
	l->name[node] = name;
	if (name < l->names)
		l->node[name] = node;
	return found;
}

/* ---- the cache ---- */

static inline unsigned flood_slots(const struct cache *cache, int class)
{
	return cache->classes[class].nsets * cache->classes[class].ways;
}

static inline unsigned flood_entries(const struct cache *cache)
{
	unsigned n = 0;

	for (int i = 0; i < CACHE_NCLASSES; i++)
		n += flood_slots(cache, i);
	return n;
}

/* How many addresses of each family the name has: by chance, and the same each time, so that the
 * classes are asked for in proportion to their slots. */
static inline unsigned flood_naddrs(const struct cache *cache, unsigned number)
{
	static const unsigned naddrs[CACHE_NCLASSES] = {1, 7, 25, 200};
	uint64_t state = number;
	unsigned at = (unsigned)(flood_random(&state) % flood_entries(cache));

	for (int i = 0; i < CACHE_NCLASSES; i++) {
		unsigned slots = flood_slots(cache, i);

		if (at < slots)
			return naddrs[i];
		at -= slots;
	}
	return naddrs[0];
}

static inline void flood_store(struct cache *cache, const struct flood_plan *plan, uint64_t hash,
			       const char *name, size_t len, unsigned number, uint64_t now_ms)
{
	static const unsigned char addrs[200 * 16];
	static _Alignas(ENTRY_ALIGN) unsigned char blob[CACHE_ENTRY_MAX];
	const struct entry_rrset rr = {.kind = RESOLVER_ANSWER,
				       .ttl_s = plan->ttl_s / 2 << number % 3,
				       .stored_ms = now_ms,
				       .nnames = 1,
				       .names = name,
				       .names_len = len + 1,
				       .naddrs = flood_naddrs(cache, number),
				       .addrs = addrs};
	struct entry entry = {.view = FLOOD_VIEW, .name = name, .name_len = len, .rr = {rr, rr}};
	ssize_t size;

	if (plan->nxdomain && number >= plan->names)
		for (int t = 0; t < ENTRY_NTYPES; t++)
			entry.rr[t] = (struct entry_rrset){.kind = RESOLVER_NXDOMAIN,
							   .ttl_s = plan->ttl_s,
							   .stored_ms = now_ms};
	size = entry_encode(&entry, blob, sizeof blob);
	if (size > 0)
		(void)cache_store(cache, hash, blob, (size_t)size, now_ms);
}

/* True: it was there, expired or not. */
static inline bool flood_ask(struct cache *cache, const struct flood_plan *plan, unsigned number,
			     uint64_t now_ms)
{
	static _Alignas(ENTRY_ALIGN) unsigned char room[CACHE_ENTRY_MAX];
	char name[64];
	size_t len = (size_t)snprintf(name, sizeof name, "h%u.example.com", number), need;
	uint64_t hash = cache_hash(cache, FLOOD_VIEW, name, len);
	struct entry entry;
	bool found = cache_lookup(cache, hash, FLOOD_VIEW, name, len, room, sizeof room, &entry,
				  &need) == 0;

	if (found)
		cache_touch(&entry);
	if (!found || !entry_has_fresh(&entry, 3, now_ms))
		flood_store(cache, plan, hash, name, len, number, now_ms);
	return found;
}

/* ---- both ---- */

struct flood {
	struct cache *cache; /* borrowed */
	struct flood_plan plan;
	struct flood_lru lru, quiet;
	double *shares;
	uint64_t random, now_us;
	unsigned other; /* the next name that is asked for once */
};

static inline struct flood flood_begin(struct cache *cache, const struct flood_plan *plan)
{
	unsigned entries = flood_entries(cache);

	return (struct flood){.cache = cache,
			      .plan = *plan,
			      .lru = flood_lru_make(entries, plan->names),
			      .quiet = flood_lru_make(entries, plan->names),
			      .shares = flood_zipf_make(plan->names),
			      .random = plan->seed,
			      .now_us = FLOOD_START_MS * 1000,
			      .other = plan->names};
}

/* So many lookups of names in use, and what comes in between. Adds to `sum`. */
static inline void flood_step(struct flood *f, uint64_t lookups, struct flood_result *sum)
{
	for (uint64_t i = 0; i < lookups; i++, f->now_us += f->plan.gap_us) {
		unsigned number = flood_zipf(f->shares, f->plan.names, &f->random);
		uint64_t now_ms = f->now_us / 1000;

		sum->hits += flood_ask(f->cache, &f->plan, number, now_ms);
		sum->lru_hits += flood_lru_ask(&f->lru, number);
		sum->quiet_hits += flood_lru_ask(&f->quiet, number);
		for (unsigned k = 0; k < f->plan.others; k++, f->other++) {
			flood_ask(f->cache, &f->plan, f->other, now_ms);
			flood_lru_ask(&f->lru, f->other);
		}
	}
}

static inline void flood_end(struct flood *f)
{
	free(f->shares);
	flood_lru_free(&f->lru);
	flood_lru_free(&f->quiet);
}

/* The whole of a plan; a tenth more comes first and does not count. */
static inline struct flood_result flood_run(struct cache *cache, const struct flood_plan *plan)
{
	struct flood f = flood_begin(cache, plan);
	struct flood_result first = {0}, ret = {0};

	flood_step(&f, plan->lookups / 10, &first);
	flood_step(&f, plan->lookups, &ret);
	flood_end(&f);
	return ret;
}

#endif
