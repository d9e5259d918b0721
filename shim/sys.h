// SPDX-License-Identifier: MIT
/*
 * sys.h - system calls as the shim makes them: straight into the kernel.
 *
 * The shim exports `close`, `dup2`, `fcntl` ..., and other preload libraries may do so too; what it
 * does for itself must meet none of them. These wrappers are no hooks, no cancellation points
 * (pthreads(7)), take no lock, and never touch errno: they return the result or a negative errno.
 * Usable anywhere: before relocation of other libraries, in a signal handler, after vfork.
 */
#ifndef NOBLOCKDNS_SYS_H
#define NOBLOCKDNS_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* An analyzer does not see what assembler writes through a pointer: it gets the last form. */
#if defined(__x86_64__) && !defined(__clang_analyzer__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__) && !defined(__clang_analyzer__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
/* Correct, but through libc: syscall() is no cancellation point, yet it writes errno on failure. */
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	int saved = errno;
	long ret = syscall(nr, a, b, c, d, e, f);

	if (ret == -1) {
		ret = -errno;
		errno = saved;
	}
	return ret;
}
#endif

static inline int sys_close(int fd)
{
	return (int)sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* Linux 5.9; -ENOSYS before. */
static inline int sys_close_range(unsigned first, unsigned last, int flags)
{
#ifdef SYS_close_range
	return (int)sys_call(SYS_close_range, first, last, flags, 0, 0, 0);
#else
	return -ENOSYS;
#endif
}

static inline int sys_dup(int fd)
{
	return (int)sys_call(SYS_dup, fd, 0, 0, 0, 0, 0);
}

static inline int sys_dup3(int oldfd, int newfd, int flags)
{
	return (int)sys_call(SYS_dup3, oldfd, newfd, flags, 0, 0, 0);
}

static inline int sys_fcntl(int fd, int cmd, long arg)
{
	return (int)sys_call(SYS_fcntl, fd, cmd, arg, 0, 0, 0);
}

static inline int sys_dup2(int oldfd, int newfd)
{
	/* dup3 refuses equal numbers, dup2 does not; newer architectures have dup3 alone. */
	if (oldfd == newfd) {
		int ret = sys_fcntl(oldfd, F_GETFL, 0);

		return ret < 0 ? ret : newfd;
	}
	return sys_dup3(oldfd, newfd, 0);
}

static inline int sys_openat(int dir, const char *path, int flags, unsigned mode)
{
	return (int)sys_call(SYS_openat, dir, (long)path, flags, mode, 0, 0);
}

static inline int sys_open(const char *path, int flags, unsigned mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

/* `path` "" with AT_EMPTY_PATH in `flags`: of the descriptor `dir` itself. */
static inline int sys_statx(int dir, const char *path, int flags, unsigned mask, struct statx *ret)
{
	return (int)sys_call(SYS_statx, dir, (long)path, flags, mask, (long)ret, 0);
}

static inline ssize_t sys_read(int fd, void *buf, size_t size)
{
	return sys_call(SYS_read, fd, (long)buf, (long)size, 0, 0, 0);
}

static inline ssize_t sys_write(int fd, const void *buf, size_t size)
{
	return sys_call(SYS_write, fd, (long)buf, (long)size, 0, 0, 0);
}

static inline int sys_fstat(int fd, struct stat *ret)
{
#ifdef SYS_fstat
	return (int)sys_call(SYS_fstat, fd, (long)ret, 0, 0, 0, 0);
#else
	return (int)sys_call(SYS_newfstatat, fd, (long)"", (long)ret, AT_EMPTY_PATH, 0, 0);
#endif
}

static inline pid_t sys_getpid(void)
{
	return (pid_t)sys_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline pid_t sys_gettid(void)
{
	return (pid_t)sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

static inline int sys_socket(int domain, int type, int protocol)
{
	return (int)sys_call(SYS_socket, domain, type, protocol, 0, 0, 0);
}

/* `*len`: bytes at `ret`, then bytes that came. */
static inline int sys_getsockopt(int fd, int level, int name, void *ret, socklen_t *len)
{
	return (int)sys_call(SYS_getsockopt, fd, level, name, (long)ret, (long)len, 0);
}

static inline int sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return (int)sys_call(SYS_setsockopt, fd, level, name, (long)value, (long)len, 0);
}

static inline int sys_getsockname(int fd, void *ret, socklen_t *len)
{
	return (int)sys_call(SYS_getsockname, fd, (long)ret, (long)len, 0, 0, 0);
}

static inline int sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return (int)sys_call(SYS_connect, fd, (long)addr, len, 0, 0, 0);
}

static inline int sys_socketpair(int domain, int type, int protocol, int ret[2])
{
	return (int)sys_call(SYS_socketpair, domain, type, protocol, (long)ret, 0, 0);
}

static inline int sys_epoll_create(void)
{
	return (int)sys_call(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0, 0, 0);
}

static inline int sys_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	return (int)sys_call(SYS_epoll_ctl, epoll, op, fd, (long)event, 0, 0);
}

static inline int sys_epoll_wait(int epoll, struct epoll_event *events, int n, int timeout_ms)
{
	return (int)sys_call(SYS_epoll_pwait, epoll, (long)events, n, timeout_ms, 0, 0);
}

static inline int sys_getrlimit(int resource, struct rlimit *ret)
{
	return (int)sys_call(SYS_prlimit64, 0, resource, 0, (long)ret, 0, 0);
}

static inline ssize_t sys_getrandom(void *buf, size_t size, unsigned flags)
{
	return sys_call(SYS_getrandom, (long)buf, (long)size, flags, 0, 0, 0);
}

/*
 * Sleeps while *word == expected. `timeout` is relative, CLOCK_MONOTONIC, NULL: for ever.
 * Returns 0 (woken, maybe for no reason), -EAGAIN, -EINTR or -ETIMEDOUT.
 */
static inline int sys_futex_wait(_Atomic uint32_t *word, uint32_t expected,
				 const struct timespec *timeout, bool shared)
{
	return (int)sys_call(SYS_futex, (long)word, FUTEX_WAIT | (shared ? 0 : FUTEX_PRIVATE_FLAG),
			     expected, (long)timeout, 0, 0);
}

/* Wakes at most `n` sleepers; returns how many. */
static inline int sys_futex_wake(_Atomic uint32_t *word, int n, bool shared)
{
	return (int)sys_call(SYS_futex, (long)word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG),
			     n, 0, 0, 0);
}

