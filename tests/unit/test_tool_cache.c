// SPDX-License-Identifier: MIT
/*
 * test_tool_cache.c - a cache file seen from outside, while others write to it, and damaged ones.
 */
#include "shim/failures.h"
#include "shim/name.h"
#include "shim/tool/cache_items.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY   8000
#define VOLUME ((size_t)16 << 20) /* bytes: no entry has to go for another */

TestSuite(tool_cache, .init = scratch_file_make, .fini = scratch_file_remove);

/* ---- helpers ---- */

static void fill(unsigned from, unsigned n, uint64_t view)
{
	struct cache *cache = scratch_file_open(VOLUME);

	for (unsigned i = from; i < from + n; i++) {
		const struct sample s = {.number = i, .view = view, .stored_ms = SAMPLE_NOW};

		cr_assert_eq(sample_store(cache, &s, SAMPLE_NOW), 0);
	}
	cache_close(cache);
}

static void find(struct cache_found *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->path, sizeof(ret->path), "%s", scratch_path);
	cr_assert_eq(cache_found_open(ret), 0, "%s", ret->why);
}

static struct settings own_settings = {.view = SAMPLE_VIEW};

static const struct cache_self self = {
	.settings = &own_settings, .now_ms = SAMPLE_NOW + 1000, .keep_s = 86400};

static void read_all(const struct cache_filter *filter, struct cache_items *ret)
{
	struct cache_found found;

	find(&found);
	cr_assert_eq(cache_items_read(&found, &self, filter, ret), 0);
	cache_found_close(&found);
}

static bool is_sample(const struct cache_kept *kept, unsigned number)
{
	char name[64];
	size_t len = sample_name(number, name);

	return kept->entry.name_len == len && memcmp(kept->entry.name, name, len) == 0;
}

/* ---- what is listed ---- */

Test(tool_cache, every_entry_is_listed_once_by_name)
{
	struct cache_items items;

	fill(0, MANY, SAMPLE_VIEW);
	read_all(&(struct cache_filter){.name = NULL}, &items);
	cr_assert_eq(items.n, MANY, "%zu", items.n);
	for (unsigned i = 0; i < MANY; i++)
		cr_assert(is_sample(&items.kept[i], i), "%u", i);
	cr_assert_eq(items.count.damaged + items.count.strays + items.count.lost, 0);
	cache_items_free(&items);
}

/* Writes the same 200 names, of all sizes, again and again. */
static void write_for_ever(unsigned seed)
{
	struct cache *cache = scratch_file_open(VOLUME);

	for (unsigned i = seed;; i = i * 1103515245 + 12345) {
		const struct sample s = {.number = MANY + (i >> 8) % 200,
					 .version = i >> 16,
					 .size = (enum sample_size)((i >> 4) % 3),
					 .view = SAMPLE_VIEW,
					 .stored_ms = SAMPLE_NOW};

		sample_store(cache, &s, SAMPLE_NOW);
		sample_use(cache, (i >> 8) % MANY, SAMPLE_VIEW);
	}
}

Test(tool_cache, what_is_stable_is_listed_while_others_write)
{
	pid_t writers[2];

	fill(0, MANY, SAMPLE_VIEW);
	for (unsigned i = 0; i < 2; i++) {
		writers[i] = fork();
		if (writers[i] == 0)
			write_for_ever(i + 1);
	}
	for (int round = 0; round < 20; round++) {
		struct cache_items items;
		unsigned stable = 0;

		read_all(&(struct cache_filter){.name = NULL}, &items);
		for (size_t i = 0; i < items.n; i++)
			stable += stable < MANY && is_sample(&items.kept[i], stable);
		cr_expect_eq(stable, MANY, "%u", stable);
		cr_expect_leq(items.n, MANY + 200, "%zu", items.n);
		cache_items_free(&items);
	}
	for (int i = 0; i < 2; i++) {
		kill(writers[i], SIGKILL);
		waitpid(writers[i], NULL, 0);
	}
}

static size_t count(const struct cache_filter *filter)
{
	struct cache_items items;
	size_t n;

	read_all(filter, &items);
	n = items.n;
	cache_items_free(&items);
	return n;
}

