// SPDX-License-Identifier: MIT
/*
 * fetch_cache.h - what a job has to do with the cache: look whether it is too late, have the memory
 * ready while the question is on its way, put the answer in. io thread only.
 */
#ifndef NOBLOCKDNS_FETCH_CACHE_H
#define NOBLOCKDNS_FETCH_CACHE_H

#include "shim/fetch_job.h"

/*
 * What the fetch asks for, if it stands in the cache: between the asker's look and this one,
 * another job or another process may have put it there. NULL otherwise; the caller's to release.
 */
struct blob *fetch_cache_find(const struct fetch *fetch, uint64_t now_ms);

/* Has the memory for a usual answer, an address of each type, provided: whoever waits for the
 * answer waits for its store, too. */
void fetch_cache_prepare(const struct fetch *fetch, uint64_t now_ms);

/* Puts those RRsets in that may be cached, beside what is there of the other type. */
void fetch_cache_store(const struct fetch *fetch, const struct entry_rrset rrs[ENTRY_NTYPES],
		       uint64_t now_ms);

/* Of a question that is in flight, see lease.h: something has come; it is over. */
void fetch_cache_notify(const struct lease *lease, uint64_t part_ms);
void fetch_cache_release(const struct lease *lease, bool answered);

#endif
