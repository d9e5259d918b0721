// SPDX-License-Identifier: MIT
/*
 * racing_numbers.c - numbers that race are closed, duplicated, replaced and changed (racing.h).
 *
 * What makes a number the race's, or takes it away, is done under the lock together with the system
 * call. That must not block: what is closed under the lock, by close() or by dup3() onto it, is a
 * placeholder, and never a file of the program's, which may linger.
 */
#include "shim/racing_table.h"

#include "shim/clock.h"

#include <sys/ioctl.h>

bool racing_close(int fd)
{
	struct racing_session s;
	struct racing *race;
	bool closed;

	if (!racing_may())
		return false;
	racing_open(&s);
	race = racing_at(&s, fd);
	closed = race && !race->blocking;
	if (closed) {
		attempts_closed(race->attempts, clock_boot_ms());
		(void)sys_close(fd);
	}
	if (race)
		racing_remove(&s, race, fd);
	racing_close_session(&s);
	return closed;
}

int racing_dup(int fd, int cmd, int lowest)
{
	struct racing_session s;
	struct racing *race;
	int r;

	if (!racing_may()) {
		racing_repair(fd);
		return sys_fcntl(fd, cmd, lowest);
	}
	racing_open(&s);
	race = racing_at(&s, fd);
	if (race && race->n == RACING_NUMBERS) {
		racing_close_session(&s);
		racing_settle(fd);
		return sys_fcntl(fd, cmd, lowest);
	}
	r = sys_fcntl(fd, cmd, lowest);
	if (r >= 0 && race)
		(void)racing_add(&s, race, r);
	racing_close_session(&s);
	return r;
}

int racing_dup_onto(int oldfd, int newfd, int flags)
{
	struct racing_session s;
	struct racing *from, *onto;
	int r;

	if (!racing_may()) {
		racing_repair(oldfd);
		return sys_dup3(oldfd, newfd, flags);
	}
	/* Twice, so that what was at `newfd` is closed without the lock. */
	r = racing_is(newfd) ? 0 : private_fd_dup3(oldfd, newfd, flags);
	if (r == -EEXIST)
		r = sys_dup3(oldfd, newfd, flags);
	if (r < 0)
		return r;
	racing_open(&s);
	from = racing_at(&s, oldfd);
	onto = racing_at(&s, newfd);
	if (from && from != onto && from->n == RACING_NUMBERS) {
		racing_close_session(&s);
		racing_settle(oldfd);
		return racing_dup_onto(oldfd, newfd, flags);
	}
	r = sys_dup3(oldfd, newfd, flags);
	if (r >= 0 && onto && onto != from)
		racing_remove(&s, onto, newfd);
	if (r >= 0 && from)
		(void)racing_add(&s, from, newfd);
	racing_close_session(&s);
	return r;
}

void racing_flags_set(int fd)
{
	int flags = sys_fcntl(fd, F_GETFL, 0);
	struct racing_session s;
	struct racing *race;

	if (!racing_may() || flags < 0 || (flags & O_NONBLOCK))
		return;
	racing_open(&s);
	race = racing_at(&s, fd);
	racing_close_session(&s);
	if (race && !race->blocking)
		racing_settle(fd);
}

int racing_ioctl(int fd, unsigned long request, void *arg)
{
	struct racing_session s;
	struct racing *race;
	int own = -1, r = -ENOENT;

	switch (request) {
	case FIOCLEX: /* of the descriptor and the open file: kept in the placeholder */
	case FIONCLEX:
	case FIOASYNC:
	case FIONBIO:
	case FIOSETOWN:
	case SIOCSPGRP:
	case FIOGETOWN:
	case SIOCGPGRP:
		return -ENOENT;
	}
	if (!racing_may())
		return -ENOENT;
	racing_open(&s);
	race = racing_at(&s, fd);
	if (race && !race->blocking) {
		private_fd_lock();
		own = private_fd_number_locked(race->own);
		if (own >= 0)
			r = (int)sys_call(SYS_ioctl, own, (long)request, (long)arg, 0, 0, 0);
		private_fd_unlock();
	}
	racing_close_session(&s);
	return r;
}

int racing_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct racing_session s;
	struct racing *race;
	int r;

	if (!racing_may())
		return sys_epoll_ctl(epfd, op, fd, event);
	racing_open(&s);
	race = racing_at(&s, fd);
	race = race && !race->blocking ? race : NULL;
	if (race && !registrations_may_change(&race->registrations, epfd, op, fd)) {
		racing_close_session(&s);
		racing_settle(fd);
		return racing_epoll_ctl(epfd, op, fd, event);
	}
	r = sys_epoll_ctl(epfd, op, fd, event);
	if (r == 0)
		registrations_note(epfd, op, fd, event);
	if (r == 0 && race)
		registrations_change(&race->registrations, epfd, op, fd, event);
	racing_close_session(&s);
	return r;
}
