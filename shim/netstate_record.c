// SPDX-License-Identifier: MIT
/* netstate_record.c - see netstate_record.h. */
#include "shim/netstate_record.h"

#include "shim/cache_region.h"
#include "shim/hash.h"

#include <assert.h>
#include <stdatomic.h>

enum word { CHECK, NETNS, ADDRESSES, ROUTES, WHEN, NWORDS };

/* WHEN: time << 2 | flags */
#define FLAG_IPV4 1u
#define FLAG_IPV6 2u

struct record {
	_Atomic uint64_t words[8]; /* a cache line; by enum word, the last three unused */
};

#define RECORDS (CACHE_REGION_NETWORKS_LEN / sizeof(struct record))

static_assert(sizeof(struct record) == 64, "the layout of the shared file");

static struct record *record_of(const struct cache *cache, uint64_t netns)
{
	struct record *records = cache_region_records(cache);

	return &records[hash_fold(netns ^ HASH_K0, HASH_K1) % RECORDS];
}

static uint64_t check_of(const uint64_t words[NWORDS])
{
	return hash_bytes(words + NETNS, (NWORDS - NETNS) * sizeof *words, HASH_K3);
}

bool netstate_record_read(const struct cache *cache, uint64_t netns, uint64_t now_ms,
			  uint64_t max_age_ms, struct network *ret, uint64_t *ret_checked_ms)
{
	struct record *record = record_of(cache, netns);
	uint64_t words[NWORDS], checked_ms;

	for (int i = 0; i < NWORDS; i++)
		words[i] = atomic_load_explicit(&record->words[i], memory_order_relaxed);
	checked_ms = words[WHEN] >> 2;
	if (words[NETNS] != netns || checked_ms > now_ms || now_ms - checked_ms >= max_age_ms ||
	    words[CHECK] != check_of(words))
		return false;
	*ret = (struct network){.netns = netns,
				.addresses = words[ADDRESSES],
				.routes = words[ROUTES],
				.seen_ipv4 = words[WHEN] & FLAG_IPV4,
				.seen_ipv6 = words[WHEN] & FLAG_IPV6};
	*ret_checked_ms = checked_ms;
	return true;
}

void netstate_record_write(const struct cache *cache, const struct network *network,
			   uint64_t checked_ms)
{
	struct record *record = record_of(cache, network->netns);
	uint64_t words[NWORDS] = {
		[NETNS] = network->netns,
		[ADDRESSES] = network->addresses,
		[ROUTES] = network->routes,
		[WHEN] = checked_ms << 2 | (network->seen_ipv4 ? FLAG_IPV4 : 0) |
			 (network->seen_ipv6 ? FLAG_IPV6 : 0),
	};

	words[CHECK] = check_of(words);
	for (int i = 0; i < NWORDS; i++)
		atomic_store_explicit(&record->words[i], words[i], memory_order_relaxed);
}
