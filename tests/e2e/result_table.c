// SPDX-License-Identifier: MIT
/*
 * result_table.c - see result_table.h. Each test is a process of its own, so the lines are kept in
 * a file of the build folder; the test program empties it before the first test, and prints it,
 * sorted, after the last one.
 */
#include "tests/e2e/result_table.h"

#include "tests/lab/proc.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_MAX 512

static const struct {
	const char *file, *title, *head[RESULT_CELLS];
} tables[RESULT_TABLES] = {
	[RESULT_RACES] = {"race_table.txt",
			  "Happy Eyeballs: scenarios",
			  {"scenario", "mode", "expected", "measured", "without the shim"}},
	[RESULT_FAULTS] = {"fault_table.txt",
			   "Faults of the upstream",
			   {"fault", "lookups", "expected", "measured", "queries"}},
};

static const char *table_path(enum result_table table)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", lab_build_dir(), tables[table].file);
	return path;
}

static void print_line(FILE *f, const char *number, const char *const cells[RESULT_CELLS])
{
	fprintf(f, "%2s | %-42s | %-15s | %-38s | %-38s | %s\n", number, cells[0], cells[1],
		cells[2], cells[3], cells[4]);
}

void result_table_add(enum result_table table, unsigned row, const char *const cells[RESULT_CELLS])
{
	FILE *f = fopen(table_path(table), "ae");
	char number[8];

	if (f == NULL)
		return;
	snprintf(number, sizeof number, "%u", row);
	print_line(f, number, cells);
	fclose(f);
}

struct line {
	char *text; /* owned */
	unsigned row, order;
};

/* By number; lines of one number stay as they were written. */
static int by_row(const void *a, const void *b)
{
	const struct line *x = a;
	const struct line *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static unsigned read_lines(FILE *f, struct line lines[LINES_MAX])
{
	unsigned n = 0;

	while (n < LINES_MAX) {
		size_t room = 0;

		lines[n] = (struct line){.order = n};
		if (getline(&lines[n].text, &room, f) <= 0)
			break;
		lines[n].row = (unsigned)atoi(lines[n].text);
		n++;
	}
	free(n < LINES_MAX ? lines[n].text : NULL);
	return n;
}

static void print_table(enum result_table table, FILE *f)
{
	static struct line lines[LINES_MAX];
	const unsigned n = read_lines(f, lines);

	if (n == 0)
		return;
	qsort(lines, n, sizeof lines[0], by_row);
	printf("\n== %s\n", tables[table].title);
	print_line(stdout, "#", tables[table].head);
	for (unsigned i = 0; i < n; i++) {
		fputs(lines[i].text, stdout);
		free(lines[i].text);
	}
	putchar('\n');
	fflush(stdout);
}

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	(void)tests;
	for (int t = 0; t < RESULT_TABLES; t++)
		unlink(table_path(t));
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	(void)stats;
	for (int t = 0; t < RESULT_TABLES; t++) {
		FILE *f = fopen(table_path(t), "re");

		if (f == NULL)
			continue;
		print_table(t, f);
		fclose(f);
	}
}
