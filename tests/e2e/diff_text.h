// SPDX-License-Identifier: MIT
/*
 * diff_text.h - a text of bounded size that grows at its end.
 */
#ifndef TESTS_DIFF_TEXT_H
#define TESTS_DIFF_TEXT_H

#include "tests/lab/netns.h"

#include <stdarg.h>
#include <stdio.h>

struct diff_text {
	size_t used;
	char s[32768];
};

__attribute__((format(printf, 2, 3))) static inline void diff_add(struct diff_text *text,
								  const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text->s + text->used, sizeof text->s - text->used, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text->s - text->used)
		lab_fail("a generated file is too long");
	text->used += (size_t)n;
}

#endif
