// SPDX-License-Identifier: MIT
/*
 * doctor_history.c - what the races of this user's programs have shown of IPv6 (counters.h), as far
 * as the cache remembers. It is read as it is found: nothing is made or replaced.
 */
#include "shim/tool/doctor.h"
#include "shim/tool/stats.h"

#include <stdio.h>

static void judge(struct doctor *d, const uint64_t *counters)
{
	unsigned long long races = counters[COUNTER_RACES];
	unsigned long long six =
		counters[COUNTER_WON_IPV6_FIRST] + counters[COUNTER_WON_IPV6_LATER];
	unsigned long long four_later = counters[COUNTER_WON_IPV4_LATER];
	unsigned long long avoided = counters[COUNTER_AVOIDED];

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
	struct cache_found found = {.fd = -1};
	struct stats stats;

	(void)snprintf(found.path, sizeof(found.path), "%s", path);
	if (cache_found_open(&found) < 0)
		return;
	if (found.whole && stats_read(&found, &stats) == 0)
		judge(d, stats.counters);
	cache_found_close(&found);
}
