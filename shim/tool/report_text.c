// SPDX-License-Identifier: MIT
/* report_text.c - see report_write.h: the form for a terminal. */
#include "shim/tool/report_write.h"
#include "shim/tool/table.h"
#include "shim/tool/text.h"

#include <string.h>

#define NAME_SHOWN 60

static enum terminal_style style_of(enum report_mark mark)
{
	switch (mark) {
	case REPORT_NEUTRAL:
		return TERMINAL_PLAIN;
	case REPORT_BETTER:
		return TERMINAL_GOOD;
	case REPORT_WORSE:
		return TERMINAL_BAD;
	}
	return TERMINAL_PLAIN;
}

static void write_rows(const struct report_view *v, FILE *out)
{
	struct table t;

	table_open(&t, 4,
		   (const struct table_column[]){{"", TABLE_LEFT},
						 {"WITHOUT", TABLE_RIGHT},
						 {"WITH", TABLE_RIGHT},
						 {"CHANGE", TABLE_RIGHT}});
	for (size_t i = 0; i < v->nrows; i++) {
		const struct report_row *row = &v->rows[i];

		table_cell(&t, "%s%s", row->detail ? "  " : "", row->label);
		for (unsigned side = 0; side < REPORT_SIDES; side++)
			table_cell(&t, "%.*s", NAME_SHOWN, row->value[side]);
		table_cell_styled(&t, style_of(row->mark), "%s", row->change);
	}
	(void)table_write(&t, out);
	table_free(&t);
}

static void group_cells(const struct report_view *v, struct table *t, const struct report_group *g)
{
	char word[REPORT_WORD];

	table_cell(t, "%.*s", NAME_SHOWN, *g->key ? g->key : "(unknown)");
	for (unsigned side = 0; side < REPORT_SIDES; side++) {
		uint64_t blocked =
			g->blocked_ns[side][REPORT_LOOKUP] + g->blocked_ns[side][REPORT_CONNECT];
		unsigned runs = v->side[side].runs;

		table_cell(t, "%s", report_format_mean(g->n[side][REPORT_LOOKUP], runs, word));
		table_cell(t, "%s", report_format_mean(g->n[side][REPORT_CONNECT], runs, word));
		table_cell(t, "%s", runs ? report_format_ns(blocked / runs, word) : "-");
	}
}

static void write_groups(const struct report_view *v, const struct report_group *groups, size_t n,
			 const char *title, FILE *out)
{
	struct table t;

	if (n == 0)
		return;
	table_open(&t, 7,
		   (const struct table_column[]){{title, TABLE_LEFT},
						 {"LOOKUPS", TABLE_RIGHT},
						 {"CONNECTS", TABLE_RIGHT},
						 {"BLOCKED", TABLE_RIGHT},
						 {"LOOKUPS", TABLE_RIGHT},
						 {"CONNECTS", TABLE_RIGHT},
						 {"BLOCKED", TABLE_RIGHT}});
	for (size_t i = 0; i < n && i < REPORT_GROUPS_SHOWN; i++)
		group_cells(v, &t, &groups[i]);
	(void)fputc('\n', out);
	(void)table_write(&t, out);
	if (n > REPORT_GROUPS_SHOWN)
		(void)fprintf(out, "and %zu more\n", n - REPORT_GROUPS_SHOWN);
	table_free(&t);
}

void report_write_text(const struct report_view *v, FILE *out)
{
	char remark[1024], shown[2048];

	write_rows(v, out);
	write_groups(v, v->names, v->nnames, "A RUN, BY NAME: WITHOUT, THEN WITH", out);
	if (v->nprograms > 1)
		write_groups(v, v->programs, v->nprograms, "A RUN, BY PROGRAM", out);
	report_verdict(v, remark, sizeof(remark));
	(void)fprintf(out, "\n%c%s.\n", text_capital(remark[0]), remark + 1);
	for (size_t i = 0; report_remark(v, i, remark, sizeof(remark)); i++) {
		text_escape(remark, strlen(remark), shown, sizeof(shown));
		(void)fprintf(out, "%c%s.\n", text_capital(shown[0]), shown + 1);
	}
}
