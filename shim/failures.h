// SPDX-License-Identifier: MIT
/*
 * failures.h - questions that had no answer, remembered in the cache for all its processes.
 *
 * A failure is kept by name, type and view for 1 s, and for twice as long as the last time where it
 * comes again, up to 30 s (RFC 9520 section 3.2). It stands in an entry of its own, under another
 * view, so it never takes the place of an answer, be that stale, and a hit never meets it.
 *
 * A failure for want of an answer, from before a silence that has ended (silence.h), is forgotten.
 *
 * What was noted before the network changed (netstate.h) is forgotten as well: who gets a network
 * asks at once.
 *
 * failures_find() on any thread, without a system call; failures_note() as cache_store(). The
 * caller keeps the cache open.
 */
#ifndef NOBLOCKDNS_FAILURES_H
#define NOBLOCKDNS_FAILURES_H

#include "shim/cache.h"
#include "shim/name.h"

#include <stdbool.h>
#include <stdint.h>

#define FAILURES_FIRST_S 1
#define FAILURES_MAX_S	 30
#define FAILURES_LATE_MS 2000

/* Did a server say it? Else none was heard, or the failure is our own. */
bool failures_is_said(enum resolver_failure failure);

/* Exclusive-or with the view of the name: that of its entry. */
#define FAILURES_VIEW UINT64_C(0x6661696c75726573)

/* The failures of `name` that are remembered, by type; RESOLVER_NONE where there is none. Bits of
 * enum entry_slot of those that there are. */
unsigned failures_find(struct cache *cache, uint64_t view, const struct name *name, uint64_t now_ms,
		       struct entry_rrset ret[ENTRY_NTYPES]);

/* Is one of these of servers that said nothing, and the question that failed over by now, which
 * goes on for FAILURES_LATE_MS? */
bool failures_are_silence(const struct entry_rrset rrs[ENTRY_NTYPES], unsigned types,
			  uint64_t now_ms);

/* Remembers those of `rrs` that are failures, and of a server's making; forgets the failures of
 * those that are answers. */
void failures_note(struct cache *cache, uint64_t view, const struct name *name,
		   const struct entry_rrset rrs[ENTRY_NTYPES], uint64_t now_ms);

#endif
