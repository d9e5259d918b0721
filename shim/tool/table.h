// SPDX-License-Identifier: MIT
/*
 * table.h - columns that line up. Rows are collected, then written: each column is as wide as its
 * widest cell, two spaces stand between them, nothing at the end of a line.
 *
 *	struct table t;
 *
 *	table_open(&t, 3, (const struct table_column[]){{"NAME"}, {"TTL", TABLE_RIGHT}, {"KIND"}});
 *	table_cell(&t, "%s", name);	row by row, from left to right; escaped as by text_escape()
 *	...
 *	table_write(&t, stdout);
 *	table_free(&t);
 *
 * Without memory the row is missing and table_write() returns -ENOMEM.
 */
#ifndef NOBLOCKDNS_TOOL_TABLE_H
#define NOBLOCKDNS_TOOL_TABLE_H

#include "shim/tool/terminal.h"

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *title; /* borrows; all empty: no line of titles */
	enum table_align align;
};

struct table_cell {
	char *text; /* owns */
	enum terminal_style style;
};

struct table {
	unsigned columns;
	struct table_column column[TABLE_COLUMNS_MAX];
	struct table_cell *cells; /* owns; row by row */
	size_t n, room;
	int error;
};

void table_open(struct table *t, unsigned columns, const struct table_column *column);
__attribute__((format(printf, 2, 3))) void table_cell(struct table *t, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void
table_cell_styled(struct table *t, enum terminal_style style, const char *fmt, ...);
int table_write(const struct table *t, FILE *out);
void table_free(struct table *t);

#endif
