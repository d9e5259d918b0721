// SPDX-License-Identifier: MIT
/*
 * doctor_history.c - what the races of this user's programs have shown of IPv6 (counters.h), as far
 * as the cache remembers. It is known to be whole, and is not made where there is none.
 */
#include "shim/cache.h"
#include "shim/cache_region.h"
#include "shim/counters.h"
#include "shim/tool/doctor.h"

#include <stdatomic.h>

static unsigned long long counter(const struct cache *cache, enum counter which)
{
	const unsigned char *records = cache_region_records(cache);
	const _Atomic uint64_t *word =
		(const void *)(records + CACHE_REGION_COUNTERS_AT + which * sizeof(uint64_t));

	return atomic_load_explicit(word, memory_order_relaxed);
}

static void judge(struct doctor *d, const struct cache *cache)
{
	unsigned long long races = counter(cache, COUNTER_RACES);
	unsigned long long six =
		counter(cache, COUNTER_WON_IPV6_FIRST) + counter(cache, COUNTER_WON_IPV6_LATER);
	unsigned long long four_later = counter(cache, COUNTER_WON_IPV4_LATER);
	unsigned long long avoided = counter(cache, COUNTER_AVOIDED);

	if (races == 0)
		return;
	if (six == 0 && four_later > 0)
		doctor_find(d, DOCTOR_NOTE, "ipv6-history",
			    "have the network repaired, or IPv6 turned off; the shim goes round it",
			    "of %llu races none was won over IPv6, and %llu over IPv4 by a later "
			    "attempt: IPv6 seems to lead nowhere",
			    races, four_later);
	else
		doctor_find(d, DOCTOR_GOOD, "history", NULL,
			    "of %llu races %llu were won over IPv6; %llu did not begin with a "
			    "family known to be broken",
			    races, six, avoided);
}

void doctor_history(struct doctor *d, const char *path)
{
	const struct cache_options options = {.path = path, .size = CACHE_SIZE_MIN};
	struct cache *cache;
	char why[256];

	if (cache_open(&options, &cache, why) < 0)
		return;
	if (cache_backing(cache) == CACHE_SHARED)
		judge(d, cache);
	cache_close(cache);
}
