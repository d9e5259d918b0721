// SPDX-License-Identifier: MIT
/*
 * cache_file.c - the steps from a path to a mapping:
 *
 *	1. the directory: ours (made, owner and mode checked), or the one that the user named
 *	2. the file in it, through the directory's descriptor, no symbolic link followed
 *	3. its owner, type, mode and number of links; then its header
 *	4. where there is none, or one to replace: a new file without a name (O_TMPFILE), which is
 *	   linked into its place when it is complete. Nobody ever sees a half-made file, and a
 *	   death on the way leaves nothing behind. Who loses the race takes the winner's file
 *	5. memory for header and tags, and the mapping
 */
#include "shim/cache_file.h"

#include "shim/file.h"
#include "shim/hash.h"
#include "shim/random.h"
#include "shim/sys.h"

#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#define DEFAULT_DIR "/dev/shm/noblockdns."
#define OPEN_TRIES  4 /* each lost race takes one */

/* One attempt to open: what the steps share. */
struct opening {
	struct cache_file *file;
	char *why;
	uint64_t want_size;
	uint64_t boot;
	uint32_t uid;
	bool own_dir;	  /* the default directory: everything in it is ours to replace */
	int dir;	  /* descriptor, owned */
	const char *base; /* borrows from file->path */
};

/* Writes the line for the log and returns `err`. */
__attribute__((format(printf, 3, 4))) static int refuse(struct opening *o, int err, const char *fmt,
							...)
{
	va_list ap;
	int n = snprintf(o->why, CACHE_WHY_SIZE, "%.120s: ", o->file->path);

	va_start(ap, fmt);
	vsnprintf(o->why + n, CACHE_WHY_SIZE - (size_t)n, fmt, ap);
	va_end(ap);
	return err;
}

static int refuse_errno(struct opening *o, int err, const char *what)
{
	return refuse(o, err, "%s: %s", what, strerrordesc_np(-err));
}

/* ---- boot and path ---- */

/* What is in memory does not outlive the boot: there the three system calls are spared. */
static int find_boot(struct opening *o)
{
	struct statfs fs;
	struct file_id file_id;
	size_t len;
	char *id;
	int err;

	if (sys_call(SYS_fstatfs, o->dir, (long)&fs, 0, 0, 0, 0) == 0 && fs.f_type == TMPFS_MAGIC)
		return 0;
	err = file_read("/proc/sys/kernel/random/boot_id", &id, &len, &file_id);
	if (err < 0)
		return refuse_errno(o, err, "cannot tell this boot from others: boot_id");
	o->boot = hash_bytes(id, len, 0);
	free(id);
	return 0;
}

/* "<prefix><number>" at `to`; returns its end. snprintf() would do, at the price of five page
 * faults in the first lookup of each process, which has no other use for it. */
static char *append(char *to, const char *prefix, uint32_t number)
{
	char digits[10];
	unsigned n = 0;

	to = stpcpy(to, prefix);
	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0)
		*to++ = digits[--n];
	*to = '\0';
	return to;
}

void cache_file_default_path(uint32_t uid, char *ret)
{
	append(append(ret, DEFAULT_DIR, uid), "/cache-v", CACHE_LAYOUT);
}

/* Sets file->path and base. */
static int set_path(struct opening *o, const char *path)
{
	struct cache_file *file = o->file;
	char *slash;

	o->own_dir = !path;
	if (!path) {
		cache_file_default_path(o->uid, file->path);
	} else {
		size_t len = strnlen(path, sizeof(file->path));

		memcpy(file->path, path, len < sizeof(file->path) ? len + 1 : len);
		file->path[sizeof(file->path) - 1] = '\0';
		if (len == sizeof(file->path))
			return refuse(o, -ENAMETOOLONG, "path too long");
	}
	slash = strrchr(file->path, '/');
	if (!slash || file->path[0] != '/' || slash[1] == '\0')
		return refuse(o, -EINVAL, "not the absolute path of a file");
	o->base = slash + 1;
	return 0;
}

/* ---- directory ---- */

