// SPDX-License-Identifier: MIT
/*
 * reactor.c - see reactor.h. Called on the thread that entered the resolver.
 *
 * Invariants: the host knows the earliest of what is due (wake_ms) whenever it has control; a task
 * or a timer is unlinked before it runs, so it may free itself and everything else; no allocation
 * after a timer's or a socket's own.
 */
#include "resolver/reactor.h"

#include <errno.h>
#include <stdlib.h>

void reactor_init(struct reactor *r, const struct resolver_host *host)
{
	*r = (struct reactor){.host = *host, .wake_ms = REACTOR_NEVER};
	list_init(&r->tasks);
}

void reactor_fini(struct reactor *r)
{
	free(r->heap);
	free(r->sockets);
}

/* Only the tasks that exist on entry: one that defers itself again runs at the next entry. */
static void run_tasks(struct reactor *r)
{
	struct list batch;

	if (list_empty(&r->tasks))
		return;
	batch = r->tasks;
	batch.next->prev = &batch;
	batch.prev->next = &batch;
	list_init(&r->tasks);
	while (!list_empty(&batch)) {
		struct reactor_task *task = container_of(batch.next, struct reactor_task, link);

		list_remove(&task->link);
		task->run(task);
	}
}

void reactor_settle(struct reactor *r)
{
	uint64_t at_ms = r->nheap ? r->heap[0]->at_ms : REACTOR_NEVER;

	if (!list_empty(&r->tasks))
		at_ms = r->now_ms;
	if (at_ms == r->wake_ms)
		return;
	r->wake_ms = at_ms;
	r->host.wake_at(r->host.ctx, at_ms);
}

void reactor_ready(struct reactor *r, int handle, unsigned events, uint64_t now_ms)
{
	r->now_ms = now_ms;
	for (unsigned i = 0; i < r->nsockets; i++) {
		if (r->sockets[i].handle == handle) {
			r->sockets[i].ready(r->sockets[i].arg, handle, events);
			break;
		}
	}
	run_tasks(r);
	reactor_settle(r);
}

void reactor_tick(struct reactor *r, uint64_t now_ms)
{
	r->now_ms = now_ms;
	if (now_ms >= r->wake_ms)
		r->wake_ms = REACTOR_NEVER; /* the host has forgotten it: tick() comes once */
	while (r->nheap && r->heap[0]->at_ms <= now_ms) {
		struct reactor_timer *timer = r->heap[0];

		reactor_timer_stop(r, timer);
		timer->fire(timer);
	}
	run_tasks(r);
	reactor_settle(r);
}

void reactor_task_init(struct reactor_task *task, void (*run)(struct reactor_task *task))
{
	list_init(&task->link);
	task->run = run;
}

void reactor_defer(struct reactor *r, struct reactor_task *task)
{
	list_remove(&task->link);
	list_append(&r->tasks, &task->link);
}

void reactor_task_cancel(struct reactor_task *task)
{
	list_remove(&task->link);
}

/* ---- timers: a binary heap ---- */

static void heap_put(struct reactor *r, unsigned i, struct reactor_timer *timer)
{
	r->heap[i] = timer;
	timer->place = i + 1;
}

/* Moves the timer from the hole at `i` to where it belongs. */
static void heap_settle(struct reactor *r, unsigned i, struct reactor_timer *timer)
{
	while (i && r->heap[(i - 1) / 2]->at_ms > timer->at_ms) {
		heap_put(r, i, r->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (unsigned child; (child = 2 * i + 1) < r->nheap; i = child) {
		if (child + 1 < r->nheap && r->heap[child + 1]->at_ms < r->heap[child]->at_ms)
			child++;
		if (r->heap[child]->at_ms >= timer->at_ms)
			break;
		heap_put(r, i, r->heap[child]);
	}
	heap_put(r, i, timer);
}

int reactor_timer_init(struct reactor *r, struct reactor_timer *timer,
		       void (*fire)(struct reactor_timer *timer))
{
	if (r->ntimers == r->heap_size) {
		unsigned size = r->heap_size ? 2 * r->heap_size : 16;
		struct reactor_timer **heap =
			realloc(r->heap, size * sizeof(struct reactor_timer *));

		if (!heap)
			return -ENOMEM;
		r->heap = heap;
		r->heap_size = size;
	}
	r->ntimers++;
	timer->place = 0;
	timer->fire = fire;
	return 0;
}

void reactor_timer_fini(struct reactor *r, struct reactor_timer *timer)
{
	reactor_timer_stop(r, timer);
	r->ntimers--;
}

void reactor_timer_start(struct reactor *r, struct reactor_timer *timer, uint64_t at_ms)
{
	reactor_timer_stop(r, timer);
	timer->at_ms = at_ms;
	heap_settle(r, r->nheap++, timer);
}

void reactor_timer_stop(struct reactor *r, struct reactor_timer *timer)
{
	struct reactor_timer *last;
	unsigned hole = timer->place - 1;

	if (!timer->place)
		return;
	timer->place = 0;
	last = r->heap[--r->nheap];
	if (last != timer)
		heap_settle(r, hole, last);
}

/* ---- sockets ---- */

static int reserve_socket(struct reactor *r)
{
	unsigned size = r->sockets_size ? 2 * r->sockets_size : 8;
	struct reactor_socket *sockets;

	if (r->nsockets < r->sockets_size)
		return 0;
	sockets = realloc(r->sockets, size * sizeof(*sockets));
	if (!sockets)
		return -ENOMEM;
	r->sockets = sockets;
	r->sockets_size = size;
	return 0;
}

int reactor_socket_open(struct reactor *r, int domain, int type, int protocol,
			void (*ready)(void *arg, int handle, unsigned events), void *arg)
{
	int handle = reserve_socket(r);

	if (handle < 0)
		return handle;
	handle = r->host.socket(r->host.ctx, domain, type, protocol);
	if (handle < 0)
		return handle;
	r->sockets[r->nsockets++] =
		(struct reactor_socket){.handle = handle, .ready = ready, .arg = arg};
	return handle;
}

void reactor_socket_close(struct reactor *r, int handle)
{
	for (unsigned i = 0; i < r->nsockets; i++) {
		if (r->sockets[i].handle == handle) {
			r->sockets[i] = r->sockets[--r->nsockets];
			r->host.close(r->host.ctx, handle);
			return;
		}
	}
}

int reactor_hold(struct reactor *r, int handle)
{
	return r->host.hold(r->host.ctx, handle);
}

void reactor_drop(struct reactor *r)
{
	r->host.drop(r->host.ctx);
}

int reactor_watch(struct reactor *r, int handle, unsigned events)
{
	return r->host.watch(r->host.ctx, handle, events);
}

uint16_t reactor_random16(struct reactor *r)
{
	uint16_t value;

	r->host.random(r->host.ctx, &value, sizeof(value));
	return value;
}

void reactor_event(const struct reactor *r, const struct resolver_event *event)
{
	if (r->host.event)
		r->host.event(r->host.ctx, event);
}

void reactor_log(struct reactor *r, enum resolver_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r->host.log(r->host.ctx, level, fmt, ap);
	va_end(ap);
}
