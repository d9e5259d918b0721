// SPDX-License-Identifier: MIT
/*
 * cache_back.c - the open file from then on: is it still there, and do its pages have memory?
 */
#include "shim/cache_file.h"
#include "shim/sys.h"

#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static bool is_same(const struct cache_file *file, const struct statx *st)
{
	return st->stx_ino == file->ino && st->stx_size == file->header.size &&
	       ((uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor) == file->dev;
}

bool cache_file_is_current(const struct cache_file *file)
{
	struct statx st;

	return sys_statx(AT_FDCWD, file->path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) == 0 &&
	       is_same(file, &st);
}

int cache_file_back_by_path(const struct cache_file *file, uint64_t offset, uint64_t len)
{
	int fd = sys_open(file->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	struct statx st;
	int err;

	if (fd < 0)
		return -ESTALE;
	err = sys_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);
	if (err == 0)
		err = is_same(file, &st) ? -posix_fallocate(fd, (off_t)offset, (off_t)len)
					 : -ESTALE;
	sys_close(fd);
	return err;
}

int cache_file_back(const struct cache_file *file, uint64_t offset, uint64_t len)
{
	if (madvise((char *)file->map + offset, len, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno == EINVAL)
		return cache_file_back_by_path(file, offset, len);
	return errno == ENOMEM ? -ENOMEM : -ENOSPC;
}
