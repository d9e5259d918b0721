// SPDX-License-Identifier: MIT
/*
 * cache_file.h - the file under the cache: found or made, checked, mapped.
 *
 * Only raw or uncancellable system calls, so a thread that is cancelled in the middle of a lookup
 * leaves no descriptor open, and no hook of ours is entered. Any thread.
 */
#ifndef NOBLOCKDNS_CACHE_FILE_H
#define NOBLOCKDNS_CACHE_FILE_H

#include "shim/cache_layout.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_WHY_SIZE 256

/* What is kept of an open file. */
struct cache_file {
	void *map;    /* owns; header.size bytes, shared, read and write */
	uint64_t dev; /* with ino: which file this is */
	uint64_t ino;
	struct cache_header header; /* copied once, checked; the mapping's is not read */
	char path[PATH_MAX];	    /* last: most of it is never touched */
};

/*
 * Opens or creates the file at `path`; NULL: /dev/shm/noblockdns.<euid>/cache-v<layout>, in a
 * directory that is made with mode 0700 and must be ours alone. A file that exists is used when it
 * is whole and at least `size` bytes large (so that processes that want different sizes agree on
 * the largest instead of replacing each other's file for ever).
 *
 *	a symbolic link, not a regular file, another owner, mode other than 0600, a second link,
 *	another layout or byte order, or no cache file and not in the default directory
 *	                                          -> left alone, negative errno
 *	empty, truncated, damaged, other boot, smaller  -> replaced by a new one
 *
 * `why` gets one line: the reason for a negative result, or for a replacement that was not
 * ordinary; else it is empty. Returns 0 or a negative errno.
 */
int cache_file_open(const char *path, uint64_t size, struct cache_file *ret,
		    char why[CACHE_WHY_SIZE]);

/* Is it still the file under its path, of the same size? One system call. */
bool cache_file_is_current(const struct cache_file *file);

/*
 * Makes sure that the pages of [offset, offset + len), a multiple of `page`, have memory, so that
 * touching them raises no SIGBUS. 0, -ENOSPC, -ENOMEM.
 */
int cache_file_back(const struct cache_file *file, uint64_t offset, uint64_t len);

/* The same for kernels before 5.14, through the path: 0, -ESTALE where another file has it. */
int cache_file_back_by_path(const struct cache_file *file, uint64_t offset, uint64_t len);

/* That path for this user; `ret` has PATH_MAX bytes. */
void cache_file_default_path(uint32_t uid, char *ret);

#endif