static const struct name *folded(const char *text)
{
	static struct name name;

	cr_assert_eq(name_fold(text, &name), 0);
	return &name;
}

Test(tool_cache, filters_choose_by_name_suffix_and_view)
{
	fill(0, 20, SAMPLE_VIEW);
	fill(0, 5, 77);
	cr_expect_eq(count(&(struct cache_filter){.name = folded("www.shop00003.example.com")}), 2);
	cr_expect_eq(count(&(struct cache_filter){.suffix = folded("SHOP00003.example.com.")}), 2);
	cr_expect_eq(count(&(struct cache_filter){.suffix = folded("example.com")}), 25);
	cr_expect_eq(count(&(struct cache_filter){.suffix = folded("ample.com")}), 0);
	cr_expect_eq(count(&(struct cache_filter){.suffix = folded(".")}), 25);
	cr_expect_eq(count(&(struct cache_filter){.view = "own"}), 20);
	cr_expect_eq(count(&(struct cache_filter){.view = "0000"}), 5);
	cr_expect_eq(count(&(struct cache_filter){.view = "5650"}), 20);
}

Test(tool_cache, failures_have_the_view_of_their_name)
{
	struct cache *cache = scratch_file_open(VOLUME);
	const struct entry_rrset failed[ENTRY_NTYPES] = {
		{.kind = RESOLVER_FAILURE, .failure = RESOLVER_SERVFAIL}};
	struct cache_items items;

	failures_note(cache, SAMPLE_VIEW, folded("www.test"), failed, SAMPLE_NOW);
	cache_close(cache);
	read_all(&(struct cache_filter){.view = "own"}, &items);
	cr_assert_eq(items.n, 1);
	cr_expect(items.kept[0].failures);
	cr_expect_eq(items.kept[0].entry.view, SAMPLE_VIEW);
	cache_items_free(&items);
}

/* ---- ages ---- */

static enum cache_age age_of(const struct entry_rrset *rr, uint64_t *ret_s)
{
	const struct cache_kept kept = {.failures = false};

	return cache_age_of(&self, &kept, rr, ret_s);
}

Test(tool_cache, expired_addresses_are_stale_as_long_as_they_are_given)
{
	struct entry_rrset rr = {.kind = RESOLVER_ANSWER, .naddrs = 1, .ttl_s = 60};
	uint64_t s;

	rr.stored_ms = self.now_ms - 59500;
	cr_expect_eq(age_of(&rr, &s), CACHE_FRESH);
	cr_expect_eq(s, 1);
	rr.stored_ms = self.now_ms - 62000;
	cr_expect_eq(age_of(&rr, &s), CACHE_STALE);
	cr_expect_eq(s, 2);
	rr.stored_ms = self.now_ms - (60 + 86400) * 1000;
	cr_expect_eq(age_of(&rr, &s), CACHE_EXPIRED);
	rr = (struct entry_rrset){
		.kind = RESOLVER_NXDOMAIN, .ttl_s = 1, .stored_ms = self.now_ms - 1000};
	cr_expect_eq(age_of(&rr, &s), CACHE_EXPIRED);
	rr.stored_ms = self.now_ms + 5000;
	cr_expect_eq(age_of(&rr, &s), CACHE_FUTURE);
}

Test(tool_cache, entries_are_sorted_by_time_left)
{
	struct cache *cache = scratch_file_open(VOLUME);
	struct cache_found found;
	struct cache_items items;

	for (unsigned i = 0; i < 10; i++) {
		const struct sample s = {.number = i,
					 .version = i * 7 % 10, /* the TTL */
					 .view = SAMPLE_VIEW,
					 .stored_ms = SAMPLE_NOW};

		sample_store(cache, &s, SAMPLE_NOW);
	}
	cache_close(cache);
	find(&found);
	cr_assert_eq(cache_items_read(&found, &self, &(struct cache_filter){.name = NULL}, &items),
		     0);
	cache_items_sort(&items, &self, CACHE_SORT_TTL, false);
	for (unsigned i = 1; i < 10; i++)
		cr_expect_lt(items.kept[i - 1].entry.rr[0].ttl_s, items.kept[i].entry.rr[0].ttl_s);
	cache_items_sort(&items, &self, CACHE_SORT_TTL, true);
	cr_expect_eq(items.kept[0].entry.rr[0].ttl_s, 1009);
	cache_items_free(&items);
	cache_found_close(&found);
}

