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
#include "shim/trace.h"

static int plain(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (racing_is(fd))
		return racing_connect(fd, addr, len);
	if (connect_race_may(addr, len))
		return connect_race(fd, addr, len);
	return real_connect(fd, addr, len);
}

__attribute__((noinline, cold)) static int traced(int fd, const struct sockaddr *addr,
						  socklen_t len)
{
	uint64_t start_ns;
	int r;

	if (!connect_is_inet(addr, len))
		return plain(fd, addr, len);
	start_ns = trace_connect_begin(addr, len);
	r = plain(fd, addr, len);
	trace_connect(fd, addr, len, start_ns, r);
	return r;
}

int nbd_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return init_is_traced() ? traced(fd, addr, len) : plain(fd, addr, len);
}

int nbd___connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return nbd_connect(fd, addr, len);
}
