// SPDX-License-Identifier: MIT
/*
 * loop.h - the event loop of the lab's servers: epoll, and timers in nanoseconds of
 * CLOCK_MONOTONIC. One thread, one loop a process; a failure of the kernel's ends the process.
 */
#ifndef LAB_LOOP_H
#define LAB_LOOP_H

#include <stdint.h>

struct lab_watch;

/* Calls `ready(arg, events)` whenever epoll reports any of `events` (EPOLLIN, ...) for `fd`. */
struct lab_watch *lab_loop_watch(int fd, uint32_t events, void (*ready)(void *arg, uint32_t events),
				 void *arg);
void lab_loop_events(struct lab_watch *watch, uint32_t events);

/* Forgets the watch; the descriptor stays open. May be called inside of its ready(). */
void lab_loop_unwatch(struct lab_watch *watch);

/* Calls `fire(arg)` once at that time or as soon as possible; equal times in order of the calls. */
void lab_loop_at(uint64_t at_ns, void (*fire)(void *arg), void *arg);

_Noreturn void lab_loop_run(void);

#endif
