// SPDX-License-Identifier: MIT
/*
 * terminal.h - what a stream can show: colour and width. Colour is for terminals alone, and not
 * where NO_COLOR is set to anything (no-color.org) or TERM is dumb.
 */
#ifndef NOBLOCKDNS_TOOL_TERMINAL_H
#define NOBLOCKDNS_TOOL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum terminal_style {
	TERMINAL_PLAIN,
	TERMINAL_BOLD,
	TERMINAL_DIM,
	TERMINAL_GOOD, /* green */
	TERMINAL_WARN, /* yellow */
	TERMINAL_BAD,  /* red */
};

bool terminal_has_colour(FILE *out);

/* Can a line be written anew? */
bool terminal_can_erase(FILE *out);

/* Columns: of the terminal, else 80. */
size_t terminal_width(FILE *out);

/* Writes the text in that style, plain where there is no colour. */
void terminal_write(FILE *out, enum terminal_style style, const char *text);

#endif
