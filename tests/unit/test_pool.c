// SPDX-License-Identifier: MIT
/* pool.c: blocks are zero, distinct and used again. */
#include "shim/pool.h"

#include <criterion/criterion.h>
#include <string.h>

Test(pool, block_is_zero_after_use)
{
	static struct pool pool = {.size = 48};
	static const char zero[48];
	char *block = pool_take(&pool);

	memset(block, 0xff, pool.size);
	pool_give(&pool, block);
	cr_assert_eq(pool_take(&pool), block);
	cr_assert_arr_eq(block, zero, pool.size);
}

Test(pool, blocks_do_not_overlap)
{
	static struct pool pool = {.size = 4096};
	static char *blocks[100];

	for (int i = 0; i < 100; i++) {
		blocks[i] = pool_take(&pool);
		memset(blocks[i], i, pool.size);
	}
	for (int i = 0; i < 100; i++)
		for (size_t at = 0; at < pool.size; at++)
			cr_assert_eq(blocks[i][at], i);
}

Test(pool, block_larger_than_a_slab_is_had)
{
	static struct pool pool = {.size = 1 << 20};
	char *block = pool_take(&pool);

	cr_assert_not_null(block);
	memset(block, 1, pool.size);
}
