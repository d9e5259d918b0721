// SPDX-License-Identifier: MIT
/*
 * file.h - configuration files as text, and whether they have changed.
 *
 * Any thread; descriptors are close-on-exec and gone on return; no cancellation point.
 */
#ifndef NOBLOCKDNS_FILE_H
#define NOBLOCKDNS_FILE_H

#include <stddef.h>
#include <stdint.h>

#define FILE_SIZE_MAX ((size_t)64 << 20) /* a hosts file of a million lines fits */

/* What tells one state of a file from another. All zero: there is no such file. */
struct file_id {
	uint64_t dev, ino, size;
	int64_t mtime_s, ctime_s;
	uint32_t mtime_ns, ctime_ns;
};

/* One system call. */
void file_identify(const char *path, struct file_id *ret);

/*
 * The whole file in memory of malloc(), and the state that it was read in. 0; -ENOENT and other
 * errnos, with *ret_id all zero; -EFBIG past FILE_SIZE_MAX.
 */
int file_read(const char *path, char **ret_text, size_t *ret_len, struct file_id *ret_id);

/*
 * The same of the first `limit` bytes; what stands past them is not read. A FIFO is not waited for.
 */
int file_read_head(const char *path, size_t limit, char **ret_text, size_t *ret_len,
		   struct file_id *ret_id);

/* The same as a string: a NUL follows, which `ret_len` does not count. */
int file_read_text(const char *path, size_t limit, char **ret_text, size_t *ret_len);

#endif
