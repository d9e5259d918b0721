// SPDX-License-Identifier: MIT
/*
 * upstream_stats.h - what has come of the packets of all processes of this user, by server and
 * transport, and how long answers took: a page of the cache (cache_region.h).
 *
 *	at 0	the times of answers: a word for each bucket of upstream_stats_ms[], one for what
 *		is longer than the last, and their sum in ms
 *	at 128	31 servers, 128 bytes each
 *
 * A server's place is its own for as long as the file lives; when all are taken, what comes of
 * others is not counted. Words count up and wrap at 2^64, but for the round trip, smoothed over all
 * who ask. A server of the same name in another network or namespace is taken for the same.
 * Everything there is hostile: a name may be any bytes, a count any number. Nothing is decided by
 * it, but how soon a process that has had no answer yet asks again (resolver/upstream.h).
 *
 * Any thread; wait-free. The caller keeps the cache open.
 */
#ifndef NOBLOCKDNS_UPSTREAM_STATS_H
#define NOBLOCKDNS_UPSTREAM_STATS_H

#include "resolver/resolver.h"
#include "shim/cache_region.h"

#include <stdatomic.h>
#include <stdint.h>

#define UPSTREAM_STATS_BUCKETS 12 /* longest time that counts there, in ms */
#define UPSTREAM_STATS_SERVERS 31
#define UPSTREAM_STATS_NAME    64 /* bytes; longer ones are cut, NULs up to the end */

extern const uint16_t upstream_stats_ms[UPSTREAM_STATS_BUCKETS];

enum upstream_count {
	UPSTREAM_ASKED,
	UPSTREAM_HEARD,
	UPSTREAM_UNHEARD,
	UPSTREAM_HANDSHAKES,
	UPSTREAM_RESUMED, /* of the handshakes */
	UPSTREAM_COUNTS
};

struct upstream_stats_server {
	_Atomic uint64_t key; /* of name and transport; 0: free */
	_Atomic uint64_t transport;
	_Atomic uint64_t name[UPSTREAM_STATS_NAME / 8];
	_Atomic uint64_t counts[UPSTREAM_COUNTS];
	_Atomic uint64_t srtt_ms; /* 0: not known */
};

struct upstream_stats {
	_Atomic uint64_t took[UPSTREAM_STATS_BUCKETS + 1];
	_Atomic uint64_t sum_ms;
	_Atomic uint64_t spare[2];
	struct upstream_stats_server servers[UPSTREAM_STATS_SERVERS];
};

static_assert(sizeof(struct upstream_stats) == CACHE_PAGE, "the layout of the shared file");

static inline struct upstream_stats *upstream_stats_of(const struct cache *cache)
{
	return cache_region_stats(cache);
}

void upstream_stats_note(const struct cache *cache, const struct resolver_event *event);

/* The server's smoothed round trip, at most a minute; 0: not known. */
uint32_t upstream_stats_round_trip(const struct cache *cache, const char *upstream,
				   enum resolver_transport transport);

#endif
