// SPDX-License-Identifier: MIT
/*
 * reactor.h - the resolver's side of its host: sockets with their readiness, timers, tasks to be
 * run soon, the time, randomness and the log.
 *
 * Every part of the resolver waits through this and none knows the host. An entry from the host
 * (reactor_ready, reactor_tick) first does what it came for and then runs the tasks, so a task
 * never runs inside a call into c-ares or into resolver_ops.query(). Whoever enters by another way
 * calls reactor_settle() before it returns to the host.
 */
#ifndef NOBLOCKDNS_RESOLVER_REACTOR_H
#define NOBLOCKDNS_RESOLVER_REACTOR_H

#include "resolver/list.h"
#include "resolver/resolver.h"

#define REACTOR_NEVER UINT64_MAX

/* Something to be done at the end of this entry, or at the next one. */
struct reactor_task {
	struct list link;
	void (*run)(struct reactor_task *task);
};

struct reactor_timer {
	uint64_t at_ms;
	unsigned place; /* position in the heap plus 1; 0: not running */
	void (*fire)(struct reactor_timer *timer);
};

/* Whoever is told that a socket is ready. */
struct reactor_socket {
	int handle;
	void (*ready)(void *arg, int handle, unsigned events);
	void *arg; /* borrows */
};

struct reactor {
	struct resolver_host host;
	uint64_t now_ms;  /* time of the current entry */
	uint64_t wake_ms; /* what the host was told last */
	struct list tasks;
	struct reactor_timer **heap; /* owns the array, borrows the timers */
	unsigned nheap, ntimers, heap_size;
	struct reactor_socket *sockets; /* owns */
	unsigned nsockets, sockets_size;
};

void reactor_init(struct reactor *r, const struct resolver_host *host);

/* Frees; every timer and every socket is gone by now. */
void reactor_fini(struct reactor *r);

/* The two entries. */
void reactor_ready(struct reactor *r, int handle, unsigned events, uint64_t now_ms);
void reactor_tick(struct reactor *r, uint64_t now_ms);

/* Tells the host of it. */
void reactor_event(const struct reactor *r, const struct resolver_event *event);

/* Tells the host when to call next, if that has changed. */
void reactor_settle(struct reactor *r);

void reactor_task_init(struct reactor_task *task, void (*run)(struct reactor_task *task));
void reactor_defer(struct reactor *r, struct reactor_task *task);
void reactor_task_cancel(struct reactor_task *task);

/* Room is reserved here (-ENOMEM), so that starting a timer cannot fail. */
int reactor_timer_init(struct reactor *r, struct reactor_timer *timer,
		       void (*fire)(struct reactor_timer *timer));
void reactor_timer_fini(struct reactor *r, struct reactor_timer *timer);
void reactor_timer_start(struct reactor *r, struct reactor_timer *timer, uint64_t at_ms);
void reactor_timer_stop(struct reactor *r, struct reactor_timer *timer);

/* A new socket whose readiness goes to ready(): its handle (0 or greater) or a negative errno. */
int reactor_socket_open(struct reactor *r, int domain, int type, int protocol,
			void (*ready)(void *arg, int handle, unsigned events), void *arg);
void reactor_socket_close(struct reactor *r, int handle);

/* The descriptor behind a handle, until reactor_drop(), for one system call that does not block; or
 * -EBADF. See resolver_host.hold. */
int reactor_hold(struct reactor *r, int handle);
void reactor_drop(struct reactor *r);

int reactor_watch(struct reactor *r, int handle, unsigned events);

uint16_t reactor_random16(struct reactor *r);

void reactor_log(struct reactor *r, enum resolver_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