static int open_dir(struct opening *o)
{
	char dir[PATH_MAX];
	struct statx st;
	int err;

	memcpy(dir, o->file->path, (size_t)(o->base - o->file->path));
	dir[o->base - o->file->path] = '\0';
	if (!o->own_dir) {
		o->dir = sys_open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		return o->dir < 0 ? refuse_errno(o, o->dir, "directory") : 0;
	}
	dir[o->base - o->file->path - 1] = '\0'; /* a slash would follow a symbolic link */
	o->dir = sys_open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (o->dir == -ENOENT) {
		/* whatever comes of it shows next */
		(void)sys_call(SYS_mkdirat, AT_FDCWD, (long)dir, 0700, 0, 0, 0);
		o->dir = sys_open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	}
	if (o->dir < 0)
		return refuse_errno(o, o->dir, "directory");
	err = sys_statx(o->dir, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);
	if (err < 0)
		return refuse_errno(o, err, "directory");
	if (st.stx_uid != o->uid)
		return refuse(o, -EPERM, "directory belongs to user %u", st.stx_uid);
	if (st.stx_mode & 077)
		return refuse(o, -EPERM, "directory is open to others, mode %03o",
			      st.stx_mode & 0777u);
	return 0;
}

/* ---- an existing file ---- */

/* -ESTALE: it lost its name meanwhile, look again. */
static int check_file(struct opening *o, int fd, struct statx *ret)
{
	int err = sys_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, ret);

	if (err < 0)
		return refuse_errno(o, err, "stat");
	if (!S_ISREG(ret->stx_mode))
		return refuse(o, -EPERM, "not a regular file");
	if (ret->stx_uid != o->uid)
		return refuse(o, -EPERM, "belongs to user %u", ret->stx_uid);
	if ((ret->stx_mode & 07777) != 0600)
		return refuse(o, -EPERM, "mode is %04o, not 0600", ret->stx_mode & 07777u);
	if (ret->stx_nlink == 0)
		return -ESTALE;
	if (ret->stx_nlink > 1)
		return refuse(o, -EPERM, "has %u links", ret->stx_nlink);
	return 0;
}

/* Decides by the header: 0 use it, -ESTALE it was removed to make room, else refused. */
static int judge_file(struct opening *o, int fd, uint64_t file_size)
{
	struct cache_header *header = &o->file->header;
	ssize_t n = sys_read(fd, header, sizeof(*header));
	enum cache_verdict verdict;
	const char *says;

	if (n < 0)
		return refuse_errno(o, (int)n, "read");
	verdict = cache_header_check(header, (size_t)n, file_size, o->want_size, o->boot);
	says = cache_verdict_to_str(verdict);
	switch (verdict) {
	case CACHE_HEADER_OK:
		return 0;
	case CACHE_HEADER_BYTE_ORDER:
	case CACHE_HEADER_LAYOUT:
		return refuse(o, -EPERM, "%s: left alone", says);
	case CACHE_HEADER_FOREIGN:
		if (!o->own_dir)
			return refuse(o, -EPERM, "%s: left alone", says);
		__attribute__((fallthrough));
	case CACHE_HEADER_DAMAGED:
	case CACHE_HEADER_TRUNCATED:
		refuse(o, 0, "%s: replaced", says);
		break;
	case CACHE_HEADER_OTHER_BOOT:
	case CACHE_HEADER_SMALLER:
		break;
	}
	/* If another process has replaced it meanwhile, its new file goes instead. It notices
	 * (cache_is_current) and comes over to ours. */
	n = sys_call(SYS_unlinkat, o->dir, (long)o->base, 0, 0, 0, 0);
	return n < 0 && n != -ENOENT ? refuse_errno(o, (int)n, "cannot be replaced") : -ESTALE;
}

/* They had memory from the first. A sparse copy of the file may have lost it, and shows in its
 * number of blocks; it costs too much to ask for each page at each start of a program. */
static int back_tags(struct opening *o, int fd, uint64_t blocks)
{
	uint64_t end = cache_header_backed(&o->file->header);

	if (blocks * 512 < end && posix_fallocate(fd, 0, (off_t)end) != 0)
		return refuse(o, -ENOSPC, "no memory for it");
	return 0;
}

