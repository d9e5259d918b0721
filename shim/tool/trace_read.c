// SPDX-License-Identifier: MIT
/*
 * trace_read.c - see trace_read.h. From file to cells, and from cells to records:
 *
 *	done		  its further cells have their marks, and all fits: a record; else damaged
 *	being written	  skipped with as many cells as it says, where they look like its own
 *	zero		  reserved, and not even marked: skipped up to the next mark
 *	anything else	  damaged, up to the next mark of a first cell, or zero
 *
 * What a record holds is taken apart in trace_decode.c.
 */
#include "shim/tool/trace_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- bytes ---- */

/* As many as there are, up to `size`, from the begin of the file. */
static int read_bytes(int fd, unsigned char *ret, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = pread(fd, ret + len, size - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

/* How much of the file is worth being read: it is sparse behind that. */
static size_t bytes_used(const struct trace_header *header)
{
	uint64_t used = header->used < TRACE_CELLS_MAX ? header->used : TRACE_CELLS_MAX;

	return TRACE_HEADER_SIZE + (size_t)used * TRACE_CELL_SIZE;
}

static int check_header(const struct trace_header *header, size_t size)
{
	if (size < offsetof(struct trace_header, observe) ||
	    memcmp(header->magic, TRACE_MAGIC, sizeof(header->magic)) != 0)
		return -TRACE_OPEN_FOREIGN;
	if (header->version != TRACE_VERSION || header->byte_order != TRACE_BYTE_ORDER ||
	    header->header_size != TRACE_HEADER_SIZE || header->cell_size != TRACE_CELL_SIZE)
		return -TRACE_OPEN_VERSION;
	return 0;
}

/* *ret is NULL, and stays so where it fails. */
static int take_file(int fd, unsigned char **ret, size_t *ret_size)
{
	struct trace_header header = {0};
	struct stat st;
	size_t size = 0;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -TRACE_OPEN_FOREIGN;
	r = read_bytes(fd, (unsigned char *)&header, sizeof(header), &size);
	if (r == 0)
		r = check_header(&header, size);
	if (r < 0)
		return r;
	size = bytes_used(&header);
	if ((uint64_t)st.st_size < size)
		size = (size_t)st.st_size;
	*ret = malloc(size);
	if (*ret == NULL)
		return -ENOMEM;
	r = read_bytes(fd, *ret, size, ret_size);
	if (r < 0) {
		free(*ret);
		*ret = NULL;
	}
	return r;
}

/* ---- a file ---- */

static void take_argv(struct trace_file *f)
{
	size_t len = f->header.argv_len < sizeof(f->header.argv) ? f->header.argv_len
								 : sizeof(f->header.argv) - 1;
	const char *text = f->header.argv;
	unsigned n = 0;

	f->header.argv[len] = '\0';
	for (size_t at = 0; at < len && n < TRACE_ARGV_MAX; at += strlen(text + at) + 1)
		f->argv[n++] = text + at;
	f->argv[n] = NULL;
}

/* `bytes` is taken over. */
static int open_taken(unsigned char *bytes, size_t size, struct trace_file **ret)
{
	struct trace_file *f = calloc(1, sizeof(*f));
	int r = f ? 0 : -ENOMEM;

	if (f) {
		memcpy(&f->header, bytes, size < sizeof(f->header) ? size : sizeof(f->header));
		r = check_header(&f->header, size);
	}
	if (r < 0) {
		free(f);
		free(bytes);
		return r;
	}
	f->bytes = bytes;
	f->ncells = size < TRACE_HEADER_SIZE ? 0 : (size - TRACE_HEADER_SIZE) / TRACE_CELL_SIZE;
	if (f->header.used < f->ncells)
		f->ncells = (size_t)f->header.used;
	f->header.exe[sizeof(f->header.exe) - 1] = '\0';
	take_argv(f);
	trace_rewind(f);
	*ret = f;
	return 0;
}

int trace_open_bytes(const void *bytes, size_t size, struct trace_file **ret)
{
	unsigned char *copy = malloc(size ? size : 1);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, bytes, size);
	return open_taken(copy, size, ret);
}

int trace_open(const char *path, struct trace_file **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r;
	unsigned char *bytes = NULL;
	size_t size = 0;

	if (fd < 0)
		return -errno;
	r = take_file(fd, &bytes, &size);
	close(fd);
	return bytes != NULL ? open_taken(bytes, size, ret) : r;
}

void trace_close(struct trace_file *f)
{
	trace_names_free(&f->names);
	free(f->bytes);
	free(f);
}

const char *trace_open_why(int error)
{
	switch (error) {
	case -TRACE_OPEN_FOREIGN:
		return "not a trace file";
	case -TRACE_OPEN_VERSION:
		return "a trace file of another version, or of another kind of machine";
	}
	return strerror(-error);
}

void trace_rewind(struct trace_file *f)
{
	const struct trace_header *h = &f->header;

	f->at = f->thread_at = 0;
	trace_names_forget(&f->names);
	f->info = (struct trace_info){
		.pid = h->pid,
		.ppid = h->ppid,
		.observe = h->observe == 1,
		.start_boot_ns = h->start_boot_ns,
		.start_real_ns = h->start_real_ns,
		.exe = h->exe,
		.argv = f->argv,
		.dropped = h->dropped,
		.truncated = (h->used < TRACE_CELLS_MAX ? h->used : TRACE_CELLS_MAX) > f->ncells,
	};
}

const struct trace_info *trace_info(const struct trace_file *f)
{
	return &f->info;
}

/* ---- records ---- */

static uint32_t mark_at(const struct trace_file *f, size_t i)
{
	uint32_t mark;

	memcpy(&mark, f->bytes + TRACE_HEADER_SIZE + i * TRACE_CELL_SIZE, sizeof(mark));
	return mark;
}

static bool begins_record(uint32_t mark)
{
	return TRACE_MARK_IS(mark) &&
	       (TRACE_MARK_STATE(mark) == TRACE_DONE || TRACE_MARK_STATE(mark) == TRACE_WRITING);
}

static bool is_whole(const struct trace_file *f, size_t at)
{
	unsigned n = TRACE_MARK_NCELLS(mark_at(f, at));

	if (n == 0 || n > f->ncells - at || n > TRACE_RECORD_CELLS)
		return false;
	for (unsigned i = 1; i < n; i++)
		if (mark_at(f, at + i) != TRACE_MARK(TRACE_MORE, 0, i))
			return false;
	return true;
}

static void skip_unmarked(struct trace_file *f)
{
	while (f->at < f->ncells && mark_at(f, f->at) == 0)
		f->at++;
	/* What was reserved in vain has been counted as dropped. */
	if (f->at < f->ncells || f->info.dropped == 0)
		f->info.unfinished++;
}

static void skip_unfinished(struct trace_file *f, uint32_t mark)
{
	f->info.unfinished++;
	f->at++;
	for (unsigned i = 1; i < TRACE_MARK_NCELLS(mark) && f->at < f->ncells; i++, f->at++) {
		uint32_t more = mark_at(f, f->at);

		if (more != 0 && more != TRACE_MARK(TRACE_MORE, 0, i))
			return;
	}
}

static void skip_damaged(struct trace_file *f)
{
	f->info.damaged++;
	do
		f->at++;
	while (f->at < f->ncells && mark_at(f, f->at) != 0 && !begins_record(mark_at(f, f->at)));
}

static const unsigned char *cell_at(const struct trace_file *f, size_t i)
{
	return f->bytes + TRACE_HEADER_SIZE + i * TRACE_CELL_SIZE;
}

/* All lookups have been seen by now: it is known whose address a connect goes to. */
static bool next_under_way(struct trace_file *f, struct trace_record *ret)
{
	while (f->thread_at < f->ncells) {
		size_t at = f->thread_at++;

		if (mark_at(f, at) == TRACE_MARK(TRACE_DONE, TRACE_THREAD, TRACE_THREAD_CELLS) &&
		    is_whole(f, at) && trace_decode_under_way(&f->names, cell_at(f, at), ret)) {
			f->info.records++;
			return true;
		}
	}
	return false;
}

bool trace_next(struct trace_file *f, struct trace_record *ret)
{
	while (f->at < f->ncells) {
		uint32_t mark = mark_at(f, f->at);
		const unsigned char *at = cell_at(f, f->at);

		if (mark == 0) {
			skip_unmarked(f);
		} else if (!begins_record(mark)) {
			skip_damaged(f);
		} else if (TRACE_MARK_STATE(mark) == TRACE_WRITING) {
			skip_unfinished(f, mark);
		} else if (!is_whole(f, f->at) ||
			   !trace_decode(&f->names, at, TRACE_MARK_TYPE(mark),
					 TRACE_MARK_NCELLS(mark), ret)) {
			skip_damaged(f);
		} else {
			f->at += TRACE_MARK_NCELLS(mark);
			f->info.records++;
			return true;
		}
	}
	return next_under_way(f, ret);
}