/* The kernel's signal set: one bit a signal. libc's sigset_t is 16 times as large. */
typedef uint64_t sys_sigset;

static inline void sys_sigmask(int how, const sys_sigset *set, sys_sigset *ret_old)
{
	(void)sys_call(SYS_rt_sigprocmask, how, (long)set, (long)ret_old, sizeof(sys_sigset), 0, 0);
}

/*
 * Can the `len` bytes at `addr` be read, at most a page of them? For what the program hands to a
 * system call, which says EFAULT where it cannot. The kernel reads 8 bytes, as a signal set, before
 * it finds that there is no such way to set it.
 */
static inline bool sys_is_readable(const void *addr, size_t len)
{
	const uintptr_t ends[] = {(uintptr_t)addr & ~(uintptr_t)7,
				  ((uintptr_t)addr + len - 1) & ~(uintptr_t)7};
	const unsigned pages = (ends[0] ^ ends[1]) >> 12 == 0 ? 1 : 2;

	for (unsigned i = 0; i < pages; i++)
		if (ends[i] == 0 || /* no set: not looked at */
		    sys_call(SYS_rt_sigprocmask, -1, (long)ends[i], 0, sizeof(sys_sigset), 0, 0) ==
			    -EFAULT)
			return false;
	return true;
}

#endif
