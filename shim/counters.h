// SPDX-License-Identifier: MIT
/*
 * counters.h - what the races of all processes of this user have come to: a word a counter, in the
 * cache (cache_region.h), so that it outlives its process and can be read by another one. Without
 * a cache they are this process's own.
 *
 * They count up, from 0 when the cache was made, and wrap at 2^64. Nothing is decided by them.
 *
 * What a race has saved cannot be known: the first attempt might have been answered a moment after
 * another won, or never. COUNTER_SAVED_MS counts as much as the first had been without an answer by
 * then: who has waited in vain for so long is to expect no less. That is far too little where it is
 * dead, when connect() would have gone on for two minutes; and nothing is counted for races that
 * did not begin with a dead address, since history had it, nor where the first attempt failed.
 *
 * Any thread, signal handlers too; wait-free.
 */
#ifndef NOBLOCKDNS_COUNTERS_H
#define NOBLOCKDNS_COUNTERS_H

#include <stdint.h>

/* Their numbers are part of the cache's layout: new ones come last. */
enum counter {
	COUNTER_RACES,		/* begun: more than one candidate was known, or could come */
	COUNTER_WON_IPV6_FIRST, /* by the first attempt, IPv6 */
	COUNTER_WON_IPV6_LATER, /* by an attempt that began later */
	COUNTER_WON_IPV4_FIRST, /* the same for IPv4 */
	COUNTER_WON_IPV4_LATER,
	COUNTER_LOST,		/* every candidate has failed */
	COUNTER_STOPPED,	/* ended early: by the program, or because it raced by itself */
	COUNTER_SAVED_MS,	/* see above */
	COUNTER_ATTEMPTS,	/* connects begun, first ones too, also where no race came of it */
	COUNTER_FAILED,		/* those that failed */
	COUNTER_AVOIDED,	/* races that did not begin with a family known to be broken */
	COUNTER_RETRIES,	/* connects to broken addresses in the background */
	COUNTER_RETRIES_WORKED, /* of those: connected */
	COUNTERS
};

/* A counter's name, in lower case with hyphens; NULL for one that does not exist. */
const char *counter_to_str(enum counter counter);

void counters_add(enum counter counter, uint64_t n);

uint64_t counters_read(enum counter counter);

#endif
