// SPDX-License-Identifier: MIT
/* upstream_stats.c - see upstream_stats.h. */
#include "shim/upstream_stats.h"

#include "shim/hash.h"

#include <string.h>

#define SRTT_MAX_MS 60000 /* beyond it is damage */

const uint16_t upstream_stats_ms[UPSTREAM_STATS_BUCKETS] = {1,	 2,   5,   10,	 20,   50,
							    100, 200, 500, 1000, 2000, 5000};

static void add(_Atomic uint64_t *word, uint64_t n)
{
	atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

/* Its name is written by whoever has taken the place, and again by all who come until it is there:
 * the first may have been killed. */
static void introduce(struct upstream_stats_server *s, const struct resolver_event *event)
{
	uint64_t words[UPSTREAM_STATS_NAME / 8] = {0};

	if (atomic_load_explicit(&s->name[0], memory_order_relaxed) != 0)
		return;
	strncpy((char *)words, event->upstream, sizeof words - 1);
	atomic_store_explicit(&s->transport, event->transport, memory_order_relaxed);
	for (unsigned i = sizeof words / 8; i-- > 0;)
		atomic_store_explicit(&s->name[i], words[i], memory_order_relaxed);
}

static uint64_t key_of(const char *upstream, enum resolver_transport transport)
{
	return hash_bytes(upstream, strlen(upstream), transport) | 1;
}

/* NULL: there is no place left. */
static struct upstream_stats_server *claim(struct upstream_stats *stats,
					   const struct resolver_event *event)
{
	uint64_t key = key_of(event->upstream, event->transport);

	for (unsigned i = 0; i < UPSTREAM_STATS_SERVERS; i++) {
		struct upstream_stats_server *s = &stats->servers[i];
		uint64_t was = 0;

		if (atomic_compare_exchange_strong(&s->key, &was, key) || was == key) {
			introduce(s, event);
			return s;
		}
	}
	return NULL;
}

static void note_time(struct upstream_stats *stats, uint32_t ms)
{
	unsigned bucket = 0;

	if (ms == RESOLVER_MS_UNKNOWN)
		return;
	while (bucket < UPSTREAM_STATS_BUCKETS && ms > upstream_stats_ms[bucket])
		bucket++;
	add(&stats->took[bucket], 1);
	add(&stats->sum_ms, ms);
}

/* Of two who do it at once one may be left out. A program that is over soon has one sample, and a
 * name that its server had to ask for long is not to count as the server's distance. */
static void note_round_trip(struct upstream_stats_server *s, uint32_t srtt_ms)
{
	uint64_t was = atomic_load_explicit(&s->srtt_ms, memory_order_relaxed);

	if (srtt_ms == 0)
		return;
	if (was == 0 || was > SRTT_MAX_MS)
		was = srtt_ms;
	atomic_store_explicit(&s->srtt_ms, (7 * was + srtt_ms + 4) / 8, memory_order_relaxed);
}

void upstream_stats_note(const struct cache *cache, const struct resolver_event *event)
{
	static const enum upstream_count counts[] = {
		[RESOLVER_ASKED] = UPSTREAM_ASKED,
		[RESOLVER_HEARD] = UPSTREAM_HEARD,
		[RESOLVER_UNHEARD] = UPSTREAM_UNHEARD,
		[RESOLVER_HANDSHAKE] = UPSTREAM_HANDSHAKES,
	};
	struct upstream_stats *stats = upstream_stats_of(cache);
	struct upstream_stats_server *s = claim(stats, event);

	if (event->kind == RESOLVER_HEARD)
		note_time(stats, event->ms);
	if (s == NULL)
		return;
	add(&s->counts[counts[event->kind]], 1);
	if (event->kind == RESOLVER_HEARD)
		note_round_trip(s, event->srtt_ms);
	if (event->kind == RESOLVER_HANDSHAKE && event->resumed)
		add(&s->counts[UPSTREAM_RESUMED], 1);
}

uint32_t upstream_stats_round_trip(const struct cache *cache, const char *upstream,
				   enum resolver_transport transport)
{
	struct upstream_stats *stats = upstream_stats_of(cache);
	uint64_t key = key_of(upstream, transport), srtt_ms = 0;

	for (unsigned i = 0; i < UPSTREAM_STATS_SERVERS; i++)
		if (atomic_load_explicit(&stats->servers[i].key, memory_order_relaxed) == key)
			srtt_ms = atomic_load_explicit(&stats->servers[i].srtt_ms,
						       memory_order_relaxed);
	return srtt_ms <= SRTT_MAX_MS ? (uint32_t)srtt_ms : 0;
}
