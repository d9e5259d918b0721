// SPDX-License-Identifier: MIT
/*
 * test_tool_trace.c - trace files that are cut off, damaged or made up: what is readable is given,
 * the rest counted, and nothing is read past the end (which is AddressSanitizer's to see).
 */
#include "shim/tool/trace_folder.h"
#include "shim/tool/trace_read.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 64
#define SIZE  (TRACE_HEADER_SIZE + CELLS * TRACE_CELL_SIZE)

/* A trace in memory. Records of 1, 2 and 5 cells, and a lookup that the thread is in. */
static union {
	unsigned char bytes[SIZE];
	struct trace_header header;
} good, bad;

static void *cell_of(unsigned char *bytes, unsigned i)
{
	return bytes + TRACE_HEADER_SIZE + i * TRACE_CELL_SIZE;
}

static void put_more(unsigned at, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		((struct trace_more *)cell_of(good.bytes, at))[i].mark =
			TRACE_MARK(TRACE_MORE, 0, i);
}

static unsigned put(unsigned at, enum trace_type type, unsigned n)
{
	struct trace_cell *cell = cell_of(good.bytes, at);

	cell->mark = TRACE_MARK(TRACE_DONE, type, n);
	cell->tid = 1;
	cell->name_len = type == TRACE_LOOKUP ? 20 : type == TRACE_THREAD ? 4 : 0;
	if (type == TRACE_LOOKUP) {
		cell->lookup.n_kept = 1;
		memset(cell->lookup.tail, 'x', sizeof(cell->lookup.tail));
	}
	put_more(at, n);
	return at + n;
}

static void make_good(void)
{
	unsigned at = put(0, TRACE_THREAD, TRACE_THREAD_CELLS);
	struct trace_under_way *u = cell_of(good.bytes, TRACE_THREAD_UNDER_WAY);

	u->type = TRACE_LOOKUP;
	u->number = 9;
	memcpy(u->bytes, "hang.test", 9);

	memcpy(good.header.magic, TRACE_MAGIC, 8);
	good.header.version = TRACE_VERSION;
	good.header.byte_order = TRACE_BYTE_ORDER;
	good.header.header_size = TRACE_HEADER_SIZE;
	good.header.cell_size = TRACE_CELL_SIZE;
	memcpy(good.header.argv, "a\0b", 4);
	good.header.argv_len = 4;
	while (at + 5 <= CELLS) {
		at = put(at, TRACE_LOOKUP, 2);
		at = put(at, TRACE_CONNECT, 1);
		at = put(at, TRACE_RACE, 2);
	}
	good.header.used = at;
	bad = good;
}

TestSuite(tool_trace, .init = make_good);

/* Reads all of it, from an allocation of exactly that size; -1: it cannot be opened. */
static int count(const void *bytes, size_t size, struct trace_info *ret)
{
	void *exact = malloc(size ? size : 1);
	struct trace_file *file;
	struct trace_record r;
	int n = -1;

	memcpy(exact, bytes, size);
	if (trace_open_bytes(exact, size, &file) == 0) {
		for (n = 0; trace_next(file, &r); n++)
			cr_assert(r.name != NULL && r.thread != NULL);
		*ret = *trace_info(file);
		ret->argv = NULL;
		trace_close(file);
	}
	free(exact);
	return n;
}

static int count_good(void)
{
	struct trace_info info;
	int n = count(good.bytes, SIZE, &info);

	cr_assert_eq(info.records, (uint64_t)n);
	cr_assert(info.unfinished == 0 && info.damaged == 0 && !info.truncated);
	return n;
}

Test(tool_trace, file_cut_off_anywhere_gives_what_is_before)
{
	int all = count_good(), last = -1;
	struct trace_info info;

	for (size_t size = 0; size <= SIZE; size++) {
		int n = count(good.bytes, size, &info);

		cr_assert_geq(n, last, "%zu bytes: %d records, with fewer %d", size, n, last);
		if (size >= TRACE_HEADER_SIZE) {
			size_t used = TRACE_HEADER_SIZE + good.header.used * TRACE_CELL_SIZE;

			cr_assert_eq(info.truncated, size < used, "%zu bytes", size);
			cr_assert_leq(info.damaged + info.unfinished, 1u, "%zu bytes", size);
		}
		last = n;
	}
	cr_assert_eq(last, all);
}

/* At most the record is lost that the byte is in, one that is taken for a part of it, and what the
 * thread is in. */
Test(tool_trace, byte_that_is_wrong_costs_a_record)
{
	int all = count_good();
	struct trace_info info;

	for (size_t at = TRACE_HEADER_SIZE; at < SIZE; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			int n;

			bad.bytes[at] ^= (unsigned char)(1u << bit);
			n = count(bad.bytes, SIZE, &info);
			cr_assert_geq(n, all - 3, "byte %zu, bit %u: %d of %d", at, bit, n, all);
			cr_assert(n >= all - 1 || info.damaged + info.unfinished > 0);
			bad.bytes[at] = good.bytes[at];
		}
	}
}

