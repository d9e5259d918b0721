// SPDX-License-Identifier: MIT
/*
 * io_wake.h - how the io thread (io.c) is given tasks, and woken for them: a stack of tasks, and
 * the descriptors of its sleep, which are an epoll set and a socket pair, one end of which is in
 * the set.
 *
 * Opening, closing and resetting are done under the lock of the thread's life; sleeping, taking and
 * being told by the io thread; the rest says where. Tasks wait while the descriptors are exchanged,
 * and whoever closes the last ones sees to it that there are none.
 */
#ifndef NOBLOCKDNS_IO_WAKE_H
#define NOBLOCKDNS_IO_WAKE_H

#include "shim/io.h"

#include <sys/epoll.h>

/* Makes the descriptors, and the set of what is watched (io_watch_open()), for a thread that is
 * awake, in the place of those before. 0; or a negative errno, and there are none. */
int io_wake_open(void);
void io_wake_close(void);

/* In a forked child: there are no descriptors, and no tasks. */
void io_wake_reset(void);

/* The thread is about to sleep; if there are tasks, `*wait_ms` becomes 0. The number of the set to
 * sleep in, or a negative errno: it is not ours any more. */
int io_wake_sleeps(int *wait_ms);

/* It is awake, and needs no wake-up. */
void io_wake_is_up(void);

/* Is it asleep, and has been given nothing? Any thread. */
bool io_wake_is_idle(void);

/* True: the event was a wake-up, which is over with that. */
bool io_wake_told(const struct epoll_event *ev);

/* Takes all tasks, a list in the order in which they were given. */
struct io_task *io_wake_take(void);

/* Is there a task that was not taken? Any thread. */
bool io_wake_has_tasks(void);

/* Gives a task, if it is not NULL, and wakes the thread if it is asleep. -EBADF and the like:
 * nobody is there to take the task, since the wake-up socket is not ours any more. Any thread, in
 * signal handlers too. */
int io_wake(struct io_task *task);

/* Would io_wake() find its socket? Any thread. */
bool io_wake_can(void);

#endif
