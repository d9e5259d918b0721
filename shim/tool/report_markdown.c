// SPDX-License-Identifier: MIT
/*
 * report_markdown.c - see report_write.h. Names stand as HTML entities where Markdown or HTML would
 * read something into them: every character of punctuation, so nothing has to be known of either.
 */
#include "shim/tool/report_write.h"
#include "shim/tool/text.h"

#include <ctype.h>
#include <string.h>

#define SHOWN 400 /* bytes of one text */

static void put(FILE *out, const char *text)
{
	char shown[SHOWN];

	(void)text_escape(text, strlen(text), shown, sizeof(shown));
	for (const char *p = shown; *p; p++) {
		/* "www." would be made a link; figures may keep their points. */
		bool plain = strchr("-%,;()/", *p) ||
			     (*p == '.' && (p[1] == ' ' || isdigit((unsigned char)p[1])));

		if (ispunct((unsigned char)*p) && !plain)
			(void)fprintf(out, "&#%d;", *p);
		else
			(void)fputc(*p, out);
	}
}

static const char *sign_of(enum report_mark mark)
{
	switch (mark) {
	case REPORT_NEUTRAL:
		return "";
	case REPORT_BETTER:
		return " \xe2\x9c\x85"; /* white heavy check mark */
	case REPORT_WORSE:
		return " \xe2\x9d\x8c"; /* cross mark */
	}
	return "";
}

static void write_row(const struct report_row *row, FILE *out)
{
	(void)fprintf(out, "| %s%s | ", row->detail ? "&nbsp;&nbsp;" : "", row->label);
	for (unsigned side = 0; side < REPORT_SIDES; side++) {
		put(out, row->value[side]);
		(void)fputs(" | ", out);
	}
	put(out, row->change);
	(void)fprintf(out, "%s |\n", sign_of(row->mark));
}

static void write_names(const struct report_view *v, FILE *out)
{
	char word[REPORT_WORD];

	if (v->nnames == 0)
		return;
	(void)fputs("\n<details><summary>By name</summary>\n\n"
		    "| name | blocked a run, without | with | longest, without | with |\n"
		    "| --- | ---: | ---: | ---: | ---: |\n",
		    out);
	for (size_t i = 0; i < v->nnames && i < REPORT_GROUPS_SHOWN; i++) {
		const struct report_group *g = &v->names[i];

		(void)fputs("| ", out);
		put(out, *g->key ? g->key : "(unknown)");
		for (unsigned side = 0; side < REPORT_SIDES; side++) {
			uint64_t blocked = g->blocked_ns[side][REPORT_LOOKUP] +
					   g->blocked_ns[side][REPORT_CONNECT];
			unsigned runs = v->side[side].runs;

			(void)fprintf(out, " | %s",
				      runs ? report_format_ns(blocked / runs, word) : "-");
		}
		for (unsigned side = 0; side < REPORT_SIDES; side++)
			(void)fprintf(out, " | %s", report_format_ns(g->longest_ns[side], word));
		(void)fputs(" |\n", out);
	}
	(void)fputs("\n</details>\n", out);
}

void report_write_markdown(const struct report_view *v, FILE *out)
{
	char text[1024];

	(void)fputs("### ", out);
	put(out, v->report->command);
	report_verdict(v, text, sizeof(text));
	(void)fprintf(out, "\n\n%c%s (%u and %u runs, cache %s).\n\n", text_capital(text[0]),
		      text + 1, v->side[REPORT_WITHOUT].runs, v->side[REPORT_WITH].runs,
		      v->report->cache == REPORT_WARM ? "warm" : "cold");
	for (size_t i = 0; report_remark(v, i, text, sizeof(text)); i++) {
		(void)fputs("- ", out);
		put(out, text);
		(void)fputc('\n', out);
	}
	(void)fputs("\n| | without | with the shim | change |\n| --- | ---: | ---: | ---: |\n",
		    out);
	for (size_t i = 0; i < v->nrows; i++)
		write_row(&v->rows[i], out);
	write_names(v, out);
}
