// SPDX-License-Identifier: MIT
/*
 * hook_shutdown.c - shutdown, bind, listen: on a number that races, what the kernel makes of them
 * on a socket that connects. The race is settled, and the kernel asked (racing.h): shutdown() ends
 * the attempt, the others are refused. Any thread, signal handlers.
 */
#include "shim/hooks.h"
#include "shim/racing.h"

int nbd_shutdown(int fd, int how)
{
	if (racing_is(fd))
		return racing_shutdown(fd, how);
	return real_shutdown(fd, how);
}

int nbd_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (racing_is(fd))
		racing_settle(fd);
	return real_bind(fd, addr, len);
}

int nbd_listen(int fd, int backlog)
{
	if (racing_is(fd))
		racing_settle(fd);
	return real_listen(fd, backlog);
}
