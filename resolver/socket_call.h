// SPDX-License-Identifier: MIT
/*
 * socket_call.h - the system calls on a socket whose number is held (resolver_host.hold).
 *
 * By number, not by name: the shim interposes `connect` and other libraries interpose the rest, and
 * whatever stands behind the name may call close(), whose hook would wait for the lock that the
 * holder has. None is a cancellation point. They return the result or a negative errno; errno is
 * libc's and may change.
 */
#ifndef NOBLOCKDNS_RESOLVER_SOCKET_CALL_H
#define NOBLOCKDNS_RESOLVER_SOCKET_CALL_H

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long socket_result(long r)
{
	return r < 0 ? -errno : r;
}

static inline int socket_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	return (int)socket_result(syscall(SYS_connect, fd, to, len));
}

static inline int socket_set(int fd, int level, int option, int value)
{
	return (int)socket_result(
		syscall(SYS_setsockopt, fd, level, option, &value, sizeof(value)));
}

/* The pending error of a socket, which is taken off it (SO_ERROR), as a negative errno; or 0. */
static inline int socket_get_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);
	long r = socket_result(syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &len));

	return r < 0 ? (int)r : -error;
}

/* `from` may be NULL, with `from_len`. */
static inline ssize_t socket_receive(int fd, void *buf, size_t len, int flags,
				     struct sockaddr *from, socklen_t *from_len)
{
	return socket_result(syscall(SYS_recvfrom, fd, buf, len, flags, from, from_len));
}

static inline ssize_t socket_send(int fd, const struct msghdr *msg, int flags)
{
	return socket_result(syscall(SYS_sendmsg, fd, msg, flags));
}

#endif
