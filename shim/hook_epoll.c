// SPDX-License-Identifier: MIT
/*
 * hook_epoll.c - epoll_ctl and epoll_create: which epoll sets there are, and what is in them.
 *
 * Notes of every number (registrations.h), because programs register a socket before connect() too.
 * Any thread, signal handlers; no lock, no allocation.
 */
#include "shim/hooks.h"
#include "shim/racing.h"
#include "shim/registrations.h"

__attribute__((noinline, cold)) static int special_epoll_ctl(int epfd, int op, int fd,
							     struct epoll_event *event)
{
	int r = racing_epoll_ctl(epfd, op, fd, event);

	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

int nbd_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	int r;

	if (racing_is(fd))
		return special_epoll_ctl(epfd, op, fd, event);
	r = real_epoll_ctl(epfd, op, fd, event);
	if (r == 0)
		registrations_note(epfd, op, fd, event);
	return r;
}

int nbd_epoll_create(int size)
{
	int fd = real_epoll_create(size);

	if (fd >= 0)
		registrations_set(fd);
	return fd;
}

int nbd_epoll_create1(int flags)
{
	int fd = real_epoll_create1(flags);

	if (fd >= 0)
		registrations_set(fd);
	return fd;
}
