// SPDX-License-Identifier: MIT
/*
 * lines.h - the lines of a configuration file, as glibc's parsers get them from getline(3): C
 * strings, so that a NUL byte hides the rest of its line and nothing more.
 *
 * Pure; any thread.
 */
#ifndef NOBLOCKDNS_LINES_H
#define NOBLOCKDNS_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct lines {
	char *text; /* owned: a copy that the parser may write to */
	char *next;
	char *end; /* of the text; one NUL stands there */
};

/* Copies `text` (NULL: no lines). False: no memory. */
static inline bool lines_open(struct lines *lines, const char *text, size_t len)
{
	if (!text)
		len = 0;
	lines->text = malloc(len + 1);
	if (!lines->text)
		return false;
	if (len)
		memcpy(lines->text, text, len);
	lines->text[len] = '\0';
	lines->next = lines->text;
	lines->end = lines->text + len;
	return true;
}

/* The next line without its newline, or NULL. Valid until lines_close(). */
static inline char *lines_next(struct lines *lines)
{
	char *line = lines->next;
	char *newline;

	if (line >= lines->end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(lines->end - line));
	if (newline) {
		*newline = '\0';
		lines->next = newline + 1;
	} else {
		lines->next = lines->end;
	}
	return line;
}

static inline void lines_close(struct lines *lines)
{
	free(lines->text);
}

/* isspace() of the C locale: glibc asks the program's, which differs for no UTF-8 locale. */
static inline bool lines_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline char *lines_skip_space(char *p)
{
	while (lines_is_space(*p))
		p++;
	return p;
}

static inline char *lines_skip_word(char *p)
{
	while (*p && !lines_is_space(*p))
		p++;
	return p;
}

/* Bytes before the first of `stops`, or before the end: strcspn(), whose code and table are two
 * page faults for a process that has no other use for them. */
static inline size_t lines_until(const char *text, const char *stops)
{
	size_t n = 0;

	for (; text[n]; n++)
		for (const char *stop = stops; *stop; stop++)
			if (text[n] == *stop)
				return n;
	return n;
}

#endif
