// SPDX-License-Identifier: MIT
/*
 * test_cache_file.c - what may stand where the cache file should: each case ends in a cache that
 * works, shared or private, and in the reason why it is private. None follows a link, touches what
 * is not a cache file, raises a signal, or keeps a descriptor.
 *
 * /dev/shm is a small tmpfs of the test's own, in a mount namespace of its own; where that cannot
 * be had, the tests that need it are skipped.
 */
#include "shim/cache.h"

#include "shim/hash.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE CACHE_SIZE_MIN

static char dir[64], path[96];
static char why[256];

/* ---- the place ---- */

static void write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	if (fd >= 0) {
		(void)!write(fd, text, strlen(text));
		close(fd);
	}
}

static void enter_namespace(void)
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)) < 0)
		cr_skip_test("no mount namespace: %s", strerror(errno));
	if (uid) {
		write_text("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_text("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		write_text("/proc/self/gid_map", map);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("no private mounts: %s", strerror(errno));
}

/* An empty /dev/shm of `options`; sets dir and path to where the default file will be. */
static void own_shm(const char *options)
{
	enter_namespace();
	if (mount("tmpfs", "/dev/shm", "tmpfs", 0, options) < 0)
		cr_skip_test("no tmpfs: %s", strerror(errno));
	snprintf(dir, sizeof(dir), "/dev/shm/noblockdns.%u", geteuid());
	snprintf(path, sizeof(path), "%s/cache-v%u", dir, CACHE_LAYOUT);
}

static void give_away(const char *what)
{
	if (lchown(what, 1, 1) < 0)
		cr_skip_test("cannot give a file to another user: %s", strerror(errno));
}

static unsigned count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* ---- opening ---- */

static struct cache *try_open(const char *at, size_t size)
{
	const struct cache_options options = {.path = at, .size = size};
	unsigned before = count_descriptors();
	struct cache *cache = NULL;

	cr_assert_eq(cache_open(&options, &cache, why), 0, "%s", why);
	cr_assert_eq(count_descriptors(), before, "a descriptor stays open");
	cr_assert(!strchr(why, '\n'));
	return cache;
}

/* Whatever it is, it must work. */
static void assert_works(struct cache *cache)
{
	struct sample s = {.number = 1, .version = 4, .view = SAMPLE_VIEW}, got;

	cr_assert_eq(sample_store(cache, &s, SAMPLE_NOW), 0);
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, &got), 0);
	cr_assert_eq(got.version, 4);
	cr_assert(cache_is_current(cache));
}

/* `at` NULL: the default place. `reason` NULL: none is given. */
static void expect(const char *at, enum cache_backing backing, const char *reason)
{
	struct cache *cache = try_open(at, SIZE);

	cr_assert_eq(cache_backing(cache), backing, "%s, because: %s",
		     cache_backing(cache) == CACHE_SHARED ? "shared" : "private", why);
	if (reason)
		cr_assert(strstr(why, reason), "\"%s\" does not say \"%s\"", why, reason);
	else
		cr_assert_str_empty(why);
	assert_works(cache);
	cache_close(cache);
}

/* Makes a good file at the default place and closes it. */
static void make_file(void)
{
	expect(NULL, CACHE_SHARED, NULL);
}

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

/* ---- an ordinary life ---- */

Test(cache_file, is_made_private_to_the_user_and_shared_by_all_openers)
{
	struct sample s = {.number = 5, .version = 6, .view = SAMPLE_VIEW}, got;
	struct cache *first, *second;
	struct stat st;

	own_shm("size=4m");
	first = try_open(NULL, SIZE);
	cr_assert_eq(cache_backing(first), CACHE_SHARED, "%s", why);
	cr_assert_eq(stat(dir, &st), 0);
	cr_assert_eq(st.st_mode, S_IFDIR | 0700);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode, S_IFREG | 0600);
	cr_assert_eq(st.st_nlink, 1);
	cr_assert_eq(st.st_size, (off_t)SIZE);
	cr_assert_lt(st.st_blocks * 512, (off_t)SIZE / 4, "the file is not sparse");
	second = try_open(NULL, SIZE);
	cr_assert_eq(sample_store(first, &s, SAMPLE_NOW), 0);
	cr_assert_eq(sample_lookup(second, 5, SAMPLE_VIEW, &got), 0);
	cr_assert_eq(got.version, 6);
	cache_close(first);
	cache_close(second);
}

