// SPDX-License-Identifier: MIT
/*
 * hook_fcntl.c - fcntl on a private descriptor neither copies it nor changes it.
 *
 * A program meets one only by walking its descriptor table (/proc/self/fd, or counting up). The
 * flags can be read, so that the walk sees what the table shows; setting them succeeds and does
 * nothing, as with close(): close-on-exec stays, and nobody makes our sockets block. The rest is
 * refused as on a free number.
 */
#include "shim/hooks.h"
#include "shim/private_fd.h"

#include <errno.h>
#include <fcntl.h>

/* How libc's function is declared; calling it as what it is keeps the ABI's rules for `...`. */
typedef int variadic_fcntl(int fd, int cmd, ...);

/* -1 and EBADF for what a free number would refuse. */
static int private_fcntl(int fd, int cmd)
{
	switch (cmd) {
	case F_GETFD:
	case F_GETFL:
		return sys_fcntl(fd, cmd, 0);
	case F_SETFD:
	case F_SETFL:
		return 0;
	default:
		errno = EBADF;
		return -1;
	}
}

/* Out of line, so that the common case saves no register: it is a test and a jump. */
__attribute__((noinline, cold)) static int maybe_private_fcntl(int fd, int cmd, void *arg)
{
	if (private_fd_shields(fd))
		return private_fcntl(fd, cmd);
	return ((variadic_fcntl *)real_fcntl)(fd, cmd, arg);
}

int nbd_fcntl(int fd, int cmd, void *arg)
{
	if (private_fd_is(fd))
		return maybe_private_fcntl(fd, cmd, arg);
	return ((variadic_fcntl *)real_fcntl)(fd, cmd, arg);
}

int nbd_fcntl64(int fd, int cmd, void *arg)
{
	if (private_fd_is(fd))
		return maybe_private_fcntl(fd, cmd, arg);
	return ((variadic_fcntl *)real_fcntl64)(fd, cmd, arg);
}

int nbd___fcntl(int fd, int cmd, void *arg)
{
	return nbd_fcntl(fd, cmd, arg);
}
