// SPDX-License-Identifier: MIT
/*
 * counters.h - what the lookups and races of all processes of this user have come to: a word a
 * counter, in the cache (cache_region.h), so that it outlives its process and can be read by
 * another one. Without a cache they are this process's own.
 *
 * They count up, from 0 when the cache was made, and wrap at 2^64. Nothing is decided by them.
 *
 * What a race has saved cannot be known: the first attempt might have been answered a moment after
 * another won, or never. COUNTER_SAVED_MS counts as much as the first had been without an answer by
 * then: who has waited in vain for so long is to expect no less. That is far too little where it is
 * dead, when connect() would have gone on for two minutes; and nothing is counted for races that
 * did not begin with a dead address, since history had it, nor where the first attempt failed.
 *
 * A hit is counted without a write to memory that another core reads: each thread has a tally of
 * its own, and adds it to the counter now and then: each hit at first, then each time that it has
 * grown by an eighth, at last by COUNTERS_TALLY; and with each miss. What a thread has not added
 * when it ends is lost.
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
	COUNTER_HITS,		/* questions that the cache had a fresh answer to */
	COUNTER_MISSES,		/* that it had none to */
	COUNTER_WAITED,		/* of those: another thread or process was asking already */
	COUNTER_STALE,		/* of those: answered with what had expired (RFC 8767) */
	COUNTER_REMEMBERED,	/* of those: a failure was remembered (RFC 9520) */
	COUNTER_PREFETCHES,	/* asked anew in the background before they expired */
	COUNTERS
};

/* A counter's name, in lower case with hyphens; NULL for one that does not exist. */
const char *counter_to_str(enum counter counter);

void counters_add(enum counter counter, uint64_t n);

uint64_t counters_read(enum counter counter);

#define COUNTERS_TALLY 64 /* hits of one thread that may not be added yet */

/* How many more hits until they are added; below 0 it is due. */
extern _Thread_local int32_t counters_hits_left;

void counters_add_hits(void);

static inline void counters_hit(void)
{
	if (__builtin_expect(--counters_hits_left < 0, 0))
		counters_add_hits();
}

/* One that is not to be counted: the same question was counted as a miss. */
static inline void counters_unhit(void)
{
	counters_hits_left++;
}

/* A miss, and this thread's hits. */
void counters_miss(void);

#endif
