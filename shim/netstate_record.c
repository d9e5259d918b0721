// SPDX-License-Identifier: MIT
/* netstate_record.c - see netstate_record.h. */
#include "shim/netstate_record.h"

#include "shim/cache_region.h"
#include "shim/hash.h"

#include <assert.h>
#include <stdatomic.h>

/* The check is of the words behind it; BEGIN, of which each value is one whole, is not among them.
 */
enum word { CHECK, NETNS, ADDRESSES, ROUTES, PLACE, WHEN, NWORDS, BEGIN = NWORDS };

/* WHEN: time << 2 | flags */
#define FLAG_IPV4 1u
#define FLAG_IPV6 2u

/* BEGIN: time << 24 | bits of the place, never 0; 0: nothing is known */
#define PLACE_BITS 24

struct record {
	_Atomic uint64_t words[8]; /* a cache line; by enum word, the last one unused */
};

#define RECORDS (CACHE_REGION_NETWORKS_LEN / sizeof(struct record))

static_assert(sizeof(struct record) == 64, "the layout of the shared file");

static uint64_t word_of(const struct record *record, enum word word)
{
	return atomic_load_explicit(&record->words[word], memory_order_relaxed);
}

static void set_word(struct record *record, enum word word, uint64_t value)
{
	atomic_store_explicit(&record->words[word], value, memory_order_relaxed);
}

/* ---- the record of a namespace ---- */

static struct record *find(const struct cache *cache, uint64_t netns)
{
	struct record *records = cache_region_records(cache);
	size_t home = hash_fold(netns ^ HASH_K0, HASH_K1) % RECORDS;

	for (size_t i = 0; i < RECORDS; i++) {
		struct record *record = &records[(home + i) % RECORDS];

		if (word_of(record, NETNS) == netns)
			return record;
	}
	return NULL;
}

/* If need be in the place of the one that was written longest ago, or never. */
static struct record *claim(const struct cache *cache, uint64_t netns)
{
	struct record *oldest = find(cache, netns), *records = cache_region_records(cache);

	if (oldest != NULL)
		return oldest;
	oldest = records;
	for (size_t i = 1; i < RECORDS; i++)
		if (word_of(&records[i], WHEN) < word_of(oldest, WHEN))
			oldest = &records[i];
	set_word(oldest, BEGIN, 0);
	set_word(oldest, NETNS, netns);
	return oldest;
}

static uint64_t check_of(const uint64_t words[NWORDS])
{
	return hash_bytes(words + NETNS, (NWORDS - NETNS) * sizeof *words, HASH_K3);
}

/* ---- since when ---- */

static uint64_t begin_of(uint64_t place, uint64_t since_ms)
{
	uint64_t bits = place & ((1u << PLACE_BITS) - 1);

	return since_ms << PLACE_BITS | (bits != 0 ? bits : 1);
}

static bool is_at(uint64_t word, uint64_t place)
{
	return word << (64 - PLACE_BITS) == begin_of(place, 0) << (64 - PLACE_BITS);
}

static uint64_t begin(struct record *record, uint64_t place, uint64_t now_ms)
{
	uint64_t old = word_of(record, BEGIN), since_ms;

	do {
		since_ms = old >> PLACE_BITS;
		if (is_at(old, place) && since_ms <= now_ms)
			return since_ms;
		since_ms = old == 0 ? 0 : now_ms;
	} while (!atomic_compare_exchange_strong(&record->words[BEGIN], &old,
						 begin_of(place, since_ms)));
	return since_ms;
}

uint64_t netstate_record_since(const struct cache *cache, uint64_t netns, uint64_t now_ms)
{
	const struct record *record = find(cache, netns);
	uint64_t since_ms = record == NULL ? 0 : word_of(record, BEGIN) >> PLACE_BITS;

	return since_ms <= now_ms ? since_ms : 0;
}

/* ---- the whole ---- */

bool netstate_record_read(const struct cache *cache, uint64_t netns, uint64_t now_ms,
			  uint64_t max_age_ms, struct network *ret, uint64_t *ret_checked_ms)
{
	const struct record *record = find(cache, netns);
	uint64_t words[NWORDS + 1], checked_ms, since_ms;

	if (record == NULL)
		return false;
	for (int i = 0; i <= NWORDS; i++)
		words[i] = word_of(record, (enum word)i);
	checked_ms = words[WHEN] >> 2;
	since_ms = words[BEGIN] >> PLACE_BITS;
	if (words[NETNS] != netns || checked_ms > now_ms || now_ms - checked_ms >= max_age_ms ||
	    words[CHECK] != check_of(words) || !is_at(words[BEGIN], words[PLACE]) ||
	    since_ms > now_ms)
		return false;
	*ret = (struct network){.netns = netns,
				.addresses = words[ADDRESSES],
				.routes = words[ROUTES],
				.place = words[PLACE],
				.since_ms = since_ms,
				.seen_ipv4 = words[WHEN] & FLAG_IPV4,
				.seen_ipv6 = words[WHEN] & FLAG_IPV6};
	*ret_checked_ms = checked_ms;
	return true;
}

uint64_t netstate_record_write(const struct cache *cache, const struct network *network,
			       uint64_t checked_ms)
{
	struct record *record = claim(cache, network->netns);
	uint64_t since_ms = begin(record, network->place, checked_ms);
	uint64_t words[NWORDS] = {
		[NETNS] = network->netns,
		[ADDRESSES] = network->addresses,
		[ROUTES] = network->routes,
		[PLACE] = network->place,
		[WHEN] = checked_ms << 2 | (network->seen_ipv4 ? FLAG_IPV4 : 0) |
			 (network->seen_ipv6 ? FLAG_IPV6 : 0),
	};

	words[CHECK] = check_of(words);
	for (int i = 0; i < NWORDS; i++)
		set_word(record, (enum word)i, words[i]);
	return since_ms;
}
