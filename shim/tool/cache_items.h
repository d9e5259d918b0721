// SPDX-License-Identifier: MIT
/*
 * cache_items.h - the entries of a cache that somebody wants to see: collected, chosen, sorted; and
 * what is known of the one who looks: the present time, and the view that his own programs have.
 * One thread.
 */
#ifndef NOBLOCKDNS_TOOL_CACHE_ITEMS_H
#define NOBLOCKDNS_TOOL_CACHE_ITEMS_H

#include "shim/settings.h"
#include "shim/tool/cache_walk.h"

#include <stdbool.h>
#include <stdint.h>

/* The one who looks. */
struct cache_self {
	struct settings *settings; /* owns; of this process's configuration, with the cache */
	uint64_t now_ms;
	uint64_t since_ms; /* what was learnt before in the own view is not fresh: netstate.h */
	uint32_t keep_s;   /* stale addresses are given for so long */
};

/* One entry, as cache_walk() finds it, but with the view of its name. */
struct cache_kept {
	struct entry entry; /* points into memory of the list */
	bool failures;	    /* of questions that had no answer (failures.h) */
	unsigned uses;
};

struct cache_filter {
	const struct name *name;   /* NULL: all */
	const struct name *suffix; /* this name and those below; NULL: all */
	const char *view;	   /* "own", the first digits of one; NULL: all */
};

enum cache_sort { CACHE_SORT_NAME, CACHE_SORT_TTL, CACHE_SORT_AGE, CACHE_SORT_USES };

struct cache_items {
	struct cache_kept *kept; /* owns */
	size_t n, room;
	void *memory; /* owns; of the entries */
	struct cache_walk_count count;
};

/* 0; -ENOMEM, -EIO. */
int cache_items_read(const struct cache_found *found, const struct cache_self *self,
		     const struct cache_filter *filter, struct cache_items *ret);
void cache_items_sort(struct cache_items *items, const struct cache_self *self, enum cache_sort by,
		      bool reverse);
void cache_items_free(struct cache_items *items);

/* ---- of an RRset ---- */

enum cache_age {
	CACHE_FRESH,
	CACHE_STALE,   /* expired, and given where no better answer is to be had (RFC 8767) */
	CACHE_EXPIRED, /* given no more */
	CACHE_FUTURE,  /* stored after now: of another boot, or damaged */
};

const char *cache_age_to_str(enum cache_age age);

/* What it is, and for how many seconds it stays so, or has been so. */
enum cache_age cache_age_of(const struct cache_self *self, const struct cache_kept *kept,
			    const struct entry_rrset *rr, uint64_t *ret_s);

/* Is it known at all? */
static inline bool cache_is_known(const struct entry_rrset *rr)
{
	return rr->kind != RESOLVER_NONE;
}

bool cache_is_own(const struct cache_self *self, const struct cache_kept *kept);

#endif
