// SPDX-License-Identifier: MIT
/*
 * hook_sockopt.c - getsockopt, setsockopt: of a number that races, the options of the program's own
 * socket, set on every attempt (racing.h). Any thread, signal handlers.
 */
#include "shim/hooks.h"
#include "shim/racing.h"

__attribute__((noinline, cold)) static int special_getsockopt(int fd, int level, int name,
							      void *value, socklen_t *len)
{
	int r = racing_getsockopt(fd, level, name, value, len);

	if (r == -ENOENT)
		return real_getsockopt(fd, level, name, value, len);
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

int nbd_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (racing_is(fd))
		return special_getsockopt(fd, level, name, value, len);
	return real_getsockopt(fd, level, name, value, len);
}

__attribute__((noinline, cold)) static int special_setsockopt(int fd, int level, int name,
							      const void *value, socklen_t len)
{
	int r = racing_setsockopt(fd, level, name, value, len);

	if (r == -ENOENT)
		return real_setsockopt(fd, level, name, value, len);
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

int nbd_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (racing_is(fd))
		return special_setsockopt(fd, level, name, value, len);
	return real_setsockopt(fd, level, name, value, len);
}
