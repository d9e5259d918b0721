// SPDX-License-Identifier: MIT
/* say.c - see say.h. */
#include "shim/tool/say.h"

#include "shim/tool/text.h"
#include "shim/tool/verb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 2048

static void say_list(const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES], shown[2 * LINE_MAX_BYTES];

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	text_escape(line, strlen(line), shown, sizeof(shown));
	(void)fprintf(stderr, "noblockdns: %s\n", shown);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
}

int say_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
	return TOOL_USAGE;
}

int say_trouble(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
	return TOOL_TROUBLE;
}
