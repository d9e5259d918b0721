// SPDX-License-Identifier: MIT
/* self_path.c - see self_path.h. The loader knows the path as it was given; proc(5) the rest. */
#include "shim/self_path.h"

#include "shim/file.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int copy(const char *path, size_t len, char ret[PATH_MAX])
{
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret, path, len);
	ret[len] = '\0';
	return 0;
}

/* A line of /proc/self/maps begins with the addresses `from-to`, in hexadecimal. */
static bool covers(const char *line, uintptr_t addr)
{
	char *end;
	uintptr_t from = strtoul(line, &end, 16);

	return *end == '-' && from <= addr && addr < strtoul(end + 1, NULL, 16);
}

/* The path in the line for `addr`. The text ends with a newline. */
static int find_mapping(const char *text, size_t len, uintptr_t addr, char ret[PATH_MAX])
{
	const char *end = text + len, *newline;

	for (; text < end && (newline = memchr(text, '\n', (size_t)(end - text))) != NULL;
	     text = newline + 1) {
		const char *path = memchr(text, '/', (size_t)(newline - text));

		if (path != NULL && covers(text, addr))
			return copy(path, (size_t)(newline - path), ret);
	}
	return -ENOENT;
}

static int ask_kernel(uintptr_t addr, char ret[PATH_MAX])
{
	struct file_id id;
	char *text;
	size_t len;
	int r = file_read("/proc/self/maps", &text, &len, &id);

	if (r < 0)
		return r;
	r = find_mapping(text, len, addr, ret);
	free(text);
	return r;
}

int self_path(char ret[PATH_MAX])
{
	static const char here;
	Dl_info info;

	if (dladdr(&here, &info) == 0 || info.dli_fname == NULL)
		return -ENOENT;
	if (info.dli_fname[0] != '/' && ask_kernel((uintptr_t)&here, ret) == 0)
		return 0;
	if (info.dli_fname[0] != '/')
		return -ENOENT; /* relative to where the program stood once: nothing to open now */
	return copy(info.dli_fname, strlen(info.dli_fname), ret);
}
