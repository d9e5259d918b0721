// SPDX-License-Identifier: MIT
/* trace_folder.c - see trace_folder.h. A file's name is noblockdns-PID-START.trace. */
#include "shim/tool/trace_folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".trace"

static int is_trace(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > strlen(SUFFIX) && strcmp(e->d_name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static uint64_t start_of(const struct dirent *e)
{
	const char *last = strrchr(e->d_name, '-');

	return last ? strtoull(last + 1, NULL, 10) : 0;
}

static int by_start(const struct dirent **a, const struct dirent **b)
{
	uint64_t x = start_of(*a), y = start_of(*b);

	return x != y ? (x > y) - (x < y) : strcmp((*a)->d_name, (*b)->d_name);
}

int trace_folder_each(const char *folder, void (*each)(void *ctx, const char *path), void *ctx)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_trace, by_start);
	char path[PATH_MAX + NAME_MAX + 2];

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		each(ctx, path);
		free(entries[i]);
	}
	free(entries);
	return n;
}
