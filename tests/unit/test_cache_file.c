// SPDX-License-Identifier: MIT
/*
 * test_cache_file.c - what may stand where the cache file should: each case ends in a cache that
 * works, shared or private, and in the reason why it is private. None follows a link, touches what
 * is not a cache file, raises a signal, or keeps a descriptor.
 */
#include "tests/unit/cache_file_rig.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void give_away(const char *what)
{
	if (lchown(what, 1, 1) < 0)
		cr_skip_test("cannot give a file to another user: %s", strerror(errno));
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
