// SPDX-License-Identifier: MIT
/* terminal.c - see terminal.h. */
#include "shim/tool/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_DEFAULT 80

bool terminal_can_erase(FILE *out)
{
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
}

bool terminal_has_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");

	return terminal_can_erase(out) && !(no_color && *no_color);
}

size_t terminal_width(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return WIDTH_DEFAULT;
}

/* SGR parameters (ECMA-48 8.3.117). */
static const char *parameters(enum terminal_style style)
{
	switch (style) {
	case TERMINAL_PLAIN:
		return "0";
	case TERMINAL_BOLD:
		return "1";
	case TERMINAL_DIM:
		return "2";
	case TERMINAL_GOOD:
		return "32";
	case TERMINAL_WARN:
		return "33";
	case TERMINAL_BAD:
		return "31";
	}
	return "0";
}

void terminal_write(FILE *out, enum terminal_style style, const char *text)
{
	if (style == TERMINAL_PLAIN || !terminal_has_colour(out))
		(void)fputs(text, out);
	else
		(void)fprintf(out, "\033[%sm%s\033[0m", parameters(style), text);
}
