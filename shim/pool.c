// SPDX-License-Identifier: MIT
/* pool.c - see pool.h. */
#include "shim/pool.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SLAB ((size_t)64 << 10)

struct pool_block {
	struct pool_block *next;
};

/* One at least, where memory can be had. */
static void refill_locked(struct pool *pool)
{
	size_t len = pool->size < SLAB ? SLAB : pool->size;
	char *slab = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (slab == MAP_FAILED)
		return;
	for (size_t at = 0; at + pool->size <= len; at += pool->size) {
		struct pool_block *block = (struct pool_block *)(slab + at);

		block->next = pool->free;
		pool->free = block;
	}
}

void *pool_take(struct pool *pool)
{
	struct pool_block *block;
	int saved = errno;

	lock_take(&pool->lock);
	if (pool->free == NULL)
		refill_locked(pool);
	block = pool->free;
	if (block != NULL)
		pool->free = block->next;
	lock_release(&pool->lock);
	errno = saved;
	return block == NULL ? NULL : memset(block, 0, pool->size);
}

void pool_give(struct pool *pool, void *block)
{
	struct pool_block *given = block;

	lock_take(&pool->lock);
	given->next = pool->free;
	pool->free = given;
	lock_release(&pool->lock);
}

void pool_forked(struct pool *pool)
{
	lock_reset(&pool->lock);
}
