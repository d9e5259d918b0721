// SPDX-License-Identifier: MIT
/*
 * cache_region.h - the part of the cache in which processes tell each other about the network, so
 * that not each new one has to ask the kernel: the `reserved` region of cache_layout.h.
 *
 *	first page  records, CACHE_REGION_RECORDS bytes: see below; then one bit for each page
 *		    behind the first two: it has memory
 *	second page what the resolver has come to (upstream_stats.h)
 *	table	    the orders of lists of addresses (order_cache.h)
 *	tickets	    of TLS sessions, a page each (ticket_cache.h); a quarter of the region, at most
 *		    CACHE_REGION_TICKETS_MAX
 *	history	    outcomes of connects (history_table.h); a sixteenth of the region, at least a
 *		    page and at most CACHE_REGION_HISTORY_MAX
 *	leases	    of questions in flight (lease.h); a sixty-fourth, at least a page and at most
 *		    CACHE_REGION_LEASES_MAX
 *
 * The records:
 *
 *	at 0	    states of networks (netstate_record.h), 16 lines
 *	at 1024	    a line: the history's generation (history.h)
 *	at 1088	    counters (counters.h), 8 lines
 *	at 1600	    silent servers (silence.h), 4 lines
 *	at 1856	    a word: the first one's time namespace (timens.h)
 *
 * The first two pages have memory from the beginning, as the tags have. Another page gets it from
 * its first writer, which then sets the bit; a reader goes nowhere else, for on a full tmpfs the
 * read of a page without memory is a SIGBUS (cache_layout.h). The bit may be damaged, so before a
 * process touches a page for the first time it has the kernel provide the memory, or say that
 * there is none. Everything in the region may be torn, damaged or somebody's invention: what is
 * read is checked by who reads it.
 *
 * Any thread; the caller keeps the cache open. Atomic words, relaxed: each stands for itself.
 */
#ifndef NOBLOCKDNS_CACHE_REGION_H
#define NOBLOCKDNS_CACHE_REGION_H

#include "shim/cache.h"
#include "shim/cache_layout.h"

#include <stddef.h>
#include <stdint.h>

#define CACHE_REGION_RECORDS	 2048u /* bytes; the bits for 16,384 pages take as many */
#define CACHE_REGION_TICKETS_MAX 64u
#define CACHE_REGION_HISTORY_MAX 64u /* pages */
#define CACHE_REGION_LEASES_MAX	 16u /* pages */

/* Where the records begin, and how many bytes each kind has. */
#define CACHE_REGION_NETWORKS_LEN  1024u
#define CACHE_REGION_GENERATION_AT 1024u
#define CACHE_REGION_COUNTERS_AT   1088u
#define CACHE_REGION_COUNTERS_LEN  512u
#define CACHE_REGION_SILENCE_AT	   1600u
#define CACHE_REGION_SILENCE_LEN   256u
#define CACHE_REGION_TIMENS_AT	   1856u

/* CACHE_REGION_RECORDS bytes, aligned to a page. */
void *cache_region_records(const struct cache *cache);

/* The second page. */
void *cache_region_stats(const struct cache *cache);

/* Bytes of the table; whole pages of CACHE_PAGE, at least one. */
size_t cache_region_table_len(const struct cache *cache);

/* The history: where it begins, seen from the table's beginning, and its bytes, whole pages. */
size_t cache_region_history_at(const struct cache *cache);
size_t cache_region_history_len(const struct cache *cache);

/* The leases, likewise. */
size_t cache_region_leases_at(const struct cache *cache);
size_t cache_region_leases_len(const struct cache *cache);

/* How many tickets there is room for, at least one; and where the page of one is. */
unsigned cache_region_ntickets(const struct cache *cache);
size_t cache_region_ticket_at(const struct cache *cache, unsigned ticket);

/* The region at `offset` from the beginning of the table, up to the end of its page; NULL where
 * nobody has written to that page. One system call a page and process. Keeps errno. */
void *cache_region_find(struct cache *cache, size_t offset);

/* The same for a writer, who gets memory for the page where there is none; NULL where there is none
 * to be had. At most a few system calls, and those once a page of the file. Keeps errno. */
void *cache_region_claim(struct cache *cache, size_t offset);

#endif
