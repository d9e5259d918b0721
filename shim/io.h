// SPDX-License-Identifier: MIT
/*
 * io.h - the private io thread: an epoll loop with descriptors, timers and tasks.
 *
 * It starts at the first io_submit(), with all signals blocked and a small stack, and ends by
 * itself after IO_IDLE_MS with nothing to do; the next io_submit() starts it again. It owns four
 * private descriptors (two epoll sets and a wake-up socket pair) while it runs.
 *
 * io_submit() and io_run() may be called on any thread of the owner process (process.h), and, with
 * a task of any context, in signal handlers; timers and watches are touched only on the io thread
 * itself, that is from a task, a timer or a watch, and allocate nothing of malloc()'s. Of the rest,
 * each says where.
 */
#ifndef NOBLOCKDNS_IO_H
#define NOBLOCKDNS_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IO_IDLE_MS 60000

extern int io_idle_ms; /* IO_IDLE_MS; a test makes it shorter before the thread starts */

/* Something to be run once on the io thread. Owned by the submitter until run() is entered, by
 * run() from then on. */
struct io_task {
	struct io_task *next; /* io_wake.c's */
	void (*run)(struct io_task *task, uint64_t now_ms);
	bool in_any_context; /* the submitter may be in a signal handler */
	uint64_t quiet_ms;   /* run() watches nothing, and starts no timer due before; 0: it may */
};

/*
 * Hands a task over and wakes the thread. 0, or a negative errno (no thread, no descriptor) with
 * the task still the caller's. -EAGAIN for a task of any context: the thread would have to be
 * started, or is just being started, for which memory is allocated, and the caller is in a signal
 * handler, or may be (in_handler.h).
 */
int io_submit(struct io_task *task);

/*
 * The same; but while the io thread is asleep the task runs at once, on the calling thread, with
 * all signals blocked. "On the io thread" means there as well. With `over`, which tells whether the
 * task has reached its end, the caller may then wait there, a millisecond or two, for what is
 * watched, and handle it as the io thread would. The task must still be there when the call
 * returns.
 */
int io_run(struct io_task *task, bool (*over)(const struct io_task *task));

/* Another thread of the io thread's kind: detached, all signals blocked but glibc's own, small
 * stack. 0, or a negative errno. Any thread. */
int io_thread(void *(*run)(void *), void *arg);

struct io_timer {
	void (*fire)(void *arg, uint64_t now_ms); /* set by the owner before io_timer_start() */
	void *arg;
	bool pressing;	/* likewise: fires within a second after a suspend, for the price of a look
			 * at it each second */
	uint64_t at_ms; /* io_timer.c's: CLOCK_BOOTTIME */
	size_t place;	/* io_timer.c's: position in the heap plus 1; 0: not running */
};

/* (Re)starts a one-shot timer. 0 or -ENOMEM. */
int io_timer_start(struct io_timer *timer, uint64_t at_ms);
void io_timer_stop(struct io_timer *timer);

enum io_events {
	IO_READ = 1,
	IO_WRITE = 2,
	IO_THREAD = 4, /* whoever waits in the io thread's place (io_run()) is not told */
};

typedef void (*io_ready_fn)(void *arg, int handle, unsigned events, uint64_t now_ms);

/* Watches a private descriptor (private_fd.h), level-triggered; `events` 0 ends it. An error or
 * hang-up is reported as both events. 0 or a negative errno. */
int io_watch(int handle, unsigned events, io_ready_fn ready, void *arg);

/*
 * For pthread_atfork(), where the work done here takes locks that a forked child could not get rid
 * of (OpenSSL's): fork() waits until nobody is at work, IO_FORK_MS at most, and holds up the next
 * one until it has forked. Any thread, signal handlers too; errno is kept.
 */
#define IO_FORK_MS 100
void io_fork_prepare(void);
void io_fork_over(void); /* in the parent and in the child */

/* In a forked child: there is no io thread; submitted tasks of the parent are forgotten. */
void io_reset(void);

#endif
