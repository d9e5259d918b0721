// SPDX-License-Identifier: MIT
/*
 * cache_open.h - a cache file as it is found, for looking inside. Other than the library's own
 * cache_open() it makes nothing, replaces nothing and believes nothing: a file that programs would
 * not use is opened as far as it can be read. One thread.
 */
#ifndef NOBLOCKDNS_TOOL_CACHE_OPEN_H
#define NOBLOCKDNS_TOOL_CACHE_OPEN_H

#include "shim/cache.h"
#include "shim/cache_layout.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct config;

struct cache_found {
	char path[PATH_MAX];
	int fd;			    /* owns */
	uint64_t size, in_use;	    /* bytes of the file, and of memory that it takes */
	struct cache_header header; /* with `whole` the file's, else one for a file of that size */
	enum cache_verdict verdict;
	bool whole;	     /* the header holds: keys can be computed, entries removed */
	struct cache *cache; /* owns; what the library's functions take; NULL unless whole */
	const char *why;     /* it could not be opened: in words; static */
};

/* Where the configuration has the cache; with `path`, there. -ENOENT: nowhere, as `why` says. */
int cache_found_path(const struct config *config, const char *path, struct cache_found *ret);

/*
 * Opens the file at ret->path. 0; -ENOENT: there is none; -EPERM: it is not a file of this user's
 * alone, or of another kind; else what the system says. Then ret->why, and nothing to be closed.
 */
int cache_found_open(struct cache_found *ret);

void cache_found_close(struct cache_found *found);

#endif
