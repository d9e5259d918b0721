// SPDX-License-Identifier: MIT
/*
 * cache_file_rig.h - a small tmpfs of the test's own at /dev/shm, in a mount namespace of its own;
 * where that cannot be had, the test is skipped. And caches opened there, each of which has to
 * work.
 */
#ifndef CACHE_FILE_RIG_H
#define CACHE_FILE_RIG_H

#include "shim/cache.h"

#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define SIZE CACHE_SIZE_MIN

static char dir[64], path[96];
static char why[256];

static inline void write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	if (fd >= 0) {
		(void)!write(fd, text, strlen(text));
		close(fd);
	}
}

static inline void enter_namespace(void)
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
static inline void own_shm(const char *options)
{
	enter_namespace();
	if (mount("tmpfs", "/dev/shm", "tmpfs", 0, options) < 0)
		cr_skip_test("no tmpfs: %s", strerror(errno));
	snprintf(dir, sizeof(dir), "/dev/shm/noblockdns.%u", geteuid());
	snprintf(path, sizeof(path), "%s/cache-v%u", dir, CACHE_LAYOUT);
}

static inline unsigned count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static inline struct cache *try_open(const char *at, size_t size)
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
static inline void assert_works(struct cache *cache)
{
	struct sample s = {.number = 1, .version = 4, .view = SAMPLE_VIEW}, got;

	cr_assert_eq(sample_store(cache, &s, SAMPLE_NOW), 0);
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, &got), 0);
	cr_assert_eq(got.version, 4);
	cr_assert(cache_is_current(cache));
}

/* `at` NULL: the default place. `reason` NULL: none is given. */
static inline void expect(const char *at, enum cache_backing backing, const char *reason)
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
static inline void make_file(void)
{
	expect(NULL, CACHE_SHARED, NULL);
}

#endif
