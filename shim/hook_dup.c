// SPDX-License-Identifier: MIT
/*
 * hook_dup.c - dup, dup2, dup3: to the program, a private descriptor's number is a free one.
 *
 * A free number cannot be duplicated (EBADF), and anything can be duplicated onto it: the private
 * descriptor there moves away first, and none comes until it is done. A number that races has its
 * duplicates in the race, and one that is duplicated onto ends it (racing.h). Duplicates are noted,
 * for races to come. Any thread, signal handlers, children of vfork.
 */
#include "shim/hooks.h"
#include "shim/private_fd.h"
#include "shim/racing.h"
#include "shim/registrations.h"

#include <errno.h>

static int noted(int oldfd, int newfd)
{
	if (newfd < 0)
		return newfd;
	racing_note_dup(oldfd, newfd);
	if (newfd != oldfd)
		registrations_closed(newfd);
	return newfd;
}

static int result(int r)
{
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

/* Out of line, so that the common case saves few registers. */
__attribute__((noinline, cold)) static int special_dup(int oldfd)
{
	if (racing_is(oldfd))
		return result(racing_dup(oldfd, F_DUPFD, 0));
	if (private_fd_shields(oldfd)) {
		errno = EBADF;
		return -1;
	}
	return real_dup(oldfd);
}

int nbd_dup(int oldfd)
{
	if (__builtin_expect(private_fd_special(oldfd) != 0, 0))
		return special_dup(oldfd);
	return noted(oldfd, real_dup(oldfd));
}

/* Makes way at `newfd`; false: `oldfd` is not the program's. */
static bool prepare(int oldfd, int newfd)
{
	if (private_fd_is(oldfd) && private_fd_shields(oldfd)) {
		errno = EBADF;
		return false;
	}
	if (private_fd_is(newfd))
		private_fd_move(newfd);
	return true;
}

static bool special(int oldfd, int newfd)
{
	return __builtin_expect((private_fd_special(oldfd) | private_fd_special(newfd)) != 0, 0);
}

/* Neither number is special, or is any more. */
__attribute__((noinline)) static int plain_dup2(int oldfd, int newfd)
{
	int r = oldfd == newfd ? -EEXIST : private_fd_dup3(oldfd, newfd, 0);

	return noted(oldfd, r == -EEXIST ? real_dup2(oldfd, newfd) : result(r));
}

__attribute__((noinline)) static int plain_dup3(int oldfd, int newfd, int flags)
{
	int r = private_fd_dup3(oldfd, newfd, flags);

	return noted(oldfd, r == -EEXIST ? real_dup3(oldfd, newfd, flags) : result(r));
}

__attribute__((noinline, cold)) static int special_dup2(int oldfd, int newfd)
{
	if (!prepare(oldfd, newfd))
		return -1;
	if (oldfd != newfd && (racing_is(oldfd) || racing_is(newfd)))
		return noted(oldfd, result(racing_dup_onto(oldfd, newfd, 0)));
	return plain_dup2(oldfd, newfd);
}

__attribute__((noinline, cold)) static int special_dup3(int oldfd, int newfd, int flags)
{
	if (!prepare(oldfd, newfd))
		return -1;
	if (racing_is(oldfd) || racing_is(newfd))
		return noted(oldfd, result(racing_dup_onto(oldfd, newfd, flags)));
	return plain_dup3(oldfd, newfd, flags);
}

int nbd_dup2(int oldfd, int newfd)
{
	if (special(oldfd, newfd))
		return special_dup2(oldfd, newfd);
	return plain_dup2(oldfd, newfd);
}

int nbd___dup2(int oldfd, int newfd)
{
	return nbd_dup2(oldfd, newfd);
}

int nbd_dup3(int oldfd, int newfd, int flags)
{
	if (special(oldfd, newfd))
		return special_dup3(oldfd, newfd, flags);
	return plain_dup3(oldfd, newfd, flags);
}
