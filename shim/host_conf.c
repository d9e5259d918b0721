// SPDX-License-Identifier: MIT
/*
 * host_conf.c - host.conf(5). glibc reads the file in pieces of 255 bytes, so a longer line is cut
 * into several. What it complains about on stderr is skipped here in silence: the next lookup that
 * libc makes by itself says it.
 */
#include "shim/host_conf.h"

#include "shim/lines.h"

#include <string.h>
#include <strings.h>

#define PIECE_MAX 255 /* what fgets(3) puts into glibc's buffer of 256 */

/* Anything that begins with neither `on` nor `off` changes nothing; what follows is ignored. */
static void set_flag(const char *text, bool *flag)
{
	if (strncasecmp(text, "on", 2) == 0)
		*flag = true;
	else if (strncasecmp(text, "off", 3) == 0)
		*flag = false;
}

static bool word_is(const char *word, size_t len, const char *text)
{
	return len == strlen(text) && strncasecmp(word, text, len) == 0;
}

static void parse_piece(char *piece, struct host_conf *conf)
{
	char *word = lines_skip_space(piece);
	size_t len = lines_until(word, " \t\v\f\r#,");
	char *value = lines_skip_space(word + len);

	if (word_is(word, len, "multi"))
		set_flag(value, &conf->multi);
	else if (word_is(word, len, "reorder"))
		set_flag(value, &conf->reorder);
}

/* The next piece of [*text, end) as a C string; false at the end. */
static bool next_piece(const char **text, const char *end, char ret[PIECE_MAX + 1])
{
	size_t len = (size_t)(end - *text);
	const char *newline;

	if (len == 0)
		return false;
	if (len > PIECE_MAX)
		len = PIECE_MAX;
	newline = memchr(*text, '\n', len);
	if (newline)
		len = (size_t)(newline - *text) + 1;
	memcpy(ret, *text, len);
	ret[newline ? len - 1 : len] = '\0';
	*text += len;
	return true;
}

void host_conf_parse(const char *text, size_t len, const struct host_conf_env *env,
		     struct host_conf *ret)
{
	const char *next = text ? text : "";
	const char *end = text ? text + len : next;
	char piece[PIECE_MAX + 1];

	*ret = (struct host_conf){0};
	while (next_piece(&next, end, piece))
		parse_piece(piece, ret);
	if (env && env->multi)
		set_flag(env->multi, &ret->multi);
	if (env && env->reorder)
		set_flag(env->reorder, &ret->reorder);
}
