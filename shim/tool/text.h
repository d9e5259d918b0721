// SPDX-License-Identifier: MIT
/*
 * text.h - text that came from elsewhere (names in the cache, paths, what a program printed), made
 * fit to be shown. Pure.
 */
#ifndef NOBLOCKDNS_TOOL_TEXT_H
#define NOBLOCKDNS_TOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Length of the UTF-8 sequence at `text` (1 to 4) and the character that it stands for, or 0 where
 * there is none that RFC 3629 allows. `len` is at least 1.
 */
size_t text_utf8(const char *text, size_t len, uint32_t *ret_point);

/* C0, DEL and C1 (terminals take that for escapes, too), the line separators, and what Unicode
 * calls Bidi_Control: with those a name is shown as another. All are below U+10000. */
bool text_is_control(uint32_t point);

/* Is it a printable ASCII character? */
static inline bool text_is_plain(char c)
{
	return c >= 0x20 && c < 0x7f;
}

/* Of a small ASCII letter the capital, of anything else itself: sentences begin with one. */
static inline char text_capital(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/*
 * `text` with control characters and bytes that are no UTF-8 as \xNN, and backslashes as they are.
 * NUL-terminated, cut to fit between characters. Returns the length.
 */
size_t text_escape(const char *text, size_t len, char *buf, size_t size);

/* How many columns a text takes that has been through text_escape(): one for each code point. */
size_t text_columns(const char *text);

/*
 * Writes `text` in lines of at most `width` columns, broken at spaces. The first line begins where
 * the cursor is, at column `indent`; the others are indented so far. Ends with a newline. A newline
 * in the text is one.
 */
void text_wrap(FILE *out, const char *text, size_t indent, size_t width);

#endif
