// SPDX-License-Identifier: MIT
/*
 * race_wait.h - the ways in which a program waits for a connect() in progress. Each says the events
 * that it saw of the socket; 0: none within the time. One thread, one socket at a time.
 */
#ifndef RACE_WAIT_H
#define RACE_WAIT_H

#include "client.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

struct race_wait {
	const char *name;
	void (*prepare)(int fd);		  /* before connect(); or NULL */
	unsigned (*wait)(int fd, int timeout_ms); /* after it; NULL: the socket blocks */
	unsigned (*again)(int timeout_ms); /* events after the first; NULL: says nothing new */
};

static inline double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static inline void sleep_ms(int ms)
{
	const double end = now_ms() + ms;

	while (now_ms() < end)
		usleep(1000);
}

/* What is left of a time-out, for a wait that a signal interrupted. */
static inline int left_ms(double end)
{
	const double left = end - now_ms();

	return left > 0 ? (int)left + 1 : 0;
}

static inline unsigned wait_poll(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	const double end = now_ms() + timeout_ms;
	int n;

	while ((n = poll(&p, 1, left_ms(end))) < 0 && errno == EINTR)
		;
	must(n >= 0);
	return n > 0 ? (unsigned)p.revents : 0;
}

static inline unsigned wait_select(int fd, int timeout_ms)
{
	struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	fd_set writable;
	int n;

	do {
		FD_ZERO(&writable);
		FD_SET(fd, &writable);
	} while ((n = select(fd + 1, NULL, &writable, NULL, &tv)) < 0 && errno == EINTR);
	must(n >= 0);
	return n > 0 ? POLLOUT : 0;
}

/* ---- epoll: one set for the process ---- */

static int wait_set = -1;   /* has the socket */
static int wait_outer = -1; /* has `wait_set`; or -1 */

static inline void wait_register(int fd, unsigned events)
{
	struct epoll_event event = {.events = events, .data.u64 = 0x1234567890abcdefu};

	wait_set = epoll_create1(EPOLL_CLOEXEC);
	must(wait_set >= 0);
	must(epoll_ctl(wait_set, EPOLL_CTL_ADD, fd, &event) == 0);
}

static inline unsigned wait_epoll(int timeout_ms)
{
	const double end = now_ms() + timeout_ms;
	struct epoll_event event;
	int n;

	while ((n = epoll_wait(wait_set, &event, 1, left_ms(end))) < 0 && errno == EINTR)
		;
	must(n >= 0);
	if (n > 0)
		must(event.data.u64 == 0x1234567890abcdefu);
	return n > 0 ? event.events : 0;
}

static inline unsigned wait_epoll_lt(int fd, int timeout_ms)
{
	wait_register(fd, EPOLLOUT);
	return wait_epoll(timeout_ms);
}

static inline unsigned wait_epoll_et(int fd, int timeout_ms)
{
	wait_register(fd, EPOLLOUT | EPOLLIN | EPOLLRDHUP | EPOLLET);
	return wait_epoll(timeout_ms);
}

static inline unsigned wait_epoll_oneshot(int fd, int timeout_ms)
{
	wait_register(fd, EPOLLOUT | EPOLLONESHOT);
	return wait_epoll(timeout_ms);
}

static inline unsigned wait_epoll_exclusive(int fd, int timeout_ms)
{
	wait_register(fd, EPOLLOUT | EPOLLEXCLUSIVE);
	return wait_epoll(timeout_ms);
}

static inline unsigned wait_epoll_nested(int fd, int timeout_ms)
{
	struct epoll_event event = {.events = EPOLLIN};
	const double end = now_ms() + timeout_ms;
	int n;

	wait_register(fd, EPOLLOUT);
	wait_outer = epoll_create1(EPOLL_CLOEXEC);
	must(epoll_ctl(wait_outer, EPOLL_CTL_ADD, wait_set, &event) == 0);
	while ((n = epoll_wait(wait_outer, &event, 1, left_ms(end))) < 0 && errno == EINTR)
		;
	must(n >= 0);
	return n > 0 ? wait_epoll(0) : 0;
}

/* As nginx does it: registered before connect(), for everything, edge-triggered. */
static inline void prepare_epoll_before(int fd)
{
	wait_register(fd, EPOLLOUT | EPOLLIN | EPOLLRDHUP | EPOLLET);
}

static inline unsigned wait_epoll_before(int fd, int timeout_ms)
{
	(void)fd;
	return wait_epoll(timeout_ms);
}

/* ---- SIGIO ---- */

static inline void prepare_async(int fd)
{
	sigset_t io;

	sigemptyset(&io);
	sigaddset(&io, SIGIO);
	must(sigprocmask(SIG_BLOCK, &io, NULL) == 0);
	must(fcntl(fd, F_SETOWN, getpid()) == 0);
	must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) == 0);
}

/* SIGIO does not say what happened: the program looks. */
static inline unsigned wait_async(int fd, int timeout_ms)
{
	const double end = now_ms() + timeout_ms;
	unsigned events = 0;
	sigset_t io;

	sigemptyset(&io);
	sigaddset(&io, SIGIO);
	while (events == 0 && left_ms(end) > 0) {
		const int left = left_ms(end);
		const struct timespec ts = {left / 1000, left % 1000 * 1000000L};

		if (sigtimedwait(&io, NULL, &ts) == SIGIO)
			events = wait_poll(fd, 0);
	}
	return events;
}

static const struct race_wait race_waits[] = {
	{"block", NULL, NULL, NULL},
	{"poll", NULL, wait_poll, NULL},
	{"select", NULL, wait_select, NULL},
	{"epoll-lt", NULL, wait_epoll_lt, NULL},
	{"epoll-et", NULL, wait_epoll_et, wait_epoll},
	{"epoll-oneshot", NULL, wait_epoll_oneshot, wait_epoll},
	{"epoll-exclusive", NULL, wait_epoll_exclusive, NULL},
	{"epoll-nested", NULL, wait_epoll_nested, NULL},
	{"epoll-before", prepare_epoll_before, wait_epoll_before, wait_epoll},
	{"async", prepare_async, wait_async, NULL},
};

/* NULL: no such way. */
static inline const struct race_wait *race_wait_find(const char *name)
{
	for (unsigned i = 0; i < sizeof race_waits / sizeof race_waits[0]; i++)
		if (strcmp(race_waits[i].name, name) == 0)
			return &race_waits[i];
	return NULL;
}

#endif
