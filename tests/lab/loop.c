// SPDX-License-Identifier: MIT
/*
 * loop.c - an epoll loop with a binary heap of timers, armed through one timerfd (epoll's own
 * time-out has only milliseconds, and the forwarder's delays shall be exact).
 */
#include "loop.h"
#include "netns.h"
#include "proc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct lab_watch {
	int fd; /* borrowed; -1: forgotten, freed after the current round */
	void (*ready)(void *arg, uint32_t events);
	void *arg;
	struct lab_watch *next_dead;
};

struct timer {
	uint64_t at_ns;
	uint64_t seq; /* makes equal times keep their order */
	void (*fire)(void *arg);
	void *arg;
};

static int epfd = -1;
static int timerfd = -1;
static struct lab_watch *dead; /* watches forgotten in this round; epoll may still name them */
static struct timer *heap;     /* heap[0] is due first */
static size_t nheap;
static size_t heap_size;
static uint64_t next_seq;
static uint64_t armed_ns; /* what the timerfd is set to; 0: not set */

static void loop_open(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	if (epfd >= 0)
		return;
	epfd = epoll_create1(EPOLL_CLOEXEC);
	timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (epfd < 0 || timerfd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, timerfd, &event))
		lab_fail("event loop: %s", strerror(errno));
}

struct lab_watch *lab_loop_watch(int fd, uint32_t events, void (*ready)(void *arg, uint32_t events),
				 void *arg)
{
	struct lab_watch *watch = malloc(sizeof(*watch));
	struct epoll_event event = {.events = events, .data.ptr = watch};

	loop_open();
	if (!watch || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event))
		lab_fail("event loop: cannot watch: %s", strerror(errno));
	*watch = (struct lab_watch){.fd = fd, .ready = ready, .arg = arg};
	return watch;
}

void lab_loop_events(struct lab_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(epfd, EPOLL_CTL_MOD, watch->fd, &event))
		lab_fail("event loop: cannot change a watch: %s", strerror(errno));
}

void lab_loop_unwatch(struct lab_watch *watch)
{
	epoll_ctl(epfd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
	watch->next_dead = dead;
	dead = watch;
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

static void swap(size_t i, size_t j)
{
	struct timer t = heap[i];

	heap[i] = heap[j];
	heap[j] = t;
}

void lab_loop_at(uint64_t at_ns, void (*fire)(void *arg), void *arg)
{
	size_t i = nheap;

	loop_open();
	if (nheap == heap_size) {
		heap_size = heap_size ? 2 * heap_size : 64;
		heap = realloc(heap, heap_size * sizeof(*heap));
		if (!heap)
			lab_fail("event loop: no memory");
	}
	heap[nheap++] = (struct timer){at_ns, next_seq++, fire, arg};
	for (; i > 0 && before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct timer heap_pop(void)
{
	struct timer top = heap[0];
	size_t i = 0;

	heap[0] = heap[--nheap];
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < nheap; child++)
			if (before(&heap[child], &heap[least]))
				least = child;
		if (least == i)
			return top;
		swap(i, least);
		i = least;
	}
}

static void arm(void)
{
	uint64_t at_ns = nheap ? heap[0].at_ns : 0;
	struct itimerspec its = {
		.it_value = {(time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000)}};

	if (at_ns == armed_ns)
		return;
	armed_ns = at_ns;
	if (timerfd_settime(timerfd, TFD_TIMER_ABSTIME, &its, NULL))
		lab_fail("event loop: timer: %s", strerror(errno));
}

static void fire_due(void)
{
	uint64_t now = lab_now_ns();

	while (nheap && heap[0].at_ns <= now) {
		struct timer t = heap_pop();

		t.fire(t.arg);
	}
}

static void bury(void)
{
	while (dead) {
		struct lab_watch *watch = dead;

		dead = watch->next_dead;
		free(watch);
	}
}

void lab_loop_run(void)
{
	struct epoll_event events[64];

	loop_open();
	for (;;) {
		uint64_t expirations;
		int n;

		fire_due();
		arm();
		n = epoll_wait(epfd, events, 64, -1);
		if (n < 0 && errno != EINTR)
			lab_fail("event loop: %s", strerror(errno));
		for (int i = 0; i < n; i++) {
			struct lab_watch *watch = events[i].data.ptr;

			if (!watch) { /* the timer: fire_due() looks at the heap anyway */
				(void)!read(timerfd, &expirations, sizeof(expirations));
				armed_ns = 0;
			} else if (watch->fd >= 0) {
				watch->ready(watch->arg, events[i].events);
			}
		}
		bury();
	}
}