/* ---- a new file ---- */

/* A file that would pass the limit is not an error but a signal, SIGXFSZ. */
static int check_limit(struct opening *o)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < o->want_size)
		return refuse(o, -EFBIG, "larger than RLIMIT_FSIZE allows");
	return 0;
}

static int fill_file(struct opening *o, int fd)
{
	struct cache_header *header = &o->file->header;
	uint64_t seed;
	ssize_t n;

	random_bytes(&seed, sizeof(seed));
	cache_header_fill(header, o->want_size, o->boot, seed);
	if (fchmod(fd, 0600) < 0 || ftruncate(fd, (off_t)o->want_size) < 0)
		return refuse_errno(o, -errno, "cannot be sized");
	n = sys_write(fd, header, sizeof(*header));
	if (n != (ssize_t)sizeof(*header))
		return refuse_errno(o, n < 0 ? (int)n : -ENOSPC, "cannot be written");
	n = posix_fallocate(fd, 0, (off_t)cache_header_backed(header));
	return n ? refuse_errno(o, -(int)n, "no memory for it") : 0;
}

/* Returns the descriptor; -ESTALE where another process was first. */
static int create_file(struct opening *o)
{
	char self[32];
	int fd, err = check_limit(o);

	if (err < 0)
		return err;
	fd = sys_openat(o->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return refuse_errno(o, fd, "cannot be made");
	err = fill_file(o, fd);
	if (err == 0) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		err = (int)sys_call(SYS_linkat, AT_FDCWD, (long)self, o->dir, (long)o->base,
				    AT_SYMLINK_FOLLOW, 0);
		if (err < 0)
			err = err == -EEXIST ? -ESTALE : refuse_errno(o, err, "link");
	}
	if (err < 0) {
		sys_close(fd);
		return err;
	}
	return fd;
}

/* ---- all together ---- */

/* Returns the descriptor of a file that is checked and whole; -ESTALE: look again. */
static int open_or_create(struct opening *o, struct statx *ret)
{
	int fd = sys_openat(o->dir, o->base,
			    O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	bool existed = fd >= 0;
	int err;

	if (fd == -ENOENT)
		fd = create_file(o);
	else if (fd == -ELOOP)
		return refuse(o, fd, "is a symbolic link");
	else if (fd < 0)
		return refuse_errno(o, fd, "open");
	if (fd < 0)
		return fd;
	err = check_file(o, fd, ret);
	if (err == 0 && existed)
		err = judge_file(o, fd, ret->stx_size);
	if (err == 0 && existed)
		err = back_tags(o, fd, ret->stx_blocks);
	if (err == 0)
		return fd;
	sys_close(fd);
	return err;
}

static int map_file(struct opening *o, int fd, const struct statx *st)
{
	struct cache_file *file = o->file;

	file->map = mmap(NULL, file->header.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file->map == MAP_FAILED)
		return refuse_errno(o, -errno, "mmap");
	file->dev = (uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor;
	file->ino = st->stx_ino;
	return 0;
}

int cache_file_open(const char *path, uint64_t size, struct cache_file *ret,
		    char why[CACHE_WHY_SIZE])
{
	struct opening o = {.file = ret,
			    .why = why,
			    .want_size = size,
			    .dir = -1,
			    .uid = (uint32_t)sys_call(SYS_geteuid, 0, 0, 0, 0, 0, 0)};
	struct statx st = {0};
	int err, fd = -ESTALE;

	why[0] = '\0';
	err = set_path(&o, path);
	if (err == 0)
		err = open_dir(&o);
	if (err == 0)
		err = find_boot(&o);
	if (err == 0) {
		for (int i = 0; i < OPEN_TRIES && fd == -ESTALE; i++)
			fd = open_or_create(&o, &st);
		err = fd == -ESTALE ? refuse(&o, fd, "replaced again and again") : fd;
	}
	if (fd >= 0) {
		err = map_file(&o, fd, &st);
		sys_close(fd);
	}
	if (o.dir >= 0)
		sys_close(o.dir);
	return err;
}
