// SPDX-License-Identifier: MIT
/*
 * private_fd_rig.h - handles for the tests of private_fd.h. Each ends the test where it fails.
 */
#ifndef NOBLOCKDNS_TEST_PRIVATE_FD_RIG_H
#define NOBLOCKDNS_TEST_PRIVATE_FD_RIG_H

#include "shim/private_fd.h"

#include <criterion/criterion.h>

static inline int new_socket(void)
{
	int handle = private_fd_socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert_gt(handle, 0, "private_fd_socket: %d", handle);
	return handle;
}

static inline int number_of(int handle)
{
	int fd = private_fd_number(handle);

	cr_assert_geq(fd, 0, "handle %#x: %d", handle, fd);
	return fd;
}

static inline bool is_open(int fd)
{
	return sys_fcntl(fd, F_GETFD, 0) >= 0;
}

#endif
