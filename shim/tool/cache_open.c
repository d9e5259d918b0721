// SPDX-License-Identifier: MIT
/* cache_open.c - see cache_open.h. */
#include "shim/tool/cache_open.h"

#include "shim/cache_file.h"
#include "shim/cache_internal.h"
#include "shim/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int cache_found_path(const struct config *config, const char *path, struct cache_found *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->fd = -1;
	if (path == NULL && config->cache == CONFIG_CACHE_FILE)
		path = config->cache_path;
	if (path != NULL) {
		(void)snprintf(ret->path, sizeof(ret->path), "%s", path);
		return 0;
	}
	if (config->cache == CONFIG_CACHE_DEFAULT) {
		cache_file_default_path(geteuid(), ret->path);
		return 0;
	}
	ret->why = config->cache == CONFIG_CACHE_OFF
			   ? "NOBLOCKDNS_CACHE is off: there is no cache"
			   : "NOBLOCKDNS_CACHE is private: each process has a cache of its own";
	return -ENOENT;
}

static int refuse(struct cache_found *f, int error, const char *why)
{
	f->why = why;
	return error;
}

/* What the library would use, it alone; another user's could be made to say anything. */
static int check(struct cache_found *f)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return refuse(f, -errno, "cannot be examined");
	if (!S_ISREG(st.st_mode))
		return refuse(f, -EPERM, "is not a regular file");
	if (st.st_uid != geteuid())
		return refuse(f, -EPERM, "belongs to another user");
	f->size = (uint64_t)st.st_size;
	f->in_use = (uint64_t)st.st_blocks * 512;
	return 0;
}

/* The boot is the file's own: whether it is this one is not decided here. */
static void judge(struct cache_found *f)
{
	uint64_t size = f->size / CACHE_PAGE * CACHE_PAGE;
	ssize_t n = pread(f->fd, &f->header, sizeof(f->header), 0);

	f->verdict = cache_header_check(&f->header, n > 0 ? (size_t)n : 0, f->size, 0,
					n == sizeof(f->header) ? f->header.boot : 0);
	f->whole = f->verdict == CACHE_HEADER_OK;
	if (f->whole)
		return;
	if (size < CACHE_SIZE_MIN)
		size = CACHE_SIZE_MIN;
	if (size > CACHE_SIZE_MAX)
		size = CACHE_SIZE_MAX;
	/* Of one that was cut off the header still says how large it was. */
	if (f->verdict == CACHE_HEADER_TRUNCATED && f->header.size >= CACHE_SIZE_MIN &&
	    f->header.size <= CACHE_SIZE_MAX)
		size = f->header.size / CACHE_PAGE * CACHE_PAGE;
	cache_header_fill(&f->header, size, 0, 0);
}

/* The handle that the library's functions take. */
static int map(struct cache_found *f)
{
	uint64_t page = getauxval(AT_PAGESZ);
	size_t words = f->size / page / 64 + 1;
	struct cache *cache = calloc(1, sizeof(*cache) + words * sizeof(uint64_t));
	struct stat st;

	if (cache == NULL)
		return refuse(f, -ENOMEM, "no memory");
	cache->map = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	if (cache->map == MAP_FAILED || fstat(f->fd, &st) < 0) {
		free(cache);
		return refuse(f, -errno, "cannot be mapped");
	}
	cache->map_size = f->size;
	cache->seed = f->header.seed;
	cache->backing = CACHE_SHARED;
	cache->region_at = f->header.reserved_at;
	cache->region_len = f->header.reserved_len;
	memcpy(cache->classes, f->header.classes, sizeof(cache->classes));
	cache->page = page;
	cache->file.map = cache->map;
	cache->file.dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
	cache->file.ino = st.st_ino;
	cache->file.header = f->header;
	(void)snprintf(cache->file.path, sizeof(cache->file.path), "%s", f->path);
	f->cache = cache;
	return 0;
}

int cache_found_open(struct cache_found *ret)
{
	int err;

	ret->fd = open(ret->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (ret->fd < 0)
		return refuse(ret, -errno,
			      errno == ENOENT  ? "there is no cache yet"
			      : errno == ELOOP ? "is a symbolic link"
					       : strerror(errno));
	err = check(ret);
	if (err == 0) {
		judge(ret);
		err = ret->whole ? map(ret) : 0;
	}
	if (err < 0) {
		(void)close(ret->fd);
		ret->fd = -1;
	}
	return err;
}

void cache_found_close(struct cache_found *found)
{
	if (found->cache != NULL) {
		(void)munmap(found->cache->map, found->cache->map_size);
		free(found->cache);
	}
	if (found->fd >= 0)
		(void)close(found->fd);
}
