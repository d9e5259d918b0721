// SPDX-License-Identifier: MIT
/* test_cache_file_content.c - a cache file whose content is not what this process would make. */
#include "shim/hash.h"
#include "tests/unit/cache_file_rig.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>

static void patch(off_t offset, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY);

	cr_assert_eq(pwrite(fd, data, len, offset), (ssize_t)len);
	close(fd);
}

/* Changes the header of the file at the default place, and makes its checksum good. */
static void patch_header(void (*change)(struct cache_header *))
{
	struct cache_header h;
	int fd = open(path, O_RDWR);

	cr_assert_eq(read(fd, &h, sizeof(h)), (ssize_t)sizeof(h));
	change(&h);
	h.checksum = hash_bytes(&h, offsetof(struct cache_header, checksum), CACHE_HEADER_SEED);
	cr_assert_eq(pwrite(fd, &h, sizeof(h), 0), (ssize_t)sizeof(h));
	close(fd);
}

static void other_layout(struct cache_header *h)
{
	h->layout++;
}

static void other_byte_order(struct cache_header *h)
{
	h->byte_order = __builtin_bswap32(h->byte_order);
}

static void other_boot(struct cache_header *h)
{
	h->boot++;
}

static void other_geometry(struct cache_header *h)
{
	h->classes[1].slots_at += 8;
}

/* Where files outlive the boot, it must be known which one this is. */
Test(cache_file, boot_that_cannot_be_told_gives_a_private_cache)
{
	char name[] = "/var/tmp/noblockdns-test.XXXXXX";
	struct statfs fs;

	cr_assert_not_null(mkdtemp(name));
	if (statfs(name, &fs) < 0 || fs.f_type == TMPFS_MAGIC) {
		rmdir(name);
		cr_skip_test("/var/tmp is in memory");
	}
	snprintf(path, sizeof(path), "%s/cache", name);
	expect(path, CACHE_SHARED, NULL);
	patch_header(other_boot);
	expect(path, CACHE_SHARED, NULL);
	unlink(path);
	enter_namespace();
	if (mount("tmpfs", "/proc/sys", "tmpfs", 0, NULL) == 0)
		expect(path, CACHE_PRIVATE, "cannot tell this boot from others");
	rmdir(name);
}

Test(cache_file, truncated_or_extended_is_replaced)
{
	static const off_t sizes[] = {1, 8, 100, 4096, SIZE / 2, SIZE - 1, SIZE + 4096};

	own_shm("size=8m");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		make_file();
		cr_assert_eq(truncate(path, sizes[i]), 0);
		expect(NULL, CACHE_SHARED, "replaced");
	}
	cr_assert_eq(truncate(path, 0), 0);
	expect(NULL, CACHE_SHARED, "truncated or extended: replaced");
	make_file();
}

Test(cache_file, random_content_is_replaced)
{
	unsigned char noise[8192];

	own_shm("size=4m");
	make_file();
	srandom(11);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (unsigned char)random();
	patch(0, noise, sizeof(noise));
	expect(NULL, CACHE_SHARED, "not a cache file: replaced");
	make_file();
}

Test(cache_file, any_flipped_bit_of_the_header_is_noticed)
{
	struct cache_header h;
	int fd;

	own_shm("size=8m");
	make_file();
	fd = open(path, O_RDONLY);
	cr_assert_eq(read(fd, &h, sizeof(h)), (ssize_t)sizeof(h));
	close(fd);
	for (size_t i = 0; i < sizeof(h); i++) {
		enum cache_verdict verdict;
		unsigned char *byte = (unsigned char *)&h + i;

		*byte ^= 1;
		verdict = cache_header_check(&h, sizeof(h), SIZE, SIZE, h.boot);
		cr_assert_neq(verdict, CACHE_HEADER_OK, "byte %zu", i);
		cr_assert_neq(verdict, CACHE_HEADER_OTHER_BOOT, "byte %zu", i);
		*byte ^= 1;
	}
	h.seed ^= 1;
	patch(0, &h, sizeof(h));
	expect(NULL, CACHE_SHARED, "damaged header: replaced");
}

Test(cache_file, other_layout_or_byte_order_is_left_alone)
{
	own_shm("size=4m");
	make_file();
	patch_header(other_layout);
	expect(NULL, CACHE_PRIVATE, "of another layout: left alone");
	unlink(path);
	make_file();
	patch_header(other_byte_order);
	expect(NULL, CACHE_PRIVATE, "of another byte order: left alone");
}

Test(cache_file, geometry_is_not_believed_even_with_a_right_checksum)
{
	own_shm("size=4m");
	make_file();
	patch_header(other_geometry);
	expect(NULL, CACHE_SHARED, "damaged header: replaced");
}

Test(cache_file, answers_do_not_outlive_the_boot)
{
	struct cache *cache;

	own_shm("size=4m");
	make_file();
	patch_header(other_boot);
	cache = try_open(NULL, SIZE);
	cr_assert_eq(cache_backing(cache), CACHE_SHARED);
	cr_assert_str_empty(why);
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, NULL), -ENOENT);
	cache_close(cache);
}
