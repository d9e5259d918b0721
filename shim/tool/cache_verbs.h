// SPDX-License-Identifier: MIT
/*
 * cache_verbs.h - what `noblockdns cache` does: one function for each of its words. Each prints to
 * stdout, complains on stderr, and returns an exit status. One thread.
 */
#ifndef NOBLOCKDNS_TOOL_CACHE_VERBS_H
#define NOBLOCKDNS_TOOL_CACHE_VERBS_H

#include "shim/tool/cache_items.h"

struct cache_job {
	struct cache_found found;
	struct cache_self self;
	struct cache_filter filter;
	enum cache_sort sort;
	bool reverse, json;
	uint64_t limit; /* 0: all */
};

int cache_list(const struct cache_job *job);
int cache_show(const struct cache_job *job);
int cache_flush(const struct cache_job *job);
int cache_stat(const struct cache_job *job);

/* cache_items_read() and _sort(), with a complaint where it fails or something is damaged. Below 0:
 * go on; else the exit status. */
int cache_job_read(const struct cache_job *job, struct cache_items *ret);

/* ---- what list and show share ---- */

/* The first digits tell views apart. */
#define CACHE_VIEW_DIGITS 8

/* "answer", "no data", ...; of a failure, which. */
const char *cache_kind_to_str(const struct entry_rrset *rr);

/* Address `i` of the RRset of type `t`. */
void cache_addr_to_str(const struct entry_rrset *rr, int t, unsigned i, char ret[64]);

extern const char *const cache_type_names[ENTRY_NTYPES];

#endif
