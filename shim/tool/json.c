// SPDX-License-Identifier: MIT
/*
 * json.c - see json.h. The output is ASCII where the input is; above that, UTF-8 as it came.
 */
#include "shim/tool/json.h"

#include "shim/tool/text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

void json_open(struct json *j, FILE *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

static void write_char(const struct json *j, const char *text, size_t n)
{
	unsigned char c = (unsigned char)text[0];

	if (n == 0)
		(void)fputs("\\ufffd", j->out);
	else if (c == '"' || c == '\\')
		(void)fprintf(j->out, "\\%c", c);
	else if (c < 0x20 || c == 0x7f)
		(void)fprintf(j->out, "\\u%04x", c);
	else
		(void)fwrite(text, 1, n, j->out);
}

static void write_string(const struct json *j, const char *text, size_t len)
{
	(void)fputc('"', j->out);
	for (size_t at = 0; at < len;) {
		size_t n = 0;

		while (at + n < len && text_is_plain(text[at + n]) && text[at + n] != '"' &&
		       text[at + n] != '\\')
			n++;
		if (n > 0) { /* nearly all */
			(void)fwrite(text + at, 1, n, j->out);
			at += n;
			continue;
		}
		n = text_utf8(text + at, len - at);
		write_char(j, text + at, n);
		at += n ? n : 1;
	}
	(void)fputc('"', j->out);
}

static void new_line(const struct json *j)
{
	if (j->lines)
		return;
	(void)fputc('\n', j->out);
	for (unsigned i = 0; i < j->depth; i++)
		(void)fputs("  ", j->out);
}

/* What comes before a value: comma, line, key. */
static void begin(struct json *j, const char *key)
{
	if (j->depth > 0) {
		if (j->open[j->depth - 1].any)
			(void)fputc(',', j->out);
		j->open[j->depth - 1].any = true;
		new_line(j);
	}
	if (key) {
		write_string(j, key, strlen(key));
		(void)fputs(j->lines ? ":" : ": ", j->out);
	}
}

static void finish(const struct json *j)
{
	if (j->depth == 0)
		(void)fputc('\n', j->out);
}

static void open_level(struct json *j, const char *key, char opens, char closes)
{
	begin(j, key);
	(void)fputc(opens, j->out);
	assert(j->depth < JSON_DEPTH_MAX);
	j->open[j->depth].closes = closes;
	j->open[j->depth++].any = false;
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, '{', '}');
}

void json_array(struct json *j, const char *key)
{
	open_level(j, key, '[', ']');
}

void json_end(struct json *j)
{
	assert(j->depth > 0);
	j->depth--;
	if (j->open[j->depth].any)
		new_line(j);
	(void)fputc(j->open[j->depth].closes, j->out);
	finish(j);
}

void json_bytes(struct json *j, const char *key, const void *text, size_t len)
{
	begin(j, key);
	write_string(j, text, len);
	finish(j);
}

void json_text(struct json *j, const char *key, const char *text)
{
	if (text)
		json_bytes(j, key, text, strlen(text));
	else
		json_null(j, key);
}

static void write_word(struct json *j, const char *key, const char *word)
{
	begin(j, key);
	(void)fputs(word, j->out);
	finish(j);
}

void json_int(struct json *j, const char *key, int64_t n)
{
	char word[32];

	(void)snprintf(word, sizeof(word), "%" PRId64, n);
	write_word(j, key, word);
}

void json_uint(struct json *j, const char *key, uint64_t n)
{
	char word[32];

	(void)snprintf(word, sizeof(word), "%" PRIu64, n);
	write_word(j, key, word);
}

void json_real(struct json *j, const char *key, double x, unsigned digits)
{
	char word[352]; /* the largest double has 309 digits */

	if (!isfinite(x)) {
		json_null(j, key);
		return;
	}
	(void)snprintf(word, sizeof(word), "%.*f", (int)(digits < 17 ? digits : 17), x);
	write_word(j, key, word);
}

void json_bool(struct json *j, const char *key, bool yes)
{
	write_word(j, key, yes ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	write_word(j, key, "null");
}
