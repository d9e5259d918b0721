// SPDX-License-Identifier: MIT
/*
 * hook_fcntl.c - fcntl on a private descriptor neither copies it nor changes it.
 *
 * A program meets one only by walking its descriptor table (/proc/self/fd, or counting up). The
 * flags can be read, so that the walk sees what the table shows; setting them succeeds and does
 * nothing, as with close(): close-on-exec stays, and nobody makes our sockets block. The rest is
 * refused as on a free number.
 *
 * Of a number that races, F_DUPFD makes one more, and a socket that is made to block races no
 * longer (racing.h). The other commands meet the placeholder, which keeps what they set.
 */
#include "shim/hooks.h"
#include "shim/private_fd.h"
#include "shim/racing.h"

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

static bool copies(int cmd)
{
	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC;
}

static bool signals(int cmd)
{
	return cmd == F_SETOWN || cmd == F_SETOWN_EX || cmd == F_SETSIG;
}

static int racing_fcntl(int fd, int cmd, void *arg)
{
	int r;

	if (copies(cmd)) {
		r = racing_dup(fd, cmd, (int)(long)arg);
		if (r < 0)
			errno = -r;
		return r < 0 ? -1 : r;
	}
	if (signals(cmd))
		swap_signals = true; /* first: the race may end at any moment */
	r = ((variadic_fcntl *)real_fcntl)(fd, cmd, arg);
	if (r >= 0 && cmd == F_SETFL)
		racing_flags_set(fd);
	return r;
}

/* Out of line, so that the common case saves few registers. */
__attribute__((noinline, cold)) static int special_fcntl(int fd, int cmd, void *arg)
{
	if (racing_is(fd))
		return racing_fcntl(fd, cmd, arg);
	if (private_fd_shields(fd))
		return private_fcntl(fd, cmd);
	return ((variadic_fcntl *)real_fcntl)(fd, cmd, arg);
}

/* What a race is to know of any number. */
__attribute__((noinline, cold)) static int noted(int fd, int cmd, int r)
{
	if (signals(cmd))
		swap_signals = true;
	else if (r >= 0)
		racing_note_dup(fd, r);
	return r;
}

static bool is_noted(int cmd)
{
	return __builtin_expect(copies(cmd) || signals(cmd), 0);
}

int nbd_fcntl(int fd, int cmd, void *arg)
{
	if (__builtin_expect(private_fd_special(fd) != 0, 0))
		return special_fcntl(fd, cmd, arg);
	if (is_noted(cmd))
		return noted(fd, cmd, ((variadic_fcntl *)real_fcntl)(fd, cmd, arg));
	return ((variadic_fcntl *)real_fcntl)(fd, cmd, arg);
}

int nbd_fcntl64(int fd, int cmd, void *arg)
{
	if (__builtin_expect(private_fd_special(fd) != 0, 0))
		return special_fcntl(fd, cmd, arg);
	if (is_noted(cmd))
		return noted(fd, cmd, ((variadic_fcntl *)real_fcntl64)(fd, cmd, arg));
	return ((variadic_fcntl *)real_fcntl64)(fd, cmd, arg);
}

int nbd___fcntl(int fd, int cmd, void *arg)
{
	return nbd_fcntl(fd, cmd, arg);
}
