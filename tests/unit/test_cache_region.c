// SPDX-License-Identifier: MIT
/* cache_region.c: who may read where, and who gets memory. */
#include "shim/cache_region.h"

#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(cache_region, .init = scratch_file_make, .fini = scratch_file_remove);

static blkcnt_t blocks(void)
{
	struct stat st;

	cr_assert_eq(stat(scratch_path, &st), 0);
	return st.st_blocks;
}

Test(cache_region, page_is_found_once_it_was_claimed)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	size_t last = cache_region_table_len(cache) - 128;
	unsigned char *claimed;

	cr_expect_null(cache_region_find(cache, 5 * CACHE_PAGE + 256));
	claimed = cache_region_claim(cache, 5 * CACHE_PAGE + 256);
	cr_assert_not_null(claimed);
	cr_expect_eq(cache_region_find(cache, 5 * CACHE_PAGE + 256), claimed);
	cr_expect_eq(cache_region_find(cache, 5 * CACHE_PAGE), claimed - 256);
	cr_expect_null(cache_region_find(cache, 4 * CACHE_PAGE));
	cr_expect_null(cache_region_find(cache, 6 * CACHE_PAGE));
	cr_expect_null(cache_region_find(cache, last));
	cr_expect_not_null(cache_region_claim(cache, last));
}

Test(cache_region, other_process_finds_what_was_claimed)
{
	struct cache *one = scratch_file_open(CACHE_SIZE_DEFAULT),
		     *two = scratch_file_open(CACHE_SIZE_DEFAULT);
	unsigned char *written = cache_region_claim(one, 3 * CACHE_PAGE), *read;

	written[9] = 77;
	read = cache_region_find(two, 3 * CACHE_PAGE);
	cr_assert_not_null(read);
	cr_expect_eq(read[9], 77);
}

Test(cache_region, claim_takes_one_page_and_a_look_none)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	blkcnt_t before = blocks();

	for (size_t at = 0; at < cache_region_table_len(cache); at += 128)
		(void)cache_region_find(cache, at);
	((unsigned char *)cache_region_records(cache))[CACHE_REGION_RECORDS - 1] = 1;
	cr_expect_eq(blocks(), before);
	for (size_t at = 0; at < CACHE_PAGE; at += 128)
		cr_assert_not_null(cache_region_claim(cache, 7 * CACHE_PAGE + at));
	cr_expect_eq(blocks() - before, (blkcnt_t)(CACHE_PAGE / 512));
}

/* As on a full file system: behind the end of a file no page can be had. */
Test(cache_region, claim_without_memory_leaves_the_page_closed)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);

	cr_assert_eq(truncate(scratch_path, (off_t)(cache->region_at + CACHE_REGION_FIXED)), 0);
	errno = 42;
	cr_expect_null(cache_region_claim(cache, 0));
	cr_expect_eq(errno, 42);
	cr_expect_null(cache_region_find(cache, 0));
}

/* A tmpfs of 1 MiB on `scratch_dir`, in a mount namespace of the test's own. */
static void mount_small(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", scratch_dir, "tmpfs", 0, "size=1m") < 0)
		cr_skip_test("no mounts of its own: %s", strerror(errno));
}

/* Writes to a file beside the cache until nothing is left. */
static void use_up_memory(void)
{
	char page[CACHE_PAGE] = {1}, other[128];
	int fd;

	snprintf(other, sizeof other, "%s/other", scratch_dir);
	fd = open(other, O_WRONLY | O_CREAT, 0600);
	while (write(fd, page, sizeof page) == (ssize_t)sizeof page)
		;
	close(fd);
}

/* A touch of a page without memory would be a SIGBUS here, be it to read or to write. */
Test(cache_region, full_file_system_raises_no_signal)
{
	unsigned found = 0, claimed = 0;
	struct cache *cache;
	size_t len;

	mount_small();
	cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	len = cache_region_table_len(cache);
	cr_assert_not_null(cache_region_claim(cache, 0));
	use_up_memory();
	for (size_t at = 0; at < len; at += CACHE_PAGE) {
		unsigned char *page = cache_region_find(cache, at);

		if (page != NULL)
			found += page[CACHE_PAGE - 1] == 0;
		page = cache_region_claim(cache, at);
		if (page != NULL)
			claimed += ++page[0];
	}
	cr_expect_eq(found, 1u);
	cr_expect_eq(claimed, 1u);
	umount2(scratch_dir, MNT_DETACH); /* or the directory would stay */
}

/* The same where damaged bits promise memory for every page, to a process that has touched none. */
Test(cache_region, damaged_bits_on_a_full_file_system_raise_no_signal)
{
	struct cache *cache;
	unsigned found = 0;

	mount_small();
	cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	cr_assert_not_null(cache_region_claim(cache, 0));
	memset((unsigned char *)cache_region_records(cache) + CACHE_REGION_RECORDS, 0xff,
	       CACHE_PAGE - CACHE_REGION_RECORDS);
	use_up_memory();
	cache_close(cache);
	cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	for (size_t at = 0; at < cache_region_table_len(cache); at += CACHE_PAGE) {
		const unsigned char *page = cache_region_find(cache, at);

		if (page != NULL)
			found += page[CACHE_PAGE - 1] == 0;
	}
	cr_expect_eq(found, 1u);
	umount2(scratch_dir, MNT_DETACH);
}

Test(cache_region, bits_cover_the_table_of_every_size)
{
	for (size_t size = CACHE_SIZE_MIN; size <= (size_t)2 << 30; size *= 2) {
		struct cache *cache = private_cache(size);
		size_t len = cache_region_table_len(cache);

		cr_expect_eq(len % CACHE_PAGE, 0u);
		cr_expect_geq(len, CACHE_PAGE);
		cr_expect_leq(len + CACHE_PAGE, cache->region_len);
		cr_expect_leq(len / CACHE_PAGE / 8, CACHE_PAGE - CACHE_REGION_RECORDS);
		cr_expect_not_null(cache_region_claim(cache, len - 128));
		cache_close(cache);
	}
}
