// SPDX-License-Identifier: MIT
/*
 * test_file.c - files as text: whole, by their first bytes, and those that are not regular.
 */
#include "shim/file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/noblockdns-file.XXXXXX";
static char path[sizeof(folder) + 8];

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
}

static void remove_folder(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

TestSuite(file, .init = make_folder, .fini = remove_folder);

/* `n` bytes, each telling its place. */
static void write_bytes(size_t n)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	for (size_t i = 0; i < n; i++)
		cr_assert_neq(fputc('a' + (int)(i % 26), f), EOF);
	cr_assert_eq(fclose(f), 0);
}

static void expect_bytes(const char *text, size_t len, size_t want)
{
	cr_assert_eq(len, want, "%zu bytes, not %zu", len, want);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(text[i], 'a' + (int)(i % 26), "at %zu", i);
}

Test(file, head_ends_at_limit_or_file)
{
	static const struct {
		size_t size, limit, want;
	} cases[] = {
		{0, 10, 0},
		{9, 10, 9},
		{10, 10, 10},
		{11, 10, 10},
		{20000, 10000, 10000},
		{20000, 20000, 20000},
		{20000, 30000, 20000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct file_id id;
		char *text;
		size_t len;

		write_bytes(cases[i].size);
		cr_assert_eq(file_read_head(path, cases[i].limit, &text, &len, &id), 0);
		expect_bytes(text, len, cases[i].want);
		cr_expect_eq(id.size, cases[i].size);
		free(text);
	}
}

Test(file, text_ends_with_a_nul)
{
	static const size_t limits[] = {1, 10, 30, 31, 100};

	write_bytes(30);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		char *text;
		size_t len;

		cr_assert_eq(file_read_text(path, limits[i], &text, &len), 0);
		expect_bytes(text, len, limits[i] < 30 ? limits[i] : 30);
		cr_expect_eq(strlen(text), len);
		free(text);
	}
}

Test(file, past_size_max_is_refused)
{
	struct file_id id;
	char *text;
	size_t len;

	write_bytes(1);
	cr_assert_eq(truncate(path, FILE_SIZE_MAX + 1), 0);
	cr_assert_eq(file_read(path, &text, &len, &id), -EFBIG);
	cr_assert_eq(truncate(path, FILE_SIZE_MAX), 0);
	cr_assert_eq(file_read(path, &text, &len, &id), 0);
	cr_expect_eq(len, FILE_SIZE_MAX);
	free(text);
}

Test(file, proc_is_read_whole)
{
	struct file_id id;
	char *text;
	size_t len;

	cr_assert_eq(file_read("/proc/sys/kernel/random/boot_id", &text, &len, &id), 0);
	cr_expect_eq(len, 37, "%zu bytes: a UUID and a newline are 37", len);
	free(text);
}

/* Would stop here, without an end. */
Test(file, fifo_is_not_waited_for, .timeout = 10)
{
	struct file_id id;
	char *text;
	size_t len;

	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(file_read(path, &text, &len, &id), 0);
	cr_expect_eq(len, 0);
	free(text);
}

Test(file, missing_one_has_no_identity)
{
	static const struct file_id none;
	struct file_id id;
	char *text;
	size_t len;

	cr_assert_eq(file_read(path, &text, &len, &id), -ENOENT);
	cr_expect_eq(memcmp(&id, &none, sizeof(id)), 0);
}
