// SPDX-License-Identifier: MIT
/*
 * cache.h - the answers that all processes of one user share.
 *
 * One file of fixed size, mapped by every process. Readers take no lock, make no system call and,
 * in the steady state, write nothing. Every byte of the mapping is hostile until checked: a reader
 * copies a slot out under a sequence lock, and believes the copy only when its checksum, its key
 * and every length in it hold.
 *
 * Lookups run on any thread. cache_store() runs on the io thread, with all signals blocked.
 */
#ifndef NOBLOCKDNS_CACHE_H
#define NOBLOCKDNS_CACHE_H

#include "shim/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;

enum cache_backing {
	CACHE_SHARED,  /* the file */
	CACHE_PRIVATE, /* an anonymous mapping: asked for, or the file cannot be had */
};

struct cache_options {
	const char *path; /* of the file; NULL: /dev/shm/noblockdns.<uid>/cache-v<layout> */
	bool want_private;
	size_t size; /* bytes, clamped to MIN and MAX below; an existing file that is larger is used
		      * as it is, a smaller one is replaced */
	uint32_t keep_s; /* how long addresses are of use after they have expired (stale answers) */
};

#define CACHE_ENTRY_MAX	   ((size_t)8192 - 24) /* bytes: a buffer of this size never gets -ENOBUFS */
#define CACHE_SIZE_MIN	   ((size_t)256 << 10)
#define CACHE_SIZE_DEFAULT ((size_t)8 << 20)
#define CACHE_SIZE_MAX	   ((size_t)4 << 30)

/*
 * Opens or creates the cache. Where the file cannot be had, a private mapping serves, and `why`
 * (at least 256 bytes, NUL-terminated, empty when all is well) says why in one line. No descriptor
 * stays open. Returns 0; -ENOMEM where not even a private mapping can be had.
 */
int cache_open(const struct cache_options *options, struct cache **ret, char why[256]);

/* Unmaps. No thread may be inside a lookup. */
void cache_close(struct cache *cache);

enum cache_backing cache_backing(const struct cache *cache);

/*
 * Is the file still the one under its path (same device and inode, size unchanged)? False after
 * somebody removed, replaced or truncated it: then open a new one and retire this one. Three system
 * calls at most; always true for a private mapping. Any thread.
 */
bool cache_is_current(const struct cache *cache);

/*
 * Hash of a folded name (see name.h) under a view. Part of every call below, so that it is computed
 * once a lookup. The seed stands in the file.
 */
uint64_t cache_hash(const struct cache *cache, uint64_t view, const char *name, size_t len);

/*
 * Begins to fetch the memory that cache_lookup() will read first. Of use where the caller has other
 * work to do between the two: a name that no core has in its caches costs one trip to memory, which
 * is longer than all the rest of a lookup. A hint; any thread.
 */
void cache_prefetch(const struct cache *cache, uint64_t hash);

/*
 * Finds the entry of `name` (folded, `len` bytes, no NUL needed) in `view` and copies it to `buf`
 * (8-byte aligned). On success ret->... points into `buf`.
 *
 *	0         found; the caller checks each RRset's age
 *	-ENOENT   not there (or damaged, or being written for too long)
 *	-ENOBUFS  there, but larger than `size`; *ret_need says how large a buffer is wanted
 *
 * Any thread; no system call, no lock, no allocation.
 */
int cache_lookup(struct cache *cache, uint64_t hash, uint64_t view, const char *name, size_t len,
		 void *buf, size_t size, struct entry *ret, size_t *ret_need);

/*
 * Counts a use of the entry that cache_lookup() has found, and says how often it was used before:
 * 0 to 3. Entries that are used outlast those that are not, so a program's lookups count, and what
 * we look at ourselves does not. Any thread; writes nothing most of the time.
 */
unsigned cache_touch(const struct entry *entry);

/*
 * Stores an encoded entry (entry_encode) under its own view and name, replacing what is there.
 * `now_ms` is CLOCK_BOOTTIME, as in the calls below.
 *
 *	0         stored
 *	-EMSGSIZE larger than the largest slot: not stored
 *	-EBUSY    another process is writing there right now: not stored, nothing lost but the
 *		  caching of this answer
 *	-ENOSPC   the file system has no memory left for a new slot, and the name's sets have none
 *		  to give up (-ENOMEM, -ESTALE: the same, of other causes)
 *	-EINVAL   `blob` is no valid entry
 */
int cache_store(struct cache *cache, uint64_t hash, const void *blob, size_t size, uint64_t now_ms);

/*
 * Has the kernel provide the memory that a store of about `size` bytes would need, while there is
 * nothing better to do: a page that the process writes for the first time costs a system call, and
 * later somebody waits for the store. A hint; any thread.
 */
void cache_prepare(struct cache *cache, uint64_t hash, size_t size, uint64_t now_ms);

/* Forgets the entry of `name` in `view`. 0 or -ENOENT, -EBUSY. */
int cache_remove(struct cache *cache, uint64_t hash, uint64_t view, const char *name, size_t len,
		 uint64_t now_ms);

#endif
