// SPDX-License-Identifier: MIT
/* counters.c - see counters.h. */
#include "shim/counters.h"

#include "shim/cache_region.h"
#include "shim/process.h"
#include "shim/rcu.h"
#include "shim/settings.h"

#include <stdatomic.h>

static _Atomic uint64_t local[COUNTERS];

_Thread_local int32_t counters_hits_left;
static _Thread_local int32_t tally;  /* what it was set to */
static _Thread_local uint32_t added; /* by this thread, so far */

_Static_assert(sizeof local <= CACHE_REGION_COUNTERS_LEN, "the layout of the shared file");

const char *counter_to_str(enum counter counter)
{
	switch (counter) {
	case COUNTER_RACES:
		return "races";
	case COUNTER_WON_IPV6_FIRST:
		return "won-ipv6-first";
	case COUNTER_WON_IPV6_LATER:
		return "won-ipv6-later";
	case COUNTER_WON_IPV4_FIRST:
		return "won-ipv4-first";
	case COUNTER_WON_IPV4_LATER:
		return "won-ipv4-later";
	case COUNTER_LOST:
		return "lost";
	case COUNTER_STOPPED:
		return "stopped";
	case COUNTER_SAVED_MS:
		return "saved-ms";
	case COUNTER_ATTEMPTS:
		return "attempts";
	case COUNTER_FAILED:
		return "failed";
	case COUNTER_AVOIDED:
		return "avoided";
	case COUNTER_RETRIES:
		return "retries";
	case COUNTER_RETRIES_WORKED:
		return "retries-worked";
	case COUNTER_HITS:
		return "hits";
	case COUNTER_MISSES:
		return "misses";
	case COUNTER_WAITED:
		return "waited";
	case COUNTER_STALE:
		return "stale";
	case COUNTER_REMEMBERED:
		return "remembered";
	case COUNTER_PREFETCHES:
		return "prefetches";
	case COUNTERS:
		break;
	}
	return NULL;
}

/* Valid inside rcu_read_lock(). */
static _Atomic uint64_t *word_of(enum counter counter)
{
	const struct settings *settings = settings_peek();
	unsigned char *records;

	if (settings == NULL || settings->cache == NULL)
		return &local[counter];
	records = cache_region_records(settings->cache);
	return (_Atomic uint64_t *)(void *)(records + CACHE_REGION_COUNTERS_AT) + counter;
}

void counters_add(enum counter counter, uint64_t n)
{
	rcu_token token = rcu_read_lock();

	atomic_fetch_add_explicit(word_of(counter), n, memory_order_relaxed);
	rcu_read_unlock(token);
}

uint64_t counters_read(enum counter counter)
{
	rcu_token token = rcu_read_lock();
	uint64_t n = atomic_load_explicit(word_of(counter), memory_order_relaxed);

	rcu_read_unlock(token);
	return n;
}

/* What is left is one short of all that was to come, once it is below 0. */
void counters_add_hits(void)
{
	uint32_t n = (uint32_t)(tally - counters_hits_left);

	counters_add(COUNTER_HITS, n);
	if (added < 8 * COUNTERS_TALLY)
		added += n;
	tally = counters_hits_left =
		(int32_t)(added / 8 < COUNTERS_TALLY ? added / 8 : COUNTERS_TALLY - 1);
}

void counters_miss(void)
{
	if (counters_hits_left != tally) {
		counters_add(COUNTER_HITS, (uint64_t)((int64_t)tally - counters_hits_left));
		counters_hits_left = tally;
	}
	counters_add(COUNTER_MISSES, 1);
}

/* In a forked child: its parent adds its hits itself. */
void counters_reset(void)
{
	counters_hits_left = tally;
}