Test(cache_file, keeps_its_mode_under_any_umask)
{
	own_shm("size=4m");
	mkdir(dir, 0700);
	umask(0777);
	expect(NULL, CACHE_SHARED, NULL);
	expect(NULL, CACHE_SHARED, NULL);
}

Test(cache_file, openers_at_the_same_time_share_one_file)
{
	enum { N = 16 };
	struct cache *cache;
	struct sample s = {.view = SAMPLE_VIEW};
	pid_t pids[N];
	int status;

	own_shm("size=8m");
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			const struct cache_options options = {.size = SIZE};
			struct cache *own;

			s.number = (unsigned)i;
			if (cache_open(&options, &own, why) || sample_store(own, &s, SAMPLE_NOW))
				_exit(2);
			_exit(cache_backing(own) == CACHE_SHARED && cache_is_current(own) ? 0 : 3);
		}
	}
	for (int i = 0; i < N; i++) {
		waitpid(pids[i], &status, 0);
		cr_assert_eq(status, 0, "opener %d: %#x", i, status);
	}
	cache = try_open(NULL, SIZE);
	for (unsigned i = 0; i < N; i++)
		cr_assert_eq(sample_lookup(cache, i, SAMPLE_VIEW, NULL), 0,
			     "what opener %u stored went elsewhere", i);
	cache_close(cache);
}

Test(cache_file, is_no_longer_current_after_removal_replacement_and_truncation)
{
	struct cache *cache;
	char aside[128];

	own_shm("size=4m");
	snprintf(aside, sizeof(aside), "%s.aside", path);
	cache = try_open(NULL, SIZE);
	cr_assert(cache_is_current(cache));
	cr_assert_eq(rename(path, aside), 0);
	cr_assert(!cache_is_current(cache), "removed");
	make_file();
	cr_assert(!cache_is_current(cache), "replaced");
	cr_assert_eq(rename(aside, path), 0);
	cr_assert(cache_is_current(cache), "the same again");
	cr_assert_eq(truncate(path, (off_t)SIZE / 2), 0);
	cr_assert(!cache_is_current(cache), "truncated");
	cache_close(cache);
}

Test(cache_file, private_on_request_needs_no_file)
{
	own_shm("size=4m");
	cache_close(private_cache(SIZE));
	cr_assert_eq(access(dir, F_OK), -1);
}

Test(cache_file, larger_is_used_and_smaller_replaced)
{
	struct cache *cache;
	struct stat st;

	own_shm("size=8m");
	cache_close(try_open(NULL, 4 * SIZE));
	expect(NULL, CACHE_SHARED, NULL);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_size, (off_t)(4 * SIZE), "the larger one stays");
	cache = try_open(NULL, 8 * SIZE);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_size, (off_t)(8 * SIZE));
	assert_works(cache);
	cache_close(cache);
}

/* ---- somebody else's, or no file at all ---- */

Test(cache_file, directory_that_is_a_link_is_not_followed)
{
	own_shm("size=4m");
	mkdir("/dev/shm/elsewhere", 0700);
	cr_assert_eq(symlink("/dev/shm/elsewhere", dir), 0);
	expect(NULL, CACHE_PRIVATE, "directory: Not a directory");
	cr_assert_eq(rmdir("/dev/shm/elsewhere"), 0, "something was made there");
}

Test(cache_file, directory_of_another_user_is_left_alone)
{
	own_shm("size=4m");
	mkdir(dir, 0700);
	give_away(dir);
	expect(NULL, CACHE_PRIVATE, "directory belongs to user 1");
}

Test(cache_file, directory_that_others_may_enter_is_left_alone)
{
	own_shm("size=4m");
	mkdir(dir, 0700);
	chmod(dir, 0710);
	expect(NULL, CACHE_PRIVATE, "directory is open to others, mode 710");
	chmod(dir, 01777);
	expect(NULL, CACHE_PRIVATE, "directory is open to others");
}

