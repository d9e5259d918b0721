// SPDX-License-Identifier: MIT
/*
 * test_tool_report_forms.c - what the four forms of a comparison's report make of hostile names and
 * of very many of them.
 */
#include "shim/tool/report_html.h"
#include "shim/tool/report_write.h"
#include "tests/unit/report_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE "<script>alert('1')</script>|`\"&[x](http://x)\033[31m\n\xff.test"

static char *written(struct report *r, void (*write)(const struct report_view *v, FILE *out))
{
	struct report_view v;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	report_view_open(r, &v);
	write(&v, out);
	cr_assert_eq(fclose(out), 0);
	report_view_free(&v);
	return text;
}

static void make_hostile(struct report *r)
{
	report_open(r);
	r->command = HOSTILE;
	for (unsigned i = 0; i < 2; i++) {
		struct report_run *run = add_run(r, i ? REPORT_WITH : REPORT_WITHOUT, 1);

		run->threads[0].name = run->processes[0].program = report_text(r, HOSTILE);
		run->complaint = HOSTILE;
		run->end.status = 1;
		add_turn(r, 0, 400);
		add_wait(r, REPORT_LOOKUP, 0, 200, HOSTILE);
		add_wait(r, REPORT_CONNECT, 200, 100, HOSTILE);
		run->waits[0].detail = run->waits[0].result = HOSTILE;
		settle(r);
	}
}

static char *written_hostile(void (*write)(const struct report_view *v, FILE *out))
{
	struct report r;
	char *text;

	make_hostile(&r);
	text = written(&r, write);
	report_free(&r);
	return text;
}

/* No byte of a stranger's is markup, nor a control character. */
static void is_harmless(void (*write)(const struct report_view *v, FILE *out), const char *marker,
			const char *const *forbidden)
{
	char *text = written_hostile(write);

	cr_assert_not_null(strstr(text, marker), "%s", marker);
	cr_assert_null(strchr(text, '\033'));
	cr_assert_null(strchr(text, '\xff'));
	for (; *forbidden; forbidden++)
		cr_assert_null(strstr(text, *forbidden), "%s", *forbidden);
	free(text);
}

#define NOT(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(tool_report, html_escapes_what_is_hostile)
{
	is_harmless(report_write_html, "&#60;script&#62;", NOT("<script", "alert('"));
}

Test(tool_report, markdown_escapes_what_is_hostile)
{
	is_harmless(report_write_markdown, "&#60;script&#62;",
		    NOT("<script", "alert('", "[x]", "://"));
}

Test(tool_report, text_shows_control_characters_as_escapes)
{
	is_harmless(report_write_text, "\\x1b[31m\\x0a\\xff", NOT("\n\xff"));
}

Test(tool_report, json_has_utf8_alone)
{
	is_harmless(report_write_json, "\\u001b[31m\\u000a\\ufffd", NOT("`\"&"));
}

/* A sentence that begins with a figure has no capital. */
Test(tool_report, figure_at_the_begin_of_a_remark_stays)
{
	static void (*const forms[])(const struct report_view *v, FILE *out) = {
		report_write_text, report_write_html, report_write_markdown, report_write_json};
	struct report r;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1)->lost = 3;
	settle(&r);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char *text = written(&r, forms[i]);

		cr_assert_not_null(strstr(text, "3 records of the traces are missing"), "form %zu",
				   i);
		cr_assert_null(strchr(text, '3' & ~0x20), "form %zu", i);
		free(text);
	}
	report_free(&r);
}

Test(tool_report, markdown_cells_stay_in_their_columns)
{
	char *text = written_hostile(report_write_markdown), *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned bars = 0;

		for (const char *p = line; *p; p++)
			bars += *p == '|';
		cr_assert(bars == 0 || bars == 5 || bars == 6, "%s", line);
	}
	free(text);
}

Test(tool_report, page_needs_nothing_else)
{
	static const char *const forbidden[] = {"<script", "src=", "http:",  "https:",
						"@import", "url(", "onload", "<link rel=\"style"};
	struct report r;
	char *text;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	add_wait(&r, REPORT_LOOKUP, 0, 300, "a.test");
	settle(&r);
	text = written(&r, report_write_html);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		cr_assert_null(strstr(text, forbidden[i]), "%s", forbidden[i]);
	free(text);
	report_free(&r);
}

Test(tool_report, page_says_when_and_for_which_name)
{
	struct report r;
	char *text;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	add_turn(&r, 1000, 320);
	add_wait(&r, REPORT_LOOKUP, 1010, 300, "slow.test");
	settle(&r);
	text = written(&r, report_write_html);
	cr_assert_not_null(strstr(text, "style=\"left:20.2000%;width:6.0000%\""));
	cr_assert_not_null(strstr(text, "<b>300 ms</b> lookup of slow.test"));
	cr_assert_not_null(strstr(text, "<b>320 ms</b> loop turn, 300 ms in lookups"));
	cr_assert_not_null(strstr(text, "p50 300 ms"));
	free(text);
	report_free(&r);
}

Test(tool_report, page_stays_small_with_very_many_waits)
{
	struct report r;
	char name[32], *text;

	report_open(&r);
	add_run(&r, REPORT_WITHOUT, 1);
	for (uint64_t i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "n%u.test", (unsigned)(i % 5000));
		add_wait(&r, REPORT_LOOKUP, i, i % 1000, name);
	}
	settle(&r);
	text = written(&r, report_write_html);
	cr_assert_lt(strlen(text), 400000);
	cr_assert_not_null(strstr(text, "are not drawn"));
	cr_assert_not_null(strstr(text, "more are not listed"));
	free(text);
	report_free(&r);
}

Test(tool_report, empty_report_has_all_forms)
{
	struct report r;

	report_open(&r);
	free(written(&r, report_write_html));
	free(written(&r, report_write_json));
	free(written(&r, report_write_markdown));
	free(written(&r, report_write_text));
	cr_assert(!r.no_memory);
	report_free(&r);
}
