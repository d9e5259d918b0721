// SPDX-License-Identifier: MIT
/* table.c - see table.h. */
#include "shim/tool/table.h"

#include "shim/tool/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CELL_MAX 2048

void table_open(struct table *t, unsigned columns, const struct table_column *column)
{
	memset(t, 0, sizeof(*t));
	t->columns = columns < TABLE_COLUMNS_MAX ? columns : TABLE_COLUMNS_MAX;
	memcpy(t->column, column, t->columns * sizeof(*column));
}

static void add(struct table *t, enum terminal_style style, const char *fmt, va_list ap)
{
	char raw[CELL_MAX], shown[CELL_MAX];
	struct table_cell *cells;

	if (t->n == t->room) {
		cells = reallocarray(t->cells, t->room * 2 + t->columns * 16, sizeof(*cells));
		if (cells == NULL) {
			t->error = -ENOMEM;
			return;
		}
		t->cells = cells;
		t->room = t->room * 2 + t->columns * 16;
	}
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	text_escape(raw, strlen(raw), shown, sizeof(shown));
	t->cells[t->n] = (struct table_cell){strdup(shown), style};
	if (t->cells[t->n].text == NULL)
		t->error = -ENOMEM;
	else
		t->n++;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(t, TERMINAL_PLAIN, fmt, ap);
	va_end(ap);
}

void table_cell_styled(struct table *t, enum terminal_style style, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(t, style, fmt, ap);
	va_end(ap);
}

static void measure(const struct table *t, size_t width[TABLE_COLUMNS_MAX])
{
	for (unsigned c = 0; c < t->columns; c++)
		width[c] = text_columns(t->column[c].title);
	for (size_t i = 0; i < t->n; i++) {
		size_t columns = text_columns(t->cells[i].text);

		if (columns > width[i % t->columns])
			width[i % t->columns] = columns;
	}
}

static void write_spaces(FILE *out, size_t n)
{
	for (; n > 0; n--)
		(void)fputc(' ', out);
}

static void write_cell(const struct table *t, FILE *out, unsigned c, const char *text,
		       enum terminal_style style, const size_t *width)
{
	size_t gap = width[c] - text_columns(text);

	if (t->column[c].align == TABLE_RIGHT)
		write_spaces(out, gap);
	terminal_write(out, style, text);
	if (c + 1 == t->columns)
		(void)fputc('\n', out);
	else
		write_spaces(out, t->column[c].align == TABLE_LEFT ? gap + 2 : 2);
}

int table_write(const struct table *t, FILE *out)
{
	size_t width[TABLE_COLUMNS_MAX], titles = 0;
	bool colour = terminal_has_colour(out); /* asked once, not for each cell */

	if (t->columns == 0)
		return t->error;
	measure(t, width);
	for (unsigned c = 0; c < t->columns; c++)
		titles += strlen(t->column[c].title);
	for (unsigned c = 0; titles > 0 && c < t->columns; c++)
		write_cell(t, out, c, t->column[c].title, TERMINAL_BOLD, width);
	for (size_t i = 0; i < t->n - t->n % t->columns; i++)
		write_cell(t, out, (unsigned)(i % t->columns), t->cells[i].text,
			   colour ? t->cells[i].style : TERMINAL_PLAIN, width);
	return t->error;
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
}
