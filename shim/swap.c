// SPDX-License-Identifier: MIT
/*
 * swap.c - see swap.h. The kernel's side of it (Linux 4.14 to 6.18, net/unix/af_unix.c,
 * fs/select.c):
 *
 *	- a UNIX stream socket is writable while a quarter of its send buffer is in use at most, and
 *	  write() fails with EAGAIN when all of it is;
 *	- a thread in poll() or select() holds the file that it found under the number when it last
 *	  looked, and looks again each time that it is woken;
 *	- dup3() gives the place to the new file in one step: no other thread finds the number free.
 */
#include "shim/swap.h"

#include "shim/private_fd.h"

#include <poll.h>

int swap_identify(int fd, struct swap_id *ret)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r < 0)
		return r;
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	return 0;
}

bool swap_is(int fd, const struct swap_id *id)
{
	struct swap_id now;

	return swap_identify(fd, &now) == 0 && now.dev == id->dev && now.ino == id->ino;
}

int swap_copy(int fd, const struct swap_id *id)
{
	const struct stat socket = {.st_dev = id->dev, .st_ino = id->ino, .st_mode = S_IFSOCK};

	return private_fd_copy_seen(fd, &socket);
}

/* The smallest buffer that the kernel grants holds 4.6 KB, with its overhead: less than one write
 * brings, and what does not fit is not taken. The program may close the other end at any moment:
 * no signal. */
static int fill(int fd)
{
	static const char zeros[512];
	static const int least = 1;
	const struct iovec part = {.iov_base = (void *)zeros, .iov_len = sizeof(zeros)};
	const struct iovec parts[] = {part, part, part, part, part, part, part, part,
				      part, part, part, part, part, part, part, part};
	const struct msghdr message = {.msg_iov = (struct iovec *)parts,
				       .msg_iovlen = sizeof(parts) / sizeof(part)};
	ssize_t n =
		sys_call(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, (long)&least, sizeof(least), 0);

	if (n == 0)
		n = sys_call(SYS_sendmsg, fd, (long)&message, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0, 0);
	return n < 0							  ? (int)n
	       : (size_t)n < sizeof(zeros) * sizeof(parts) / sizeof(part) ? 0
									  : -ENOBUFS;
}

int swap_placeholder_make(struct swap_placeholder *ret)
{
	struct swap_placeholder made = {.end = -1};
	int pair[2];
	int r = sys_socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);

	if (r < 0)
		return r;
	made.end = pair[0];
	made.peer = private_fd_adopt_owned(pair[1]);
	r = swap_identify(made.end, &made.id);
	if (r == 0)
		r = made.peer < 0 ? made.peer : fill(made.end);
	if (r == 0) {
		*ret = made;
		return 0;
	}
	swap_placeholder_drop(&made);
	private_fd_close(made.peer);
	return r;
}

void swap_placeholder_drop(const struct swap_placeholder *placeholder)
{
	if (swap_is(placeholder->end, &placeholder->id))
		(void)sys_close(placeholder->end);
}

/* The kernel tells those alone that there is room who have asked in vain for some. */
static void ask_for_room(int end)
{
	int fd = private_fd_number_locked(end);

	if (fd >= 0)
		(void)sys_call(SYS_sendto, fd, (long)"", 1, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
}

/* All at once; nobody looks at it. */
static void make_room(int fd)
{
	static char junk[8192];

	while (sys_read(fd, junk, sizeof(junk)) > 0)
		;
}

void swap_wake(int peer, int end)
{
	int fd;

	private_fd_lock();
	if (end > 0)
		ask_for_room(end);
	fd = private_fd_number_locked(peer);
	if (fd >= 0)
		(void)sys_call(SYS_shutdown, fd, SHUT_RD, 0, 0, 0, 0);
	if (fd >= 0 && end > 0)
		make_room(fd);
	private_fd_unlock();
	if (end > 0)
		private_fd_close(end);
}

bool swap_is_deserted(int peer)
{
	const struct timespec now = {.tv_sec = 0};
	struct pollfd p = {.events = 0};

	private_fd_lock();
	p.fd = private_fd_number_locked(peer);
	if (p.fd >= 0)
		(void)sys_call(SYS_ppoll, (long)&p, 1, (long)&now, 0, 0, 0);
	private_fd_unlock();
	return p.fd < 0 || (p.revents & POLLHUP);
}

_Atomic bool swap_signals;

static void copy_signals(int from, int to)
{
	int signal = sys_fcntl(from, F_GETSIG, 0);
	struct f_owner_ex owner = {.pid = 0};

	if (sys_fcntl(from, F_GETOWN_EX, (long)&owner) == 0 && owner.pid != 0)
		(void)sys_fcntl(to, F_SETOWN_EX, (long)&owner);
	if (signal > 0)
		(void)sys_fcntl(to, F_SETSIG, signal);
}

void swap_copy_flags(int from, int flags, int to)
{
	if (flags < 0)
		return;
	if (!(flags & O_NONBLOCK))
		(void)sys_fcntl(to, F_SETFL, 0);
	if ((flags & O_ASYNC) || atomic_load_explicit(&swap_signals, memory_order_relaxed))
		copy_signals(from, to);
}

/* The kernel sends the signal with the number under which the flag was set, so it is set there. */
static void set_async(int fd)
{
	int flags = sys_fcntl(fd, F_GETFL, 0);

	if (flags >= 0)
		(void)sys_fcntl(fd, F_SETFL, flags | O_ASYNC);
}

int swap_put(int from, int fd, int flags, const struct swap_id *id)
{
	int close_on_exec, r;

	if (!swap_is(fd, id))
		return -EBADF;
	close_on_exec = sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC;
	r = sys_dup3(from, fd, close_on_exec ? O_CLOEXEC : 0);
	if (r >= 0 && flags >= 0 && (flags & O_ASYNC))
		set_async(fd);
	return r < 0 ? r : 0;
}
