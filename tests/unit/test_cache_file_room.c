// SPDX-License-Identifier: MIT
/* test_cache_file_room.c - no room for a cache file, or not for all of it, or no way to make one.
 */
#include "tests/unit/cache_file_rig.h"

#include <sys/resource.h>
#include <sys/stat.h>

Test(cache_file, read_only_file_system_gives_a_private_cache)
{
	own_shm("size=4m");
	make_file();
	cr_assert_eq(mount(NULL, "/dev/shm", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	expect(NULL, CACHE_PRIVATE, "Read-only file system");
	cr_assert_eq(mount(NULL, "/dev/shm", NULL, MS_REMOUNT, NULL), 0);
	unlink(path);
	rmdir(dir);
	cr_assert_eq(mount(NULL, "/dev/shm", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	expect(NULL, CACHE_PRIVATE, "No such file or directory");
}

/* Leaves `free_bytes` of /dev/shm. */
static void fill_shm(size_t free_bytes)
{
	int fd = open("/dev/shm/filler", O_CREAT | O_WRONLY | O_TRUNC, 0600);
	static const char page[4096];
	off_t size = 0;

	while (write(fd, page, sizeof(page)) == sizeof(page))
		size += (off_t)sizeof(page);
	cr_assert_geq(size, (off_t)free_bytes);
	cr_assert_eq(ftruncate(fd, size - (off_t)free_bytes), 0);
	close(fd);
}

Test(cache_file, full_file_system_gives_a_private_cache)
{
	own_shm("size=1m");
	mkdir(dir, 0700);
	/* header and tags of the smallest cache want two */
	for (size_t pages = 0; pages < 2; pages++) {
		fill_shm(pages * 4096);
		expect(NULL, CACHE_PRIVATE, "No space left on device");
		cr_assert_eq(access(path, F_OK), -1, "left a file behind");
	}
}

/* The case that would raise SIGBUS: the file is there, and the memory behind it is used up. */
Test(cache_file, file_system_that_fills_up_later_costs_entries_only)
{
	struct cache *cache, *second;
	unsigned stored = 0, found = 0, refused = 0;

	own_shm("size=2m");
	cache = try_open(NULL, 4 << 20);
	cr_assert_eq(cache_backing(cache), CACHE_SHARED, "%s", why);
	fill_shm(128 << 10);
	for (unsigned i = 0; i < 6000; i++) {
		struct sample s = {.number = i, .version = i, .view = SAMPLE_VIEW};
		int err;

		s.size = i % 50 == 0 ? SAMPLE_LARGE : i % 10 == 0 ? SAMPLE_MEDIUM : SAMPLE_SMALL;
		err = sample_store(cache, &s, SAMPLE_NOW);
		cr_assert(err == 0 || err == -ENOSPC, "store: %d", err);
		stored += err == 0;
		refused += err == -ENOSPC;
	}
	cr_assert_gt(stored, 100, "the memory that there is gets used");
	cr_assert_gt(refused, 0, "the file system was meant to be full");
	/* a process that knows nothing of this one reads, and writes */
	second = try_open(NULL, SIZE);
	cr_assert_eq(cache_backing(second), CACHE_SHARED, "%s", why);
	for (unsigned i = 0; i < 6000; i++) {
		int err = sample_lookup(second, i, SAMPLE_VIEW, NULL);

		cr_assert(err == 0 || err == -ENOENT, "lookup: %d", err);
		found += err == 0;
	}
	cr_assert_gt(found, 100, "%u of %u", found, stored);
	for (unsigned i = 0; i < 6000; i++) {
		struct sample s = {.number = i + 10000, .version = i, .view = SAMPLE_VIEW};
		int err = sample_store(second, &s, SAMPLE_NOW);

		cr_assert(err == 0 || err == -ENOSPC, "store: %d", err);
	}
	cache_close(cache);
	cache_close(second);
}

Test(cache_file, pages_get_memory_through_the_path_on_old_kernels)
{
	struct cache *cache;
	struct stat before, after;

	own_shm("size=2m");
	cache = try_open(NULL, 4 << 20);
	stat(path, &before);
	cr_assert_eq(cache_file_back_by_path(&cache->file, 1 << 20, 16384), 0);
	stat(path, &after);
	cr_assert_eq(after.st_blocks - before.st_blocks, 32);
	fill_shm(0);
	cr_assert_eq(cache_file_back_by_path(&cache->file, 1 << 20, 16384), 0, "has it already");
	cr_assert_eq(cache_file_back_by_path(&cache->file, 2 << 20, 4096), -ENOSPC);
	unlink(path);
	cr_assert_eq(cache_file_back_by_path(&cache->file, 1 << 20, 4096), -ESTALE);
	cache_close(cache);
}

Test(cache_file, size_limit_of_the_process_is_no_signal)
{
	const struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};

	own_shm("size=4m");
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect(NULL, CACHE_PRIVATE, "RLIMIT_FSIZE");
}

Test(cache_file, no_more_descriptors_gives_a_private_cache)
{
	const struct cache_options options = {.size = SIZE};
	struct rlimit limit;
	struct cache *cache;
	rlim_t was;

	own_shm("size=4m");
	getrlimit(RLIMIT_NOFILE, &limit);
	was = limit.rlim_cur;
	limit.rlim_cur = 0;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(cache_open(&options, &cache, why), 0);
	limit.rlim_cur = was; /* the test framework opens some */
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_assert_eq(cache_backing(cache), CACHE_PRIVATE);
	cr_assert(strstr(why, "Too many open files"), "%s", why);
	cache_close(cache);
}
