// SPDX-License-Identifier: MIT
/*
 * host_alias.c - one pass over the file, as glibc's res_hostalias makes it: `alias name` a line,
 * what follows is ignored, no comments. A line that is one word and the end of the file, or whose
 * alias matches and stands for nothing, ends the search.
 */
#include "shim/host_alias.h"

#include "shim/lines.h"
#include "shim/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_MAX (64u << 10)

/* The file's text in malloc() memory, or NULL. */
static char *read_file(const char *path, size_t *ret_len)
{
	/* O_NONBLOCK: nobody may ever write to what is a FIFO. glibc would wait there for ever. */
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	char *text = fd >= 0 ? malloc(FILE_MAX) : NULL;
	size_t len = 0;
	ssize_t n;

	while (text && len < FILE_MAX) {
		n = sys_read(fd, text + len, FILE_MAX - len);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (fd >= 0)
		sys_close(fd);
	*ret_len = len;
	return text;
}

/* Names are equal but for case and dots at the end (ns_samename). */
static bool same_name(const char *a, size_t a_len, const char *b)
{
	size_t b_len = strlen(b);

	while (a_len > 0 && a[a_len - 1] == '.')
		a_len--;
	while (b_len > 0 && b[b_len - 1] == '.')
		b_len--;
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static int search(struct lines *lines, const char *name, char ret[HOST_ALIAS_MAX])
{
	char *line;

	while ((line = lines_next(lines))) {
		char *end = lines_skip_word(line);
		char *value = lines_skip_space(end);
		size_t len;

		if (!*end && end + 1 != lines->next) /* neither a blank nor a newline follows */
			break;
		if (!same_name(line, (size_t)(end - line), name))
			continue;
		if (!*value)
			break;
		len = (size_t)(lines_skip_word(value) - value);
		if (len >= HOST_ALIAS_MAX)
			len = HOST_ALIAS_MAX - 1;
		memcpy(ret, value, len);
		ret[len] = '\0';
		return 0;
	}
	return -ENOENT;
}

int host_alias_lookup(const char *path, const char *name, char ret[HOST_ALIAS_MAX])
{
	struct lines lines;
	size_t len;
	char *text = read_file(path, &len);
	int err = -ENOENT;

	if (text && lines_open(&lines, text, len)) {
		err = search(&lines, name, ret);
		lines_close(&lines);
	}
	free(text);
	return err;
}
