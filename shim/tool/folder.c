// SPDX-License-Identifier: MIT
/* folder.c - see folder.h. */
#include "shim/tool/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 16

static int make_in(const char *parent, char ret[PATH_MAX])
{
	if (snprintf(ret, PATH_MAX, "%s/noblockdns-XXXXXX", parent) >= PATH_MAX)
		return -ENAMETOOLONG;
	return mkdtemp(ret) ? 0 : -errno;
}

int folder_make_temporary(char ret[PATH_MAX])
{
	const char *parent = getenv("TMPDIR");

	if (parent != NULL && *parent == '/')
		return make_in(parent, ret);
	return make_in("/dev/shm", ret) == 0 ? 0 : make_in("/tmp", ret);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int folder_remove(const char *path)
{
	return nftw(path, remove_one, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) ? -errno
											 : 0;
}