/* ---- damage ---- */

static void overwrite(off_t at, const void *bytes, size_t len)
{
	int fd = open(scratch_path, O_RDWR);

	cr_assert_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
	close(fd);
}

Test(tool_cache, file_that_was_cut_off_shows_what_is_left)
{
	size_t before = MANY + 1;

	fill(0, MANY, SAMPLE_VIEW);
	for (off_t size = VOLUME; size >= 0; size -= (off_t)VOLUME / 16) {
		struct cache_items items;

		cr_assert_eq(truncate(scratch_path, size), 0);
		read_all(&(struct cache_filter){.name = NULL}, &items);
		cr_expect_leq(items.n, before, "%zu", items.n);
		if (size == (off_t)VOLUME)
			cr_expect_eq(items.n, MANY);
		else if (size > 0)
			cr_expect_eq(items.n + items.count.damaged, MANY, "%zu %llu", items.n,
				     items.count.damaged);
		else
			cr_expect_gt(items.count.lost, 0);
		before = items.n;
		cache_items_free(&items);
	}
}

Test(tool_cache, damaged_header_hides_no_entry)
{
	struct cache_found found;
	struct cache_items items;

	fill(0, MANY, SAMPLE_VIEW);
	overwrite(32, "\xff\xff\xff", 3); /* the seed */
	find(&found);
	cr_expect_not(found.whole);
	cr_expect_null(found.cache);
	cache_found_close(&found);
	read_all(&(struct cache_filter){.name = NULL}, &items);
	cr_expect_eq(items.n, MANY, "%zu", items.n);
	cache_items_free(&items);
}

Test(tool_cache, damaged_entries_are_counted)
{
	struct cache_items items;
	struct cache_found found;
	size_t left, damaged;
	uint64_t from;

	fill(0, MANY, SAMPLE_VIEW);
	find(&found);
	from = found.header.classes[CACHE_SMALL].slots_at;
	cache_found_close(&found);
	/* a byte in each page, behind the slot's head */
	for (uint64_t at = from + 100; at < from + ((uint64_t)1 << 20); at += 4096)
		overwrite((off_t)at, "\x55", 1);
	read_all(&(struct cache_filter){.name = NULL}, &items);
	left = items.n;
	damaged = items.count.damaged;
	cr_expect_eq(left + damaged, MANY, "%zu and %zu", left, damaged);
	cr_expect_gt(damaged, 50);
	cr_expect_leq(damaged, 256);
	cache_items_free(&items);
}

Test(tool_cache, random_bytes_crash_nobody)
{
	struct cache_items items;
	struct cache_header header;
	unsigned char *bytes = malloc(VOLUME);
	int fd;

	fill(0, 10, SAMPLE_VIEW);
	fd = open(scratch_path, O_RDWR);
	cr_assert_eq(pread(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	srandom(1);
	for (size_t i = 0; i < VOLUME; i++)
		bytes[i] = (unsigned char)random();
	memcpy(bytes, &header, sizeof(header));
	cr_assert_eq(pwrite(fd, bytes, VOLUME, 0), (ssize_t)VOLUME);
	close(fd);
	free(bytes);
	read_all(&(struct cache_filter){.name = NULL}, &items);
	cr_expect_eq(items.n, 0);
	cr_expect_gt(items.count.damaged, 40000);
	cache_items_free(&items);
}

/* ---- what is no cache ---- */

Test(tool_cache, file_of_another_kind_is_refused)
{
	struct cache_found found = {.fd = -1};

	snprintf(found.path, sizeof(found.path), "%s/none", scratch_dir);
	cr_expect_eq(cache_found_open(&found), -ENOENT);
	snprintf(found.path, sizeof(found.path), "%s", scratch_dir);
	cr_expect_lt(cache_found_open(&found), 0);
	cr_assert_eq(symlink("/dev/null", scratch_path), 0);
	snprintf(found.path, sizeof(found.path), "%s", scratch_path);
	cr_expect_eq(cache_found_open(&found), -ELOOP);
	cr_expect_str_eq(found.why, "is a symbolic link");
}
