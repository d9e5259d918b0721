// SPDX-License-Identifier: MIT
/*
 * hooks.c - what real_x is, before and after dlsym().
 *
 * A hook can be called before any constructor: by other libraries' constructors, and by a malloc
 * that is starting, under its own lock, perhaps because our dlsym() called it. So the descriptor
 * functions, and of exec what is a system call, are *early*: they start as bare system calls, and
 * none of their hooks ever calls dlsym() or malloc(). The name functions, and those that look for a
 * program in PATH, cannot be called from inside malloc or dlsym and are *lazy*: they start as
 * functions that resolve everything and then jump to what was found. The functions that wait have
 * no form of their own: who calls one asks for the role of the process first, and that resolves
 * everything (init.h). (In a child of vfork, of
 * another library's constructor, that is its parent's memory, where it is just as true.)
 *
 * The early forms behave as libc's, but are no cancellation points: before constructors have run
 * nobody can cancel.
 */
#include "shim/hooks.h"

#include "shim/hot.h"
#include "shim/sys.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

static int errno_result(int ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

static int early_close(int fd)
{
	return errno_result(sys_close(fd));
}

static int early_close_range(unsigned first, unsigned last, int flags)
{
	return errno_result(sys_close_range(first, last, flags));
}

/* Linux before 5.9 has no close_range; then one by one, up to what can be open. */
static void early_closefrom(int first)
{
	unsigned from = first < 0 ? 0 : (unsigned)first;
	struct rlimit limit;

	if (sys_close_range(from, UINT_MAX, 0) == 0)
		return;
	if (sys_getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	for (; from < limit.rlim_max && from <= INT_MAX; from++)
		(void)sys_close((int)from);
}

static int early_dup(int oldfd)
{
	return errno_result(sys_dup(oldfd));
}

static int early_dup2(int oldfd, int newfd)
{
	return errno_result(sys_dup2(oldfd, newfd));
}

static int early_dup3(int oldfd, int newfd, int flags)
{
	return errno_result(sys_dup3(oldfd, newfd, flags));
}

static int early_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return errno_result(sys_connect(fd, addr, len));
}

/* The rest have no special form. */
#define EARLY(name, type, params, number, a, b, c, d, e)                                           \
	static type early_##name params                                                            \
	{                                                                                          \
		long ret = sys_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
				    0);                                                            \
		return ret < 0 ? errno_result((int)ret) : (type)ret;                               \
	}

EARLY(ioctl, int, (int fd, unsigned long request, void *arg), SYS_ioctl, fd, request, arg, 0, 0)
EARLY(epoll_create1, int, (int flags), SYS_epoll_create1, flags, 0, 0, 0, 0)
EARLY(epoll_ctl, int, (int epfd, int op, int fd, struct epoll_event *event), SYS_epoll_ctl, epfd,
      op, fd, event, 0)
EARLY(getsockopt, int, (int fd, int level, int name, void *value, socklen_t *len), SYS_getsockopt,
      fd, level, name, value, len)
EARLY(setsockopt, int, (int fd, int level, int name, const void *value, socklen_t len),
      SYS_setsockopt, fd, level, name, value, len)
EARLY(getsockname, int, (int fd, struct sockaddr *addr, socklen_t *len), SYS_getsockname, fd, addr,
      len, 0, 0)
EARLY(getpeername, int, (int fd, struct sockaddr *addr, socklen_t *len), SYS_getpeername, fd, addr,
      len, 0, 0)
EARLY(bind, int, (int fd, const struct sockaddr *addr, socklen_t len), SYS_bind, fd, addr, len, 0,
      0)
EARLY(listen, int, (int fd, int backlog), SYS_listen, fd, backlog, 0, 0, 0)
EARLY(shutdown, int, (int fd, int how), SYS_shutdown, fd, how, 0, 0, 0)
EARLY(sendmsg, ssize_t, (int fd, const struct msghdr *msg, int flags), SYS_sendmsg, fd, msg, flags,
      0, 0)
EARLY(sendmmsg, int, (int fd, struct mmsghdr *msgs, unsigned n, int flags), SYS_sendmmsg, fd, msgs,
      n, flags, 0)

static int early_epoll_create(int size)
{
	return size > 0 ? early_epoll_create1(0) : errno_result(-EINVAL);
}

static int early_unshare(int flags)
{
	return errno_result((int)sys_call(SYS_unshare, flags, 0, 0, 0, 0, 0));
}

static int early_fcntl(int fd, int cmd, void *arg)
{
	struct f_owner_ex owner;
	int ret;

	if (cmd != F_GETOWN)
		return errno_result(sys_fcntl(fd, cmd, (long)arg));
	/* The plain command returns process groups as small negative numbers, which look like
	 * errors; libc asks with the other one. */
	ret = sys_fcntl(fd, F_GETOWN_EX, (long)&owner);
	if (ret < 0)
		return errno_result(ret);
	return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
}

