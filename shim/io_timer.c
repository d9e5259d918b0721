// SPDX-License-Identifier: MIT
/*
 * io_timer.c - a binary heap of pointers; each timer knows its place, so that stopping one is
 * logarithmic and needs no search. Invariant: heap[i] is due no later than its children, and
 * heap[i]->place == i + 1.
 *
 * Its memory comes from the kernel: a timer may be started by connect(), in a signal handler that
 * has interrupted malloc().
 */
#include "shim/io_timer.h"

#include <errno.h>
#include <sys/mman.h>

#define ROOM_MIN 512 /* timers: a page */

static struct io_timer **heap; /* borrows each timer; io thread only */
static size_t count, room, npressing;

static void put(size_t i, struct io_timer *timer)
{
	heap[i] = timer;
	timer->place = i + 1;
}

static void sift_up(size_t i)
{
	struct io_timer *timer = heap[i];

	for (; i > 0 && heap[(i - 1) / 2]->at_ms > timer->at_ms; i = (i - 1) / 2)
		put(i, heap[(i - 1) / 2]);
	put(i, timer);
}

static void sift_down(size_t i)
{
	struct io_timer *timer = heap[i];

	for (size_t child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && heap[child + 1]->at_ms < heap[child]->at_ms)
			child++;
		if (heap[child]->at_ms >= timer->at_ms)
			break;
		put(i, heap[child]);
	}
	put(i, timer);
}

static int grow(void)
{
	size_t len = room * sizeof *heap, more = room != 0 ? 2 * len : ROOM_MIN * sizeof *heap;
	void *grown = room != 0 ? mremap(heap, len, more, MREMAP_MAYMOVE)
				: mmap(NULL, more, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (grown == MAP_FAILED)
		return -ENOMEM;
	heap = grown;
	room = more / sizeof *heap;
	return 0;
}

int io_timer_start(struct io_timer *timer, uint64_t at_ms)
{
	io_timer_stop(timer);
	if (count == room && grow() < 0)
		return -ENOMEM;
	timer->at_ms = at_ms;
	npressing += timer->pressing;
	put(count++, timer);
	sift_up(count - 1);
	return 0;
}

void io_timer_stop(struct io_timer *timer)
{
	size_t i = timer->place - 1;

	if (timer->place == 0)
		return;
	timer->place = 0;
	npressing -= timer->pressing;
	if (i == --count)
		return;
	put(i, heap[count]);
	sift_up(i);
	sift_down(heap[i]->place - 1);
}

uint64_t io_timers_next(void)
{
	return count > 0 ? heap[0]->at_ms : UINT64_MAX;
}

bool io_timers_press(void)
{
	return npressing > 0;
}

uint64_t io_timers_run(uint64_t now_ms)
{
	while (count > 0 && heap[0]->at_ms <= now_ms) {
		struct io_timer *timer = heap[0];

		io_timer_stop(timer);
		timer->fire(timer->arg, now_ms);
	}
	return io_timers_next();
}

void io_timers_reset(void)
{
	heap = NULL;
	count = room = npressing = 0;
}
