// SPDX-License-Identifier: MIT
/*
 * registrations_rig.h - epoll sets as a program has them, by the hooks and past them, and what
 * comes of a number in one: for the tests of registrations.h.
 */
#ifndef NOBLOCKDNS_TEST_REGISTRATIONS_RIG_H
#define NOBLOCKDNS_TEST_REGISTRATIONS_RIG_H

#include "shim/registrations.h"
#include "tests/unit/racing_rig.h"

#include <sys/epoll.h>

#define DATA 0x123456789abcdef0u

static struct epoll_event got;

static inline struct epoll_event wants(uint32_t events)
{
	return (struct epoll_event){.events = events, .data.u64 = DATA};
}

static inline int enter(int set, int fd, uint32_t events)
{
	struct epoll_event event = wants(events);

	return nbd_epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

/* What comes within the time; 0: nothing. */
static inline uint32_t next(int set, int timeout_ms)
{
	if (epoll_wait(set, &got, 1, timeout_ms) != 1)
		return 0;
	cr_expect_eq(got.data.u64, DATA);
	return got.events;
}

static inline void must_come_once(int set, int fd)
{
	cr_expect_eq(next(set, PATIENCE_MS), EPOLLOUT);
	cr_expect_eq(rig_peer(fd), 2);
	cr_expect_eq(next(set, 50), 0, "a second event");
}

static inline void enter_past_the_hook(int set, int fd, uint32_t events)
{
	struct epoll_event event = wants(events);

	cr_assert_eq(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
}

static inline int error_of(int set, int op, int fd)
{
	struct epoll_event event = wants(EPOLLOUT);

	errno = 0;
	return nbd_epoll_ctl(set, op, fd, &event) == 0 ? 0 : errno;
}

#endif
