// SPDX-License-Identifier: MIT
/*
 * test_name.c - folding: every byte value at every position of a word, lengths around the word size
 * and the limit, against a byte-by-byte model.
 */
#include "shim/name.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What name_fold() must say of `text`, found one byte at a time. */
static struct name model(const char *text)
{
	struct name want = {0};
	size_t len = strlen(text);

	if (len > 0 && text[len - 1] == '.') {
		want.trailing_dot = true;
		len--;
	}
	want.len = (uint16_t)len;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 32);
		want.text[i] = (char)c;
		if (c == '.')
			want.dots++;
		else if (c >= 0x80)
			want.non_ascii = true;
		else if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", c))
			want.unusual = true;
	}
	return want;
}

static void check(const char *text)
{
	struct name got, want = model(text);

	memset(&got, 0xa5, sizeof(got));
	cr_assert_eq(name_fold(text, &got), 0);
	cr_assert_eq(got.len, want.len, "\"%s\": length %d, expected %d", text, got.len, want.len);
	cr_assert_eq(memcmp(got.text, want.text, (want.len | 7u) + 1), 0,
		     "\"%s\": folded or padded wrongly", text);
	cr_assert_eq(got.dots, want.dots, "\"%s\": %d dots", text, got.dots);
	cr_assert_eq(got.trailing_dot, want.trailing_dot, "\"%s\": trailing dot", text);
	cr_assert_eq(got.non_ascii, want.non_ascii, "\"%s\": non_ascii", text);
	cr_assert_eq(got.unusual, want.unusual, "\"%s\": unusual", text);
}

Test(name, ordinary_names)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		"a",
		"A.",
		"localhost",
		"WWW.Example.COM",
		"a.b",
		"_dmarc.x",
		"xn--bcher-kva",
		"b\xc3\xbc",
		"a b.c",
		"1.2.3.4",
		"fe80::1%eth0",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		check(names[i]);
}

Test(name, every_byte_at_every_place)
{
	for (int c = 1; c < 256; c++) {
		for (size_t at = 0; at < 17; at++) {
			char text[18] = "exampleexamplexyz";

			text[at] = (char)c;
			check(text);
		}
	}
}

Test(name, neighbours_do_not_disturb_each_other)
{
	srandom(1);
	for (int round = 0; round < 100000; round++) {
		char text[64];
		size_t len = (size_t)random() % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = (char)(random() % 255 + 1);
		text[len] = '\0';
		check(text);
	}
}

Test(name, every_length_to_the_limit)
{
	char text[300];

	for (size_t len = 0; len <= NAME_LEN_MAX; len++) {
		memset(text, 'Q', len);
		text[len] = '\0';
		check(text);
		text[len] = '.';
		text[len + 1] = '\0';
		check(text);
	}
}

Test(name, too_long_is_refused)
{
	struct name got;
	char text[4096];

	for (size_t len = NAME_LEN_MAX + 1; len < sizeof(text); len += 13) {
		memset(text, 'q', len);
		text[len] = '\0';
		cr_assert_eq(name_fold(text, &got), -ENAMETOOLONG, "length %zu", len);
	}
	memset(text, '.', NAME_LEN_MAX + 2);
	text[NAME_LEN_MAX + 2] = '\0';
	cr_assert_eq(name_fold(text, &got), -ENAMETOOLONG);
}
