// SPDX-License-Identifier: MIT
/*
 * io_wake.c - see io_wake.h.
 *
 * Submitters push under the lock of the private descriptors; the loop takes the stack whole and
 * reverses it. The loop announces that it is about to sleep, then looks at the stack once more; a
 * submitter pushes, then looks whether the loop sleeps: one of the two sees the other.
 *
 * The program can take our descriptors away with a raw system call: the wake-up socket is checked
 * by device and inode before each write.
 */
#include "shim/io_wake.h"

#include "shim/io_watch.h"
#include "shim/private_fd.h"
#include "shim/sys.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* Handles; 0: none. Written under the lock of the thread's life; read by the loop without, even by
 * one whose generation is over. */
static _Atomic int set, wake_rx, wake_tx;

static _Atomic(struct io_task *) stack; /* any thread pushes (release), the loop takes (acquire) */
static _Atomic bool asleep;

/* ---- the descriptors ---- */

static void close_handle(_Atomic int *handle)
{
	if (*handle > 0)
		private_fd_close(*handle);
	*handle = 0;
}

void io_wake_close(void)
{
	close_handle(&set);
	io_watch_close();
	close_handle(&wake_rx);
	close_handle(&wake_tx);
}

bool io_wake_can(void)
{
	return private_fd_number(wake_tx) >= 0;
}

/* A sandbox may refuse the one call that the thread cannot do without. Better known now, while the
 * task is still the submitter's, than by a thread that ends with it. */
static int probe_wait(void)
{
	struct epoll_event event;
	int n, fd = private_fd_number(set);

	if (fd < 0)
		return fd;
	n = sys_epoll_wait(fd, &event, 1, 0);
	return n < 0 && n != -EINTR ? n : 0;
}

static int open_all(void)
{
	int ep = private_fd_epoll(), rx, tx, pair[2], r;

	set = ep;
	if (ep < 0)
		return ep;
	r = sys_socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
	if (r < 0)
		return r;
	wake_rx = rx = private_fd_adopt(pair[0]);
	wake_tx = tx = private_fd_adopt(pair[1]);
	if (rx < 0 || tx < 0)
		return rx < 0 ? rx : tx;
	r = private_fd_watch(ep, rx, EPOLLIN, (uint64_t)rx);
	if (r == 0)
		r = io_watch_open(ep);
	return r < 0 ? r : probe_wait();
}

int io_wake_open(void)
{
	int r;

	io_wake_close();
	atomic_store(&asleep, false); /* of the thread before */
	r = open_all();
	if (r < 0)
		io_wake_close();
	return r;
}

void io_wake_reset(void)
{
	set = wake_rx = wake_tx = 0; /* private_fd_reset() closed them */
	atomic_store(&stack, NULL);
	atomic_store(&asleep, false);
}

/* ---- the loop's side ---- */

int io_wake_sleeps(int *wait_ms)
{
	atomic_store(&asleep, true);
	if (io_wake_has_tasks())
		*wait_ms = 0;
	return private_fd_number(set);
}

void io_wake_is_up(void)
{
	atomic_store(&asleep, false);
}

/* One datagram, of a byte. There is seldom another one; epoll would report it again. */
static void drain(void)
{
	static char junk;
	int fd;

	private_fd_lock();
	fd = private_fd_number_locked(wake_rx);
	if (fd >= 0)
		(void)sys_read(fd, &junk, sizeof junk);
	private_fd_unlock();
}

bool io_wake_told(const struct epoll_event *ev)
{
	if ((int)ev->data.u64 != wake_rx)
		return false;
	drain();
	return true;
}

struct io_task *io_wake_take(void)
{
	struct io_task *taken = atomic_exchange_explicit(&stack, NULL, memory_order_acquire);
	struct io_task *ordered = NULL;

	while (taken != NULL) {
		struct io_task *next = taken->next;

		taken->next = ordered;
		ordered = taken;
		taken = next;
	}
	return ordered;
}

/* ---- any thread ---- */

bool io_wake_has_tasks(void)
{
	return atomic_load(&stack) != NULL;
}

bool io_wake_is_idle(void)
{
	return atomic_load(&asleep) && !io_wake_has_tasks();
}

static void push(struct io_task *task)
{
	struct io_task *head = atomic_load_explicit(&stack, memory_order_relaxed);

	do
		task->next = head;
	while (!atomic_compare_exchange_weak(&stack, &head, task));
}

int io_wake(struct io_task *task)
{
	int fd;

	private_fd_lock();
	fd = private_fd_number_locked(wake_tx);
	if (fd >= 0) {
		if (task != NULL)
			push(task);
		if (atomic_exchange(&asleep, false))
			(void)sys_write(fd, "", 1); /* full: it is awake */
	}
	private_fd_unlock();
	return fd < 0 ? fd : 0;
}
