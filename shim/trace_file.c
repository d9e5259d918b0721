// SPDX-License-Identifier: MIT
/*
 * trace_file.c - see trace_file.h.
 *
 * The mapping is as large as the file may ever be, and the file sparse behind it. Populating pages
 * for writing (MADV_POPULATE_WRITE, Linux 5.14) allocates them, tells where that fails, and saves
 * the page faults.
 */
#include "shim/trace_file.h"

#include "shim/clock.h"
#include "shim/hot.h"
#include "shim/lock.h"
#include "shim/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Bytes that are given memory at a time, some ten microseconds for a thousand cells; a multiple of
 * all sizes of pages. */
#define STRETCH 65536u

HOT struct trace_header *_Atomic trace_file;

/* Not read from the file, which others may write. In bytes of it. */
static HOT _Atomic uint32_t backed; /* have memory */
static HOT _Atomic uint32_t limit;  /* ever will; 0: there is no file */

static HOT struct lock lock; /* of who makes it */

/* The error of touching a page for which the disk has no room is that of a bad address. */
static int populate(struct trace_header *header, uint32_t from, uint32_t to)
{
	int r = (int)sys_call(SYS_madvise, (long)header + from, to - from, MADV_POPULATE_WRITE, 0,
			      0, 0);

	return r == -EFAULT ? -ENOSPC : r;
}

static bool grow(struct trace_header *header, uint32_t end)
{
	uint32_t from = atomic_load(&backed), to = (end + STRETCH - 1) / STRETCH * STRETCH;

	while (from < end) {
		if (to > atomic_load(&limit))
			return false;
		if (populate(header, from, to) < 0) {
			atomic_store(&limit, from);
			return false;
		}
		if (atomic_compare_exchange_strong(&backed, &from, to))
			break;
	}
	return true;
}

static uint64_t end_of(uint64_t cells)
{
	return TRACE_HEADER_SIZE + cells * TRACE_CELL_SIZE;
}

static bool has_room(uint64_t first, unsigned ncells)
{
	return first <= TRACE_CELLS_MAX &&
	       end_of(first + ncells) <= atomic_load_explicit(&limit, memory_order_relaxed);
}

static bool has_memory(struct trace_header *header, uint32_t end)
{
	return end <= atomic_load_explicit(&backed, memory_order_acquire) || grow(header, end);
}

struct trace_cell *trace_file_reserve(unsigned ncells)
{
	struct trace_header *header = atomic_load_explicit(&trace_file, memory_order_acquire);
	uint64_t first = __atomic_load_n(&header->used, __ATOMIC_RELAXED);
	struct trace_cell *cell;

	if (has_room(first, ncells)) {
		first = __atomic_fetch_add(&header->used, ncells, __ATOMIC_RELAXED);
		if (has_room(first, ncells) &&
		    has_memory(header, (uint32_t)end_of(first + ncells))) {
			cell = (struct trace_cell *)((char *)header + end_of(first));
			__atomic_store_n(&cell->mark, TRACE_MARK(TRACE_WRITING, 0, ncells),
					 __ATOMIC_RELAXED);
			return cell;
		}
	}
	(void)__atomic_fetch_add(&header->dropped, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* ---- its making ---- */

/* What /proc says, up to `size` bytes. */
static uint32_t read_command_line(char *ret, uint32_t size)
{
	int fd = sys_open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
	ssize_t n = fd < 0 ? 0 : sys_read(fd, ret, size);

	if (fd >= 0)
		sys_close(fd);
	return n < 0 ? 0 : (uint32_t)n;
}

static void fill(struct trace_header *header, uint64_t now_ns, bool observe)
{
	struct timespec real;

	clock_gettime(CLOCK_REALTIME, &real);
	header->version = TRACE_VERSION;
	header->byte_order = TRACE_BYTE_ORDER;
	header->header_size = TRACE_HEADER_SIZE;
	header->cell_size = TRACE_CELL_SIZE;
	header->cells_max = TRACE_CELLS_MAX;
	header->observe = observe;
	header->pid = (uint32_t)sys_getpid();
	header->ppid = (uint32_t)sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
	header->start_boot_ns = now_ns;
	header->start_real_ns = (uint64_t)real.tv_sec * 1000000000u + (uint64_t)real.tv_nsec;
	(void)sys_call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)header->exe,
		       sizeof(header->exe) - 1, 0, 0);
	header->argv_len = read_command_line(header->argv, sizeof(header->argv));
	memcpy(header->magic, TRACE_MAGIC, sizeof(header->magic));
}

/* The folder, made where there is none, is the user's own: nobody else has put it in the way. */
static int open_folder(const char *path)
{
	struct statx st;
	int fd, r;

	(void)sys_call(SYS_mkdirat, AT_FDCWD, (long)path, 0700, 0, 0, 0);
	fd = sys_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);
	if (r == 0 && st.stx_uid != (uint32_t)sys_call(SYS_geteuid, 0, 0, 0, 0, 0, 0))
		r = -EPERM;
	if (r == 0)
		return fd;
	sys_close(fd);
	return r;
}

/* A file that would pass the limit is not an error but a signal, SIGXFSZ. */
static int size_it(int fd)
{
	struct rlimit fsize;

	if (sys_getrlimit(RLIMIT_FSIZE, &fsize) == 0 && fsize.rlim_cur < TRACE_FILE_SIZE)
		return -EFBIG;
	return (int)sys_call(SYS_ftruncate, fd, TRACE_FILE_SIZE, 0, 0, 0, 0);
}

static int map(int fd, struct trace_header **ret)
{
	int r = size_it(fd);
	void *at;

	if (r < 0)
		return r;
	at = mmap(NULL, TRACE_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -ENOMEM;
	r = populate(at, 0, STRETCH);
	if (r < 0)
		(void)munmap(at, TRACE_FILE_SIZE);
	else
		*ret = at;
	return r;
}

static int make(const char *dir, bool observe, struct trace_header **ret)
{
	uint64_t now_ns = clock_boot_ns();
	int folder = open_folder(dir), fd, r;
	char name[64];

	if (folder < 0)
		return folder;
	(void)snprintf(name, sizeof(name), "noblockdns-%d-%" PRIu64 ".trace", sys_getpid(), now_ns);
	fd = r = sys_openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0) {
		r = map(fd, ret);
		sys_close(fd);
		if (r == 0)
			fill(*ret, now_ns, observe);
		else
			(void)sys_call(SYS_unlinkat, folder, (long)name, 0, 0, 0, 0);
	}
	sys_close(folder);
	return r;
}

bool trace_file_make(const char *dir, bool observe)
{
	struct trace_header *header = NULL;
	int r = 0, saved = errno;

	lock_take(&lock);
	if (atomic_load(&trace_file) == NULL)
		r = make(dir, observe, &header);
	if (header != NULL) {
		atomic_store(&backed, STRETCH);
		atomic_store(&limit, TRACE_FILE_SIZE);
		atomic_store(&trace_file, header);
	}
	lock_release(&lock);
	if (r < 0)
		log_error("trace: %s: %s; nothing is recorded", dir, strerrordesc_np(-r));
	errno = saved;
	return r == 0;
}

void trace_file_reset(void)
{
	struct trace_header *header = atomic_exchange(&trace_file, NULL);

	lock_reset(&lock);
	if (header != NULL)
		(void)munmap(header, TRACE_FILE_SIZE);
}