Test(tool_trace, header_that_is_wrong_harms_nobody)
{
	struct trace_info info;

	for (size_t at = 0; at < TRACE_HEADER_SIZE; at++) {
		bad.bytes[at] ^= 0xff;
		(void)count(bad.bytes, SIZE, &info);
		bad.bytes[at] = good.bytes[at];
	}
}

Test(tool_trace, random_cells_harm_nobody)
{
	struct trace_info info;

	srandom(1);
	for (unsigned round = 0; round < 2000; round++) {
		for (unsigned i = 0; i < CELLS; i++) {
			unsigned char *cell = cell_of(bad.bytes, i);

			for (unsigned k = 0; k < TRACE_CELL_SIZE; k++)
				cell[k] = (unsigned char)random();
			/* half of them look like a record at first sight */
			if (random() % 2 == 0)
				((struct trace_cell *)(void *)cell)->mark =
					TRACE_MARK(random() % 4, random() % 6, random() % 12);
		}
		(void)count(bad.bytes, SIZE, &info);
	}
}

Test(tool_trace, other_files_are_refused)
{
	struct trace_file *file;

	bad.header.version++;
	cr_expect_eq(trace_open_bytes(bad.bytes, SIZE, &file), -TRACE_OPEN_VERSION);
	bad = good;
	bad.header.byte_order = 0x04030201;
	cr_expect_eq(trace_open_bytes(bad.bytes, SIZE, &file), -TRACE_OPEN_VERSION);
	bad = good;
	bad.header.magic[0] = 'X';
	cr_expect_eq(trace_open_bytes(bad.bytes, SIZE, &file), -TRACE_OPEN_FOREIGN);
	cr_expect_eq(trace_open("/dev/null", &file), -TRACE_OPEN_FOREIGN);
	cr_expect_eq(trace_open("/", &file), -EISDIR);
	cr_expect_eq(trace_open("/nowhere.trace", &file), -ENOENT);
}

Test(tool_trace, unfinished_records_are_counted)
{
	int all = count_good();
	struct trace_cell *first = cell_of(bad.bytes, 5), *second = cell_of(bad.bytes, 10);
	struct trace_info info;

	first->mark = TRACE_MARK(TRACE_WRITING, 0, 2); /* a lookup, whose second cell is there */
	memset(second, 0, 2 * TRACE_CELL_SIZE);	       /* a lookup that was only reserved */
	cr_expect_eq(count(bad.bytes, SIZE, &info), all - 2);
	cr_expect_eq(info.unfinished, 2u);
	cr_expect_eq(info.damaged, 0u);
}

Test(tool_trace, lengths_are_not_believed)
{
	struct trace_cell *lookup = cell_of(bad.bytes, 5);
	int all = count_good();
	struct trace_info info;

	lookup->name_len = 80; /* two cells hold 88 bytes, and an address is behind the name */
	cr_expect_eq(count(bad.bytes, SIZE, &info), all - 1);
	cr_expect_eq(info.damaged, 1u);
	lookup->name_len = 20;
	lookup->lookup.n_kept = TRACE_ADDRS_MAX + 1;
	cr_expect_eq(count(bad.bytes, SIZE, &info), all - 1);
	bad.header.used = UINT64_MAX;
	(void)count(bad.bytes, SIZE, &info);
	cr_expect(info.truncated);
}

Test(tool_trace, words_for_numbers_that_are_none)
{
	cr_expect_str_eq(trace_type_to_str((enum trace_type)77), "?");
	cr_expect_str_eq(trace_function_to_str((enum trace_function)77), "?");
	cr_expect_str_eq(trace_source_to_str((enum trace_source)77), "?");
	cr_expect_str_eq(trace_race_end_to_str((enum trace_race_end)77), "?");
}

/* ---- folders ---- */

static void append_name(void *ctx, const char *path)
{
	char *names = ctx;

	strcat(names, strrchr(path, '/') + 1);
	strcat(names, " ");
}

Test(tool_trace, files_of_a_folder_come_in_the_order_of_their_begin)
{
	static const char *const made[] = {"noblockdns-9-200.trace",
					   "noblockdns-10-30.trace",
					   "noblockdns-7-1000.trace",
					   "noblockdns-7-4.trace",
					   "notes.txt",
					   ".trace"};
	char folder[64], path[128], names[512] = "";

	scratch_make(folder);
	cr_assert_eq(trace_folder_each(folder, append_name, names), 0);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, made[i]);
		cr_assert_eq(fclose(fopen(path, "w")), 0);
	}
	cr_assert_eq(trace_folder_each(folder, append_name, names), 4);
	cr_assert_str_eq(names, "noblockdns-7-4.trace noblockdns-10-30.trace "
				"noblockdns-9-200.trace noblockdns-7-1000.trace ");
	scratch_remove(folder);
	cr_assert_eq(trace_folder_each(folder, append_name, names), -ENOENT);
}
