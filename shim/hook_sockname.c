// SPDX-License-Identifier: MIT
/*
 * hook_sockname.c - getsockname, getpeername: of a number that races, the name of the program's own
 * socket, and no peer yet (racing.h). Any thread, signal handlers.
 */
#include "shim/hooks.h"
#include "shim/racing.h"

__attribute__((noinline, cold)) static int special_getsockname(int fd, struct sockaddr *addr,
							       socklen_t *len)
{
	int r = racing_getsockname(fd, addr, len);

	if (r == -ENOENT)
		return real_getsockname(fd, addr, len);
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

int nbd_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	if (racing_is(fd))
		return special_getsockname(fd, addr, len);
	return real_getsockname(fd, addr, len);
}

__attribute__((noinline, cold)) static int special_getpeername(int fd, struct sockaddr *addr,
							       socklen_t *len)
{
	int r = racing_getpeername(fd);

	if (r == -ENOENT)
		return real_getpeername(fd, addr, len);
	errno = -r;
	return -1;
}

int nbd_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	if (racing_is(fd))
		return special_getpeername(fd, addr, len);
	return real_getpeername(fd, addr, len);
}
