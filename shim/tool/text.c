// SPDX-License-Identifier: MIT
/* text.c - see text.h. */
#include "shim/tool/text.h"

#include <string.h>

/* The length that the first byte promises, and the bits of the code point in it. 0: it is none. */
static size_t promised(unsigned char first, uint32_t *ret_bits)
{
	if (first < 0x80) {
		*ret_bits = first;
		return 1;
	}
	if (first >= 0xc2 && first <= 0xdf) {
		*ret_bits = first & 0x1fu;
		return 2;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*ret_bits = first & 0x0fu;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*ret_bits = first & 0x07u;
		return 4;
	}
	return 0;
}

size_t text_utf8(const char *text, size_t len, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point = 0;
	size_t n = promised((unsigned char)text[0], &point);

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		unsigned char next = (unsigned char)text[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (next & 0x3f);
	}
	if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return n;
}

bool text_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c ||
	       point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069);
}

size_t text_escape(const char *text, size_t len, char *buf, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0, n;
	uint32_t point;

	for (size_t at = 0; at < len; at += n) {
		if (text_is_plain(text[at]) && used + 1 < size) { /* nearly all */
			buf[used++] = text[at];
			n = 1;
			continue;
		}
		n = text_utf8(text + at, len - at, &point);
		if (n > 0 && !text_is_control(point)) {
			if (used + n >= size)
				break;
			memcpy(buf + used, text + at, n);
			used += n;
			continue;
		}
		n = 1;
		if (used + 4 >= size)
			break;
		buf[used++] = '\\';
		buf[used++] = 'x';
		buf[used++] = digits[(unsigned char)text[at] >> 4];
		buf[used++] = digits[(unsigned char)text[at] & 15];
	}
	buf[used] = '\0';
	return used;
}

size_t text_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void text_wrap(FILE *out, const char *text, size_t indent, size_t width)
{
	size_t column = indent;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column > indent && column + 1 + word > width) {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			(void)fputc(' ', out);
			column++;
		}
		(void)fwrite(text, 1, word, out);
		column += word;
		text += word;
		if (*text == '\n') {
			(void)fprintf(out, "\n%*s", text[1] == '\n' ? 0 : (int)indent, "");
			column = indent;
		}
		text += *text != '\0';
	}
	(void)fputc('\n', out);
}
