// SPDX-License-Identifier: MIT
/*
 * hook_connect.c - connect(2).
 *
 * A descriptor that races already is asked again by programs that want to know whether it is
 * connected (racing.h). Any thread, signal handlers, children of vfork; a cancellation point, as
 * libc's is.
 */
#include "shim/connect_race.h"
#include "shim/hooks.h"
#include "shim/racing.h"

int nbd_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (racing_is(fd))
		return racing_connect(fd, addr, len);
	if (connect_race_may(addr, len))
		return connect_race(fd, addr, len);
	return real_connect(fd, addr, len);
}

int nbd___connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return nbd_connect(fd, addr, len);
}
