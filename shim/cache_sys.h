// SPDX-License-Identifier: MIT
/*
 * cache_sys.h - the system calls that the cache file needs, raw: they are no cancellation points,
 * so a thread that is cancelled in a lookup leaks no descriptor; they enter no hook of ours, nor
 * of another preload library (fakeroot's owner of a file is not the kernel's). Each returns what
 * the kernel does, or a negative errno.
 */
#ifndef NOBLOCKDNS_CACHE_SYS_H
#define NOBLOCKDNS_CACHE_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long negative(long r)
{
	return r < 0 ? -errno : r;
}

static inline int sys_open(int dir, const char *path, int flags, unsigned mode)
{
	return (int)negative(syscall(SYS_openat, dir, path, flags | O_CLOEXEC, mode));
}

static inline void sys_close(int fd)
{
	syscall(SYS_close, fd);
}

static inline int sys_stat(int dir, const char *path, int flags, struct statx *ret)
{
	return (int)negative(syscall(SYS_statx, dir, path, flags, STATX_BASIC_STATS, ret));
}

static inline ssize_t sys_read(int fd, void *buf, size_t len)
{
	return negative(syscall(SYS_read, fd, buf, len));
}

static inline ssize_t sys_write(int fd, const void *buf, size_t len)
{
	return negative(syscall(SYS_write, fd, buf, len));
}

#endif
