// SPDX-License-Identifier: MIT
/*
 * etc.c - the world's own /etc, and the writing of files there.
 *
 * A tmpfs is mounted over /etc. Small files of the host are copied into it, folders and large or
 * unreadable files are reached through a link into a bind mount of the host's /etc. So a test may
 * create files that the host lacks and replace files by rename, which a bind mount on each single
 * file would not allow.
 */
#include "netns.h"
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_LIMIT (256 * 1024)

#define DEFAULT_RESOLV_CONF "nameserver 127.0.0.1\n"
#define DEFAULT_HOSTS	    "127.0.0.1 localhost\n::1 localhost\n"
#define DEFAULT_HOST_CONF   "multi on\n"
#define DEFAULT_NSSWITCH                                                                           \
	"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"          \
	"protocols: files\nservices: files\nethers: files\nrpc: files\n"

static void write_all(int fd, const char *path, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			lab_fail("write %s: %s", path, strerror(errno));
		text += n;
		len -= (size_t)n;
	}
}

static void write_file(const char *path, int flags, const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);

	if (fd < 0)
		lab_fail("open %s: %s", path, strerror(errno));
	write_all(fd, path, text, len);
	close(fd);
}

void lab_file_replace(const char *path, const char *text)
{
	char temporary[512];

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	write_file(temporary, O_TRUNC, text, strlen(text), 0644);
	if (rename(temporary, path))
		lab_fail("rename %s: %s", path, strerror(errno));
}

void lab_file_overwrite(const char *path, const char *text)
{
	write_file(path, O_TRUNC, text, strlen(text), 0644);
}

ssize_t lab_file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (used < size - 1 && (n = read(fd, buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0)
		n = -errno;
	close(fd);
	buf[used] = '\0';
	return n < 0 ? n : (ssize_t)used;
}

static bool copy_regular(const char *from, const char *to, const struct stat *st)
{
	static char buf[COPY_LIMIT + 1]; /* init is single-threaded */
	ssize_t n;

	if (!S_ISREG(st->st_mode) || st->st_size > COPY_LIMIT)
		return false;
	n = lab_file_read(from, buf, sizeof(buf));
	if (n < 0)
		return false;
	write_file(to, O_EXCL, buf, (size_t)n, st->st_mode & 07777);
	return true;
}

/* One entry of the host's /etc: copied, or linked to. */
static void copy_entry(const char *host_etc, const char *name)
{
	char from[512];
	char to[512];
	char target[512];
	struct stat st;
	ssize_t n;

	snprintf(from, sizeof(from), "%s/%s", host_etc, name);
	snprintf(to, sizeof(to), "/etc/%s", name);
	if (lstat(from, &st))
		return;
	if (S_ISLNK(st.st_mode)) {
		n = readlink(from, target, sizeof(target) - 1);
		if (n < 0)
			return;
		target[n] = '\0';
	} else if (copy_regular(from, to, &st)) {
		return;
	} else {
		snprintf(target, sizeof(target), "%s", from);
	}
	if (symlink(target, to))
		lab_fail("symlink %s: %s", to, strerror(errno));
}

static void copy_host_etc(const char *host_etc)
{
	DIR *dir = opendir(host_etc);
	const struct dirent *entry;

	if (!dir)
		lab_fail("opendir %s: %s", host_etc, strerror(errno));
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			copy_entry(host_etc, entry->d_name);
	closedir(dir);
}

static void put(const char *path, const char *text)
{
	/* It may be a link to a file of the host's: the link goes, the host's file stays. */
	if (unlink(path) && errno != ENOENT)
		lab_fail("unlink %s: %s", path, strerror(errno));
	if (text)
		write_file(path, O_EXCL, text, strlen(text), 0644);
}

void lab_etc_make(const struct lab_world *w)
{
	const struct lab_world_opts *o = w->opts;
	char host_etc[128];

	snprintf(host_etc, sizeof(host_etc), "%s/host-etc", w->base);
	if (mkdir(host_etc, 0755))
		lab_fail("mkdir %s: %s", host_etc, strerror(errno));
	if (mount("/etc", host_etc, NULL, MS_BIND | MS_REC, NULL))
		lab_skip("cannot bind-mount /etc: %s", strerror(errno));
	if (mount("lab", "/etc", "tmpfs", MS_NOSUID, "mode=0755"))
		lab_skip("cannot mount a tmpfs on /etc: %s", strerror(errno));
	copy_host_etc(host_etc);
	put("/etc/resolv.conf", o->resolv_conf ? o->resolv_conf : DEFAULT_RESOLV_CONF);
	put("/etc/hosts", o->hosts ? o->hosts : DEFAULT_HOSTS);
	put("/etc/nsswitch.conf", o->nsswitch ? o->nsswitch : DEFAULT_NSSWITCH);
	put("/etc/host.conf", o->host_conf ? o->host_conf : DEFAULT_HOST_CONF);
	put("/etc/gai.conf", o->gai_conf);
	if (o->services)
		put("/etc/services", o->services);
	for (const struct lab_file *f = o->files; f && f->path; f++)
		put(f->path, f->text);
}
