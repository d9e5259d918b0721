// SPDX-License-Identifier: MIT
/*
 * test_cache_util.h - entries whose whole content follows from a number and a version, so that any
 * mixture of two of them shows; and places for cache files.
 */
#ifndef TEST_CACHE_UTIL_H
#define TEST_CACHE_UTIL_H

#include "shim/cache.h"
#include "shim/cache_internal.h"

#define SAMPLE_VIEW UINT64_C(0x5650315650315650)
#define SAMPLE_NOW  UINT64_C(1000000000) /* a boot time of 11 days, in ms */
#define SAMPLE_MAX  ((size_t)8192 - 24)	 /* bytes; the largest that is cached */

/* How large: two to four addresses a family; or enough for the class. */
enum sample_size { SAMPLE_SMALL, SAMPLE_MEDIUM, SAMPLE_LARGE };

struct sample {
	unsigned number;  /* makes the name */
	unsigned version; /* makes the rest */
	enum sample_size size;
	uint64_t view;
	uint64_t stored_ms;
};

/* The folded name of `number`; returns its length. */
size_t sample_name(unsigned number, char name[64]);

/* Encodes the sample into `buf`; returns the size. */
size_t sample_encode(const struct sample *sample, void *buf, size_t size);

/* Stores it. Returns what cache_store() does. */
int sample_store(struct cache *cache, const struct sample *sample, uint64_t now_ms);

/* Looks `number` up. Returns what cache_lookup() does; 0 only after the entry was found to be, bit
 * for bit, one that sample_encode() makes for this number; -EILSEQ where it is not. `ret` may be
 * NULL. */
int sample_lookup(struct cache *cache, unsigned number, uint64_t view, struct sample *ret);

/* The same as a program does it, which is a use (cache_touch()). */
int sample_use(struct cache *cache, unsigned number, uint64_t view);

/* A private cache of `size` bytes. */
struct cache *private_cache(size_t size);

/* Makes a new empty directory under /dev/shm, and removes it with what is in it. */
void scratch_make(char path[64]);
void scratch_remove(const char *path);

/* A cache file in a directory of its own, for a TestSuite's .init and .fini; and it opened, once
 * more each time, so that each caller has a mapping of its own. */
extern char scratch_dir[64], scratch_path[128];
void scratch_file_make(void);
void scratch_file_remove(void);
struct cache *scratch_file_open(size_t size);

/* The same, with the smallest cache in it opened once: `scratch_cache`. */
extern struct cache *scratch_cache;
void scratch_cache_make(void);
void scratch_cache_remove(void);

#endif
