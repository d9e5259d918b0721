// SPDX-License-Identifier: MIT
/*
 * io_watch.h - what the loop watches: descriptors with whom to call, in an epoll set of their own.
 * The set is a member of the one that the io thread sleeps in, and can be hidden from it while
 * another thread waits in its place (io_run.c). What is watched with IO_THREAD is in the sleeper's
 * set itself, which costs half as much. io thread only.
 */
#ifndef NOBLOCKDNS_IO_WATCH_H
#define NOBLOCKDNS_IO_WATCH_H

#include "shim/io.h"

#include <sys/epoll.h>

/* Makes the set, for a sleeper in `sleeper` (a handle), and shows it. 0 or a negative errno; then,
 * too, io_watch_close() ends it. Under the lock of the thread's life, like io_watch_close(). */
int io_watch_open(int sleeper);
void io_watch_close(void);

/* Shows the set to the sleeper, or hides it. 0 or a negative errno. */
int io_watch_show(bool show);

/* Handles what the sleeper was told, but for its wake-ups. */
void io_watch_told(const struct epoll_event *ev);

/* Waits for what is watched, at most `timeout_ms`, and has it handled. Returns the number of
 * events, or a negative errno. */
int io_watch_dispatch(int timeout_ms);

bool io_watch_any(void);

/* Is the set still ours, with nothing in it that is not watched? Else it has to be made anew. */
bool io_watch_is_open(void);

/* Puts all watches into a new set, but for those whose descriptors are gone too. */
void io_watch_restore(void);

/* Ends all watches, whose set is gone. */
void io_watch_forget(void);

/* In a forked child. */
void io_watch_reset(void);

#endif
