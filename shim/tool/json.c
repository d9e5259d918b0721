// SPDX-License-Identifier: MIT
/*
 * json.c - see json.h. The output is ASCII where the input is; above that, UTF-8 as it came, but
 * for control characters, which are escaped: some look at it on a terminal.
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

/* The character at `text`; returns its length. */
static size_t write_char(const struct json *j, const char *text, size_t len)
{
	uint32_t point;
	size_t n = text_utf8(text, len, &point);

	if (n == 0) {
		(void)fputs("\\ufffd", j->out);
		return 1;
	}
	if (*text == '"' || *text == '\\')
		(void)fprintf(j->out, "\\%c", *text);
	else if (text_is_control(point))
		(void)fprintf(j->out, "\\u%04x", point);
	else
		(void)fwrite(text, 1, n, j->out);
	return n;
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
		at += write_char(j, text + at, len - at);
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