Test(cache_file, directory_that_is_a_file_is_left_alone)
{
	own_shm("size=4m");
	close(open(dir, O_CREAT | O_WRONLY, 0600));
	expect(NULL, CACHE_PRIVATE, "directory: Not a directory");
}

Test(cache_file, link_in_its_place_is_not_followed)
{
	struct stat st;

	own_shm("size=4m");
	mkdir(dir, 0700);
	close(open("/dev/shm/precious", O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(symlink("/dev/shm/precious", path), 0);
	expect(NULL, CACHE_PRIVATE, "is a symbolic link");
	cr_assert_eq(stat("/dev/shm/precious", &st), 0);
	cr_assert_eq(st.st_size, 0);
	unlink(path);
	cr_assert_eq(symlink("/dev/shm/nowhere", path), 0);
	expect(NULL, CACHE_PRIVATE, "is a symbolic link");
}

Test(cache_file, file_of_another_user_is_left_alone)
{
	own_shm("size=4m");
	make_file();
	give_away(path);
	expect(NULL, CACHE_PRIVATE, "belongs to user 1");
}

Test(cache_file, file_of_another_mode_is_left_alone)
{
	own_shm("size=4m");
	make_file();
	chmod(path, 0644);
	expect(NULL, CACHE_PRIVATE, "mode is 0644, not 0600");
	chmod(path, 0602);
	expect(NULL, CACHE_PRIVATE, "mode is 0602, not 0600");
	chmod(path, 04600);
	expect(NULL, CACHE_PRIVATE, "mode is 4600, not 0600");
}

Test(cache_file, second_name_of_the_file_is_a_reason_to_leave_it)
{
	own_shm("size=4m");
	make_file();
	cr_assert_eq(link(path, "/dev/shm/second"), 0);
	expect(NULL, CACHE_PRIVATE, "has 2 links");
}

Test(cache_file, what_is_no_regular_file_is_left_alone)
{
	own_shm("size=4m");
	mkdir(dir, 0700);
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect(NULL, CACHE_PRIVATE, "not a regular file");
	unlink(path);
	cr_assert_eq(mkdir(path, 0600), 0);
	expect(NULL, CACHE_PRIVATE, "open: Is a directory");
}

/* ---- no room ---- */

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

/* ---- content ---- */

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

/* ---- a place that the user named ---- */

Test(cache_file, named_file_that_is_no_cache_is_never_touched)
{
	static const char letter[] = "Dear diary, I shall set NOBLOCKDNS_CACHE to the wrong file.";
	char got[sizeof(letter)] = "";
	char name[128];
	int fd;

	scratch_make(dir);
	snprintf(name, sizeof(name), "%s/diary", dir);
	fd = open(name, O_CREAT | O_RDWR, 0600);
	cr_assert_eq(write(fd, letter, sizeof(letter)), (ssize_t)sizeof(letter));
	expect(name, CACHE_PRIVATE, "not a cache file: left alone");
	cr_assert_eq(pread(fd, got, sizeof(got), 0), (ssize_t)sizeof(got));
	cr_assert_str_eq(got, letter);
	close(fd);
	scratch_remove(dir);
}

Test(cache_file, named_place_works_and_bad_ones_say_why)
{
	char name[5000];

	scratch_make(dir);
	snprintf(name, sizeof(name), "%s/mine", dir);
	expect(name, CACHE_SHARED, NULL);
	expect(name, CACHE_SHARED, NULL);
	snprintf(name, sizeof(name), "%s/no/such", dir);
	expect(name, CACHE_PRIVATE, "No such file or directory");
	expect("relative/path", CACHE_PRIVATE, "not the absolute path of a file");
	expect("", CACHE_PRIVATE, "not the absolute path of a file");
	expect(dir, CACHE_PRIVATE, "open: Is a directory");
	strcat(dir, "/");
	expect(dir, CACHE_PRIVATE, "not the absolute path of a file");
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	expect(name, CACHE_PRIVATE, "path too long");
	name[1000] = '\0';
	expect(name, CACHE_PRIVATE, "File name too long");
	dir[strlen(dir) - 1] = '\0';
	scratch_remove(dir);
}
