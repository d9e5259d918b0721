// SPDX-License-Identifier: MIT
/*
 * hook_dup.c - dup, dup2, dup3: to the program, a private descriptor's number is a free one.
 *
 * A free number cannot be duplicated (EBADF), and anything can be duplicated onto it: the private
 * descriptor there moves away first. Any thread, signal handlers, children of vfork.
 */
#include "shim/hooks.h"
#include "shim/private_fd.h"

#include <errno.h>

int nbd_dup(int oldfd)
{
	if (private_fd_is(oldfd) && private_fd_shields(oldfd)) {
		errno = EBADF;
		return -1;
	}
	return real_dup(oldfd);
}

/* Makes way at `newfd`; false: `oldfd` is not the program's. */
static bool prepare(int oldfd, int newfd)
{
	if (private_fd_is(oldfd) && private_fd_shields(oldfd)) {
		errno = EBADF;
		return false;
	}
	if (private_fd_is(newfd))
		private_fd_move(newfd);
	return true;
}

/* Out of line, so that the common case saves no register: it is two tests and a jump. */
__attribute__((noinline, cold)) static int maybe_private_dup2(int oldfd, int newfd)
{
	return prepare(oldfd, newfd) ? real_dup2(oldfd, newfd) : -1;
}

__attribute__((noinline, cold)) static int maybe_private_dup3(int oldfd, int newfd, int flags)
{
	return prepare(oldfd, newfd) ? real_dup3(oldfd, newfd, flags) : -1;
}

int nbd_dup2(int oldfd, int newfd)
{
	if (private_fd_is(oldfd) || private_fd_is(newfd))
		return maybe_private_dup2(oldfd, newfd);
	return real_dup2(oldfd, newfd);
}

int nbd___dup2(int oldfd, int newfd)
{
	return nbd_dup2(oldfd, newfd);
}

int nbd_dup3(int oldfd, int newfd, int flags)
{
	if (private_fd_is(oldfd) || private_fd_is(newfd))
		return maybe_private_dup3(oldfd, newfd, flags);
	return real_dup3(oldfd, newfd, flags);
}
