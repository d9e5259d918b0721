// SPDX-License-Identifier: MIT
/* racing.c - see racing.h. */
#include "shim/racing.h"

#include "shim/hooks.h"
#include "shim/private_fd.h"
#include "shim/sys.h"

int racing_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return real_connect(fd, addr, len);
}

int racing_begin(int fd, struct attempts *a)
{
	(void)fd;
	attempts_release(a);
	return -EOPNOTSUPP;
}

int racing_watch(int fd, struct attempts *a)
{
	(void)fd;
	(void)a;
	return 0;
}

void racing_unwatch(int fd, struct attempts *a)
{
	(void)fd;
	(void)a;
}

int racing_replace(int fd, struct attempts *a)
{
	int number, r, flags = sys_fcntl(fd, F_GETFL, 0), cloexec = sys_fcntl(fd, F_GETFD, 0);

	private_fd_lock();
	number = private_fd_number_locked(attempts_winner(a));
	r = number < 0 ? number : sys_dup3(number, fd, cloexec & FD_CLOEXEC ? O_CLOEXEC : 0);
	private_fd_unlock();
	if (r >= 0)
		r = sys_fcntl(fd, F_SETFL, flags);
	return r < 0 ? r : 0;
}
