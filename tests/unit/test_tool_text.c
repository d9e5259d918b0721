// SPDX-License-Identifier: MIT
/*
 * test_tool_text.c - what the command prints of strangers' bytes: escapes, JSON, tables; and what
 * it makes of a mistyped word.
 */
#include "shim/tool/json.h"
#include "shim/tool/nearest.h"
#include "shim/tool/table.h"
#include "shim/tool/text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void escapes(const char *text, size_t len, const char *expected)
{
	char got[256];

	cr_assert_eq(text_escape(text, len, got, sizeof(got)), strlen(expected));
	cr_assert_str_eq(got, expected);
}

Test(tool_text, control_characters_are_escaped)
{
	escapes("\033[31mred\n\177", 10, "\\x1b[31mred\\x0a\\x7f");
}

Test(tool_text, c1_controls_are_escaped)
{
	escapes("a\xc2\x9b"
		"b",
		4, "a\\xc2\\x9bb");
}

/* "moc.knab" would be read as "bank.com". */
Test(tool_text, changes_of_direction_are_escaped)
{
	escapes("\xe2\x80\xae"
		"moc.knab",
		11, "\\xe2\\x80\\xaemoc.knab");
	escapes("\xd8\x9c", 2, "\\xd8\\x9c");
	escapes("\xe2\x81\xa9", 3, "\\xe2\\x81\\xa9");
	escapes("\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8");
	escapes("\xe2\x80\xaf\xe2\x80\xa7", 6, "\xe2\x80\xaf\xe2\x80\xa7"); /* their neighbours */
}

Test(tool_text, utf8_passes)
{
	escapes("b\xc3\xbc"
		"cher \xf0\x9f\x98\x80",
		12,
		"b\xc3\xbc"
		"cher \xf0\x9f\x98\x80");
}

Test(tool_text, what_is_no_utf8_is_escaped)
{
	escapes("\xc0\x80", 2, "\\xc0\\x80");			/* too long a form */
	escapes("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");		/* a surrogate */
	escapes("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
	escapes("\xe2\x82", 2, "\\xe2\\x82");			/* cut off */
}

Test(tool_text, cut_falls_between_characters)
{
	char got[4];

	text_escape("ab\xc3\xbc", 4, got, sizeof(got));
	cr_assert_str_eq(got, "ab");
}

Test(tool_text, columns_count_code_points)
{
	cr_assert_eq(text_columns("b\xc3\xbc"
				  "cher"),
		     6);
}

/* What a function prints. Static storage. */
static FILE *memory(char **text)
{
	static size_t len;

	return open_memstream(text, &len);
}

Test(tool_text, long_lines_are_broken_at_spaces)
{
	char *text;
	FILE *out = memory(&text);

	text_wrap(out, "one two three\nfour", 2, 10);
	fclose(out);
	cr_assert_str_eq(text, "one two\n  three\n  four\n");
	free(text);
}

/* ---- JSON ---- */

Test(tool_json, nested_values_are_separated)
{
	char *text;
	struct json j;

	json_open(&j, memory(&text));
	j.lines = true;
	json_object(&j, NULL);
	json_text(&j, "a", "x");
	json_array(&j, "b");
	json_int(&j, NULL, -1);
	json_uint(&j, NULL, UINT64_MAX);
	json_object(&j, NULL);
	json_end(&j);
	json_end(&j);
	json_bool(&j, "c", true);
	json_text(&j, "d", NULL);
	json_real(&j, "e", 1.25, 2);
	json_end(&j);
	fclose(j.out);
	cr_assert_str_eq(text, "{\"a\":\"x\",\"b\":[-1,18446744073709551615,{}],\"c\":true,"
			       "\"d\":null,\"e\":1.25}\n");
	free(text);
}

Test(tool_json, lines_are_indented_by_depth)
{
	char *text;
	struct json j;

	json_open(&j, memory(&text));
	json_array(&j, NULL);
	json_object(&j, NULL);
	json_null(&j, "a");
	json_end(&j);
	json_end(&j);
	fclose(j.out);
	cr_assert_str_eq(text, "[\n  {\n    \"a\": null\n  }\n]\n");
	free(text);
}

Test(tool_json, hostile_bytes_become_valid_text)
{
	char *text;
	struct json j;

	json_open(&j, memory(&text));
	json_bytes(&j, NULL, "\"\\\0\n\x7f\xff\xc3\xbc\xc2\x9b\xe2\x80\xae", 13);
	fclose(j.out);
	cr_assert_str_eq(text, "\"\\\"\\\\\\u0000\\u000a\\u007f\\ufffd\xc3\xbc"
			       "\\u009b\\u202e\"\n");
	free(text);
}

Test(tool_json, what_is_no_number_is_null)
{
	char *text;
	struct json j;

	json_open(&j, memory(&text));
	j.lines = true;
	json_array(&j, NULL);
	json_real(&j, NULL, NAN, 1);
	json_real(&j, NULL, INFINITY, 1);
	json_end(&j);
	fclose(j.out);
	cr_assert_str_eq(text, "[null,null]\n");
	free(text);
}

/* ---- tables ---- */

Test(tool_table, columns_line_up)
{
	char *text;
	FILE *out = memory(&text);
	struct table t;

	table_open(&t, 3,
		   (const struct table_column[]){
			   {"NAME", TABLE_LEFT}, {"TTL", TABLE_RIGHT}, {"KIND", TABLE_LEFT}});
	table_cell(&t, "www.example");
	table_cell(&t, "%d", 7);
	table_cell(&t, "answer");
	table_cell(&t, "b\xc3\xbc");
	table_cell(&t, "%d", 86400);
	table_cell(&t, "x");
	cr_assert_eq(table_write(&t, out), 0);
	table_free(&t);
	fclose(out);
	cr_assert_str_eq(text, "NAME           TTL  KIND\n"
			       "www.example      7  answer\n"
			       "b\xc3\xbc           86400  x\n");
	free(text);
}

Test(tool_table, cells_are_escaped)
{
	char *text;
	FILE *out = memory(&text);
	struct table t;

	table_open(&t, 1, (const struct table_column[]){{"", TABLE_LEFT}});
	table_cell(&t, "a\033b");
	table_write(&t, out);
	table_free(&t);
	fclose(out);
	cr_assert_str_eq(text, "a\\x1bb\n");
	free(text);
}

/* ---- nearest ---- */

static const char *const words[] = {"run", "doctor", "cache", "stats", "query", NULL};

Test(tool_nearest, one_slip_is_understood)
{
	cr_assert_str_eq(nearest("rum", words), "run");
	cr_assert_str_eq(nearest("docotr", words), "doctor");
	cr_assert_str_eq(nearest("sttas", words), "stats");
	cr_assert_str_eq(nearest("cach", words), "cache");
}

Test(tool_nearest, beginning_is_near)
{
	cr_assert_str_eq(nearest("do", words), "doctor");
}

Test(tool_nearest, far_word_is_nobodys)
{
	cr_assert_null(nearest("install", words));
	cr_assert_null(nearest("", words));
}

Test(tool_nearest, very_long_word_is_nobodys)
{
	char longest[1000];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	cr_assert_null(nearest(longest, words));
}
