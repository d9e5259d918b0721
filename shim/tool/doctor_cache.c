// SPDX-License-Identifier: MIT
/*
 * doctor_cache.c - can the shared cache be had? Looks at what is there, and makes nothing: the file
 * that the shim would make, its folder, and the room where it stands.
 */
#include "shim/cache_file.h"
#include "shim/cache_layout.h"
#include "shim/tool/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define PRIVATE "until then each process has a cache of its own"

static void find_path(const struct config *config, char ret[PATH_MAX])
{
	if (config->cache == CONFIG_CACHE_FILE)
		(void)snprintf(ret, PATH_MAX, "%s", config->cache_path);
	else
		cache_file_default_path(geteuid(), ret);
}

/* The folder above, without the last part. */
static void parent_of(const char *path, char ret[PATH_MAX])
{
	char *slash;

	(void)snprintf(ret, PATH_MAX, "%s", path);
	slash = strrchr(ret, '/');
	if (slash)
		slash[slash == ret] = '\0';
}

/* The default folder is nobody else's. False: no cache will be there. */
static bool check_own_folder(struct doctor *d, const char *folder)
{
	char above[PATH_MAX];
	struct stat st;

	if (lstat(folder, &st) < 0) {
		parent_of(folder, above);
		if (access(above, W_OK | X_OK) == 0) {
			doctor_find(d, DOCTOR_GOOD, "cache", NULL,
				    "there is no cache yet: the first lookup makes %s", folder);
			return false;
		}
		doctor_find(d, DOCTOR_BAD, "cache",
			    "make "
			    "/dev/shm a tmpfs that users may write to, or set "
			    "NOBLOCKDNS_CACHE; " PRIVATE,
			    "%s cannot be made: %s", folder, strerror(errno));
		return false;
	}
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return true;
	doctor_find(d, DOCTOR_BAD, "cache", "have it removed; " PRIVATE,
		    "%s is not a folder of this user's alone (%s, user %u, mode %04o)", folder,
		    S_ISDIR(st.st_mode)	  ? "a folder"
		    : S_ISLNK(st.st_mode) ? "a symbolic link"
					  : "a file",
		    (unsigned)st.st_uid, (unsigned)st.st_mode & 07777u);
	return false;
}

static void check_room(struct doctor *d, const char *folder, uint64_t missing)
{
	struct statfs fs;
	uint64_t room;

	if (statfs(folder, &fs) < 0)
		return;
	room = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	if (fs.f_type != TMPFS_MAGIC)
		doctor_find(d, DOCTOR_NOTE, "cache-disk", "a path in a tmpfs is faster",
			    "%s is not in memory (tmpfs): the cache is written to a disk", folder);
	if (room < missing)
		doctor_find(d, DOCTOR_BAD, "cache-room",
			    "make room there, or set NOBLOCKDNS_CACHE_SIZE; until then names are "
			    "kept as far as they fit",
			    "%s has %llu KB left, the cache may need %llu KB more", folder,
			    (unsigned long long)room / 1024, (unsigned long long)missing / 1024);
}

/* Its first bytes, as the shim reads them. */
static void check_header(struct doctor *d, const char *path, const struct stat *st)
{
	struct cache_header header = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, &header, sizeof(header));
	enum cache_verdict verdict;

	if (fd >= 0)
		(void)close(fd);
	if (n < 0) {
		doctor_find(d, DOCTOR_BAD, "cache", PRIVATE, "%s cannot be read: %s", path,
			    strerror(errno));
		return;
	}
	/* The boot is the file's own: another one is no fault. */
	verdict = cache_header_check(&header, (size_t)n, (uint64_t)st->st_size, 0, header.boot);
	if (verdict != CACHE_HEADER_OK) {
		doctor_find(d, DOCTOR_NOTE, "cache", "remove it, if no other version is in use",
			    "%s: %s", path, cache_verdict_to_str(verdict));
		return;
	}
	doctor_find(d, DOCTOR_GOOD, "cache", NULL,
		    "the cache is %s: %lld KB, of which %lld KB are in use", path,
		    (long long)st->st_size / 1024, (long long)st->st_blocks / 2);
	doctor_history(d, path);
}

static void check_file(struct doctor *d, const char *path, const char *folder, uint64_t size)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		doctor_find(d, DOCTOR_GOOD, "cache", NULL,
			    "there is no cache yet: the first lookup makes %s", path);
		check_room(d, folder, size);
		return;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 07777) != 0600 ||
	    st.st_nlink != 1) {
		doctor_find(d, DOCTOR_BAD, "cache", "have it removed; " PRIVATE,
			    "%s is left alone: it is to be a file of this user's alone, mode 0600, "
			    "with one link (user %u, mode %04o, %u links)",
			    path, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777u,
			    (unsigned)st.st_nlink);
		return;
	}
	check_header(d, path, &st);
	check_room(d, folder,
		   (uint64_t)st.st_size > (uint64_t)st.st_blocks * 512
			   ? (uint64_t)st.st_size - (uint64_t)st.st_blocks * 512
			   : 0);
}

void doctor_cache(struct doctor *d, const struct config *config)
{
	char path[PATH_MAX], folder[PATH_MAX];

	d->area = "machine";
	if (config->cache == CONFIG_CACHE_PRIVATE || config->cache == CONFIG_CACHE_OFF) {
		doctor_find(d, DOCTOR_NOTE, "cache", "unset NOBLOCKDNS_CACHE",
			    "NOBLOCKDNS_CACHE is %s: processes do not share what they know",
			    config->cache == CONFIG_CACHE_OFF ? "off" : "private");
		return;
	}
	find_path(config, path);
	parent_of(path, folder);
	if (config->cache == CONFIG_CACHE_DEFAULT && !check_own_folder(d, folder))
		return;
	if (access(folder, W_OK | X_OK) < 0) {
		doctor_find(d, DOCTOR_BAD, "cache", PRIVATE, "%s cannot be written to: %s", folder,
			    strerror(errno));
		return;
	}
	check_file(d, path, folder, config->cache_size);
}
