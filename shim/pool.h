// SPDX-License-Identifier: MIT
/*
 * pool.h - blocks of one size for code that may run in a signal handler, where malloc() may not be
 * called. Memory comes from the kernel and is kept: as much as was in use at one time.
 */
#ifndef NOBLOCKDNS_POOL_H
#define NOBLOCKDNS_POOL_H

#include "shim/lock.h"

#include <stddef.h>

struct pool_block;

struct pool {
	size_t size;		 /* of a block, a multiple of 16; constant */
	struct lock lock;	 /* a leaf */
	struct pool_block *free; /* guarded by lock */
};

/* A block of zeroes; NULL: no memory. Any thread, signal handlers; errno is kept. */
void *pool_take(struct pool *pool);

/* Gives it back. Any thread, signal handlers. */
void pool_give(struct pool *pool, void *block);

/* In a forked child: blocks that were in use at the fork are leaked, but for those given back. */
void pool_forked(struct pool *pool);

#endif