EARLY(execve, int, (const char *path, char *const argv[], char *const envp[]), SYS_execve, path,
      argv, envp, 0, 0)
EARLY(execveat, int, (int dir, const char *path, char *const argv[], char *const envp[], int flags),
      SYS_execveat, dir, path, argv, envp, flags)

static int early_execv(const char *path, char *const argv[])
{
	return early_execve(path, argv, environ);
}

static int early_fexecve(int fd, char *const argv[], char *const envp[])
{
	if (fd < 0 || !argv || !envp)
		return errno_result(-EINVAL);
	return early_execveat(fd, "", argv, envp, AT_EMPTY_PATH);
}

#define early___close	early_close
#define early___connect early_connect
#define early___dup2	early_dup2
#define early___fcntl	early_fcntl
#define early_fcntl64	early_fcntl

/* All real_x in one row, in the order of their definitions: resolve_all() walks along it. `used`:
 * no one else writes them, and the compiler is not to conclude that nobody does. */
#if __has_attribute(no_reorder)
#define IN_A_ROW __attribute__((section("hooks_real"), used, no_reorder))
#else
#define IN_A_ROW __attribute__((section("hooks_real"), used))
#endif

#define HOOKS_WITHOUT_WAITS
#define HOOKS_WITHOUT_LAZY
#define HOOK(name, type, params, args) IN_A_ROW type(*_Atomic real_##name) params = early_##name;
#include "shim/hooks.def"
#undef HOOK
#undef HOOKS_WITHOUT_LAZY

/*
 * What a function returns that libc turns out not to have, with errno ENOSYS: EAI_SYSTEM where the
 * result is one of EAI_*, an errno from gethostbyname*_r(), NULL where it is a pointer.
 */
#define ABSENT_getaddrinfo	EAI_SYSTEM
#define ABSENT_getaddrinfo_a	EAI_SYSTEM
#define ABSENT_gai_suspend	EAI_SYSTEM
#define ABSENT_gai_error	EAI_SYSTEM
#define ABSENT_gai_cancel	EAI_SYSTEM
#define ABSENT_gethostbyname	NULL
#define ABSENT_gethostbyname2	NULL
#define ABSENT_gethostbyname_r	ENOSYS
#define ABSENT_gethostbyname2_r ENOSYS
#define ABSENT_execvp		-1
#define ABSENT_execvpe		-1

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define HOOKS_WITHOUT_EARLY
#define HOOK(name, type, params, args)                                                             \
	static type lazy_##name params                                                             \
	{                                                                                          \
		hooks_resolve();                                                                   \
		if (real_##name != lazy_##name)                                                    \
			return real_##name args;                                                   \
		errno = ENOSYS;                                                                    \
		return ABSENT_##name;                                                              \
	}                                                                                          \
	IN_A_ROW type(*_Atomic real_##name) params = lazy_##name;
#include "shim/hooks.def"
#undef HOOK
#undef HOOKS_WITHOUT_EARLY
#undef HOOKS_WITHOUT_WAITS
#pragma GCC diagnostic pop

/* RTLD_NEXT: what comes behind us in the search order, be it libc or another preload library. */
static void *next(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		(void)dlerror(); /* the program must not find our failure there */
	return symbol;
}

/* epoll_pwait2() came with glibc 2.35. */
static int absent_wait(void)
{
	errno = ENOSYS;
	return -1;
}

void *_Atomic real_waits[HOOKS_WAITS];

#define NAME(name, type, params, args) #name "\0"

static const char wait_names[] =
#define HOOKS_WITHOUT_LAZY
#define HOOKS_WITHOUT_EARLY
#define HOOK NAME
#include "shim/hooks.def"
#undef HOOKS_WITHOUT_LAZY
	;

/* In the order of the row. */
static const char names[] =
#undef HOOKS_WITHOUT_EARLY
#define HOOKS_WITHOUT_WAITS
#define HOOKS_WITHOUT_LAZY
#include "shim/hooks.def"
#undef HOOKS_WITHOUT_LAZY
#define HOOKS_WITHOUT_EARLY
#include "shim/hooks.def"
#undef HOOK
	;

extern void *_Atomic row[] __asm__("__start_hooks_real");

/* Puts what is there of them in its place; what is not there stays. */
static void resolve(const char *name, void *_Atomic *real)
{
	for (; *name; name += strlen(name) + 1, real++) {
		void *symbol = next(name);

		if (symbol)
			*real = symbol;
	}
}

static void resolve_all(void)
{
	resolve(names, row);
	for (int i = 0; i < HOOKS_WAITS; i++)
		real_waits[i] = (void *)absent_wait;
	resolve(wait_names, real_waits);
}

void hooks_resolve(void)
{
	static HOT _Atomic bool resolved;
	int saved = errno;

	if (atomic_load_explicit(&resolved, memory_order_acquire))
		return;
	resolve_all();
	atomic_store_explicit(&resolved, true, memory_order_release);
	errno = saved;
}
