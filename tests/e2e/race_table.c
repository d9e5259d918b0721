// SPDX-License-Identifier: MIT
/*
 * race_table.c - the table of scenarios. Each test is a process of its own, so its lines are kept
 * in a file of the build folder; the test program empties it before the first test, and prints it,
 * sorted, after the last one.
 */
#include "tests/e2e/race_run.h"
#include "tests/lab/proc.h"

#include <criterion/hooks.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_MAX 512
#define LINE	  "%2s | %-42s | %-15s | %-38s | %-38s | %s\n"

static const char *table_path(void)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/race_table.txt", lab_build_dir());
	return path;
}

void race_table_add(unsigned row, const char *what, const char *mode, const char *expected,
		    const char *measured, const char *without)
{
	char number[8];
	int fd = open(table_path(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		return;
	snprintf(number, sizeof number, "%u", row);
	dprintf(fd, LINE, number, what, mode, expected, measured, without);
	close(fd);
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

static void print_table(FILE *f)
{
	static struct line lines[LINES_MAX];
	const unsigned n = read_lines(f, lines);

	if (n == 0)
		return;
	qsort(lines, n, sizeof lines[0], by_row);
	printf("\n== Happy Eyeballs: scenarios\n" LINE, "#", "scenario", "mode", "expected",
	       "measured", "without the shim");
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
	unlink(table_path());
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	FILE *f = fopen(table_path(), "re");

	(void)stats;
	if (f == NULL)
		return;
	print_table(f);
	fclose(f);
}
