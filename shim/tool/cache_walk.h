// SPDX-License-Identifier: MIT
/*
 * cache_walk.h - every entry of a cache file, while programs read and write it.
 *
 * The file is read with pread(2), not through a mapping: a file that somebody cuts off, or whose
 * pages have no memory, is then an error and no signal. What a tag points to is copied out and
 * believed when it decodes (entry.h), and, where the seed is known, when it stands where readers
 * would find it. One that is being written is read again a few times; an entry that nobody touches
 * meanwhile is not missed.
 */
#ifndef NOBLOCKDNS_TOOL_CACHE_WALK_H
#define NOBLOCKDNS_TOOL_CACHE_WALK_H

#include "shim/entry.h"
#include "shim/tool/cache_open.h"

#include <stdint.h>

struct cache_item {
	struct entry entry; /* points into `blob`; `order` is NULL */
	const void *blob;   /* valid during the call */
	size_t blob_size;
	enum cache_class_id class;
	unsigned uses; /* 0 to 3, of late: cache_slot.h */
};

struct cache_walk_count {
	unsigned long long ways[CACHE_NCLASSES];   /* slots that there are */
	unsigned long long filled[CACHE_NCLASSES]; /* entries */
	unsigned long long damaged;		   /* have a tag, and nothing that can be read */
	unsigned long long strays; /* entries in places where nobody looks for them */
	unsigned long long lost;   /* sets whose tags are past the end of the file */
};

/* Calls `each` for every entry; its result other than 0 ends the walk, and is returned. 0; -ENOMEM,
 * -EIO. */
int cache_walk(const struct cache_found *found,
	       int (*each)(void *ctx, const struct cache_item *item), void *ctx,
	       struct cache_walk_count *ret);

#endif
