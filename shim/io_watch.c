// SPDX-License-Identifier: MIT
/*
 * io_watch.c - see io_watch.h.
 *
 * The table is as large as there are handles, and takes memory as it is touched: a watch may be
 * begun by connect(), in a signal handler that has interrupted malloc().
 */
#include "shim/io_watch.h"

#include "shim/clock.h"
#include "shim/private_fd.h"
#include "shim/sys.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define EVENTS_MAX 64

struct watch {
	io_ready_fn ready;
	void *arg;
	unsigned events;
	bool late; /* the sleeper has been told of it since its end */
};

/* The handles of the set and of the sleeper's; 0: none. Read without the lock by a thread whose
 * generation may be over. */
static _Atomic int set, outer;

/*
 * A set reports something that is not watched: the socket of another descriptor table, which a
 * thread has that left ours by a raw system call, or one whose number the program took while a
 * forked child has a copy of it. Such a member cannot be removed, and would be reported for ever.
 */
static bool has_strays;

static struct watch watches[PRIVATE_FD_HANDLE_MAX + 1]; /* by handle */
static size_t top;					/* all that are watched are below */

int io_watch_open(int sleeper)
{
	has_strays = false;
	outer = sleeper;
	set = private_fd_epoll();
	return set < 0 ? set : io_watch_show(true);
}

void io_watch_close(void)
{
	if (set > 0)
		private_fd_close(set);
	set = 0;
}

int io_watch_show(bool show)
{
	return private_fd_watch(outer, set, show ? EPOLLIN : EPOLLERR, (uint64_t)set);
}

static uint32_t to_epoll(unsigned events)
{
	return (events & IO_READ ? EPOLLIN : 0) | (events & IO_WRITE ? EPOLLOUT : 0);
}

static int set_of(unsigned events)
{
	return events & IO_THREAD ? outer : set;
}

int io_watch(int handle, unsigned events, io_ready_fn ready, void *arg)
{
	struct watch *w;
	int r;

	if (handle <= 0 || handle > PRIVATE_FD_HANDLE_MAX)
		return -EBADF;
	w = &watches[handle];
	if (w->events == events) {
		w->ready = ready;
		w->arg = arg;
		return 0;
	}
	if ((size_t)handle >= top)
		top = (size_t)handle + 1; /* first: a fork may come in between */
	r = private_fd_watch(set_of(events | w->events), handle, to_epoll(events),
			     (uint64_t)handle);
	if (r < 0 && events != 0)
		return r;
	*w = (struct watch){.ready = ready, .arg = arg, .events = events};
	return 0;
}

static bool is_watched(const struct epoll_event *ev)
{
	return ev->data.u64 < top && watches[ev->data.u64].events != 0;
}

static void dispatch(const struct epoll_event *ev, uint64_t now_ms)
{
	int handle = (int)ev->data.u64;
	unsigned events = 0;

	if (!is_watched(ev))
		return; /* its watch ended earlier in this batch */
	if (ev->events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		events |= IO_READ;
	if (ev->events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		events |= IO_WRITE;
	watches[handle].ready(watches[handle].arg, handle, events & watches[handle].events, now_ms);
}

/* Its watch may have been ended between the sleep and the turn: then it is not told of again. */
static bool is_stray(uint64_t handle)
{
	if (handle >= top || watches[handle].late)
		return true;
	watches[handle].late = true;
	return false;
}

void io_watch_told(const struct epoll_event *ev)
{
	if (ev->data.u64 == (uint64_t)set)
		io_watch_dispatch(0);
	else if (is_watched(ev))
		dispatch(ev, clock_boot_ms());
	else
		has_strays |= is_stray(ev->data.u64);
}

int io_watch_dispatch(int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n, ep = private_fd_number(set);
	uint64_t now_ms;

	n = ep < 0 ? ep : sys_epoll_wait(ep, events, EVENTS_MAX, timeout_ms);
	now_ms = clock_boot_ms();
	for (int i = 0; i < n; i++)
		has_strays |= !is_watched(&events[i]);
	for (int i = 0; i < n; i++)
		dispatch(&events[i], now_ms);
	return n;
}

bool io_watch_any(void)
{
	for (size_t i = 0; i < top; i++)
		if (watches[i].events != 0)
			return true;
	return false;
}

bool io_watch_is_open(void)
{
	return !has_strays && private_fd_number(set) >= 0;
}

void io_watch_restore(void)
{
	for (size_t i = 0; i < top; i++) {
		struct watch *w = &watches[i];

		if (w->events != 0 && private_fd_watch(set_of(w->events), (int)i,
						       to_epoll(w->events), (uint64_t)i) < 0)
			w->events = 0;
	}
}

void io_watch_forget(void)
{
	for (size_t i = 0; i < top; i++)
		watches[i].events = 0;
}

void io_watch_reset(void)
{
	set = 0; /* private_fd_reset() closed it */
	io_watch_forget();
}
