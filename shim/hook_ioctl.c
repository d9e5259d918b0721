// SPDX-License-Identifier: MIT
/*
 * hook_ioctl.c - ioctl on a number that races: FIONBIO is as F_SETFL, what is asked of the socket
 * is asked of the program's own (racing.h).
 *
 * Variadic in libc, and called as that: see hook_fcntl.c. Any thread, signal handlers.
 */
#include "shim/hooks.h"
#include "shim/racing.h"

#include <sys/ioctl.h>

typedef int variadic_ioctl(int fd, unsigned long request, ...);

static bool signals(unsigned long request)
{
	return request == FIOSETOWN || request == SIOCSPGRP;
}

__attribute__((noinline, cold)) static int special_ioctl(int fd, unsigned long request, void *arg)
{
	int r = racing_is(fd) ? racing_ioctl(fd, request, arg) : -ENOENT;

	if (r != -ENOENT) {
		if (r >= 0)
			return r;
		errno = -r;
		return -1;
	}
	if (signals(request))
		swap_signals = true; /* first: the race may end at any moment */
	r = ((variadic_ioctl *)real_ioctl)(fd, request, arg);
	if (r == 0 && request == FIONBIO)
		racing_flags_set(fd);
	return r;
}

int nbd_ioctl(int fd, unsigned long request, void *arg)
{
	if (racing_is(fd) || __builtin_expect(signals(request), 0))
		return special_ioctl(fd, request, arg);
	return ((variadic_ioctl *)real_ioctl)(fd, request, arg);
}
