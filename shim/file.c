// SPDX-License-Identifier: MIT
/* file.c - see file.h. */
#include "shim/file.h"

#include "shim/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void to_id(const struct stat *st, struct file_id *ret)
{
	ret->dev = st->st_dev;
	ret->ino = st->st_ino;
	ret->size = (uint64_t)st->st_size;
	ret->mtime_s = st->st_mtim.tv_sec;
	ret->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	ret->ctime_s = st->st_ctim.tv_sec;
	ret->ctime_ns = (uint32_t)st->st_ctim.tv_nsec;
}

void file_identify(const char *path, struct file_id *ret)
{
	struct stat st;

	memset(ret, 0, sizeof *ret);
	if (sys_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)&st, 0, 0, 0) == 0)
		to_id(&st, ret);
}

/*
 * Reads to the end or the limit. `room` is one more than the size that fstat() told, so that a
 * regular file is read by one call and seen to have ended; where that was wrong (a file that grows,
 * /proc) it goes on.
 */
static int read_up_to(int fd, size_t limit, size_t room, bool regular, char **ret_text,
		      size_t *ret_len)
{
	char *text = malloc(room);
	size_t len = 0;

	while (text != NULL) {
		ssize_t n = sys_read(fd, text + len, (room < limit ? room : limit) - len);
		char *grown;

		if (n == -EINTR)
			continue;
		if (n < 0) {
			free(text);
			return (int)n;
		}
		len += (size_t)n;
		if (n == 0 || len == limit || (regular && len < room)) {
			*ret_text = text;
			*ret_len = len;
			return 0;
		}
		if (len < room)
			continue;
		grown = realloc(text, room * 2);
		if (grown == NULL)
			free(text);
		text = grown;
		room *= 2;
	}
	return -ENOMEM;
}

int file_read_head(const char *path, size_t limit, char **ret_text, size_t *ret_len,
		   struct file_id *ret_id)
{
	struct stat st;
	size_t room = 4096;
	bool regular = false;
	int r, fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);

	memset(ret_id, 0, sizeof *ret_id);
	if (fd < 0)
		return fd;
	if (sys_fstat(fd, &st) == 0) {
		to_id(&st, ret_id);
		regular = S_ISREG(st.st_mode) && st.st_size > 0;
		if (regular && (size_t)st.st_size < limit)
			room = (size_t)st.st_size + 1;
	}
	r = read_up_to(fd, limit, room, regular, ret_text, ret_len);
	sys_close(fd);
	return r;
}

int file_read(const char *path, char **ret_text, size_t *ret_len, struct file_id *ret_id)
{
	int r = file_read_head(path, FILE_SIZE_MAX + 1, ret_text, ret_len, ret_id);

	if (r == 0 && *ret_len > FILE_SIZE_MAX) {
		free(*ret_text);
		return -EFBIG;
	}
	return r;
}

int file_read_text(const char *path, size_t limit, char **ret_text, size_t *ret_len)
{
	struct file_id id;
	char *text, *ended;
	size_t len;
	int r = file_read_head(path, limit, &text, &len, &id);

	if (r < 0)
		return r;
	ended = realloc(text, len + 1);
	if (ended == NULL) {
		free(text);
		return -ENOMEM;
	}
	ended[len] = '\0';
	*ret_text = ended;
	*ret_len = len;
	return 0;
}
