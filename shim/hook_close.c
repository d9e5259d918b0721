// SPDX-License-Identifier: MIT
/*
 * hook_close.c - close, close_range, closefrom: the program cannot close what it did not open.
 *
 * close() of a private descriptor succeeds and does nothing: programs that sweep their descriptor
 * table loop, or assert, when it fails. The ranges go around the private descriptors. A race under
 * a number ends with it (racing.h), and so does what is known of its place in epoll sets. libc's
 * functions are called with no lock held: close() is a cancellation point, and may block.
 *
 * Any thread, signal handlers, children of vfork; no allocation.
 */
#include "shim/hooks.h"
#include "shim/private_fd.h"
#include "shim/racing.h"
#include "shim/registrations.h"

#include <limits.h>
#include <linux/close_range.h>
#include <pthread.h>

/* Out of line, so that the common case saves no register: it is a test and a jump. */
__attribute__((noinline, cold)) static int close_special(int fd)
{
	if (racing_is(fd)) {
		pthread_testcancel();
		if (racing_close(fd))
			return 0;
	} else if (private_fd_is(fd) && private_fd_shields(fd)) {
		return 0;
	}
	return real_close(fd);
}

int nbd_close(int fd)
{
	registrations_closed(fd);
	if (__builtin_expect(private_fd_special(fd) != 0, 0))
		return close_special(fd);
	return real_close(fd);
}

int nbd___close(int fd)
{
	return nbd_close(fd);
}

/* [first, last] without the private ones in it, piece by piece. */
static int close_around(unsigned first, unsigned last)
{
	int fd;

	while ((fd = private_fd_next(first, last)) >= 0) {
		if ((unsigned)fd > first && real_close_range(first, (unsigned)fd - 1, 0) < 0)
			return -1;
		if ((unsigned)fd == last)
			return 0;
		first = (unsigned)fd + 1;
	}
	return real_close_range(first, last, 0);
}

static void end_races(unsigned first, unsigned last)
{
	int fd;

	while ((fd = racing_next(first, last)) >= 0) {
		(void)racing_close(fd);
		if ((unsigned)fd == last)
			return;
		first = (unsigned)fd + 1;
	}
}

/*
 * CLOSE_RANGE_CLOEXEC closes nothing, and ours have that flag already: libc's call as it is.
 * CLOSE_RANGE_UNSHARE gives this thread a descriptor table of its own first, here by way of a range
 * that no descriptor is in, and the private ones stay in both tables: the way to wake the io thread
 * must go on working from this thread.
 */
int nbd_close_range(unsigned first, unsigned last, int flags)
{
	bool around = private_fd_count() != 0 && !(flags & ~CLOSE_RANGE_UNSHARE) && first <= last &&
		      private_fd_next(first, last) >= 0;
	int r = 0;

	if (racing_any() && !flags)
		end_races(first, last);
	if (!around)
		r = real_close_range(first, last, flags);
	else if (flags)
		r = real_close_range(UINT_MAX, UINT_MAX, flags);
	if (r == 0 && (flags & CLOSE_RANGE_UNSHARE))
		private_fd_leave_table();
	return r == 0 && around ? close_around(first, last) : r;
}

void nbd_closefrom(int first)
{
	unsigned from = first < 0 ? 0 : (unsigned)first;
	int fd;

	if (racing_any())
		end_races(from, UINT_MAX);
	if (private_fd_count() == 0) {
		real_closefrom(first);
		return;
	}
	while ((fd = private_fd_next(from, PRIVATE_FD_MAX - 1)) >= 0) {
		/* closefrom() works without close_range (Linux 5.9) as well. */
		if ((unsigned)fd > from && sys_close_range(from, (unsigned)fd - 1, 0) < 0) {
			for (int n = (int)from; n < fd; n++)
				(void)sys_close(n);
		}
		from = (unsigned)fd + 1;
	}
	real_closefrom((int)from);
}
