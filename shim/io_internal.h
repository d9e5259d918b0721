// SPDX-License-Identifier: MIT
/* io_internal.h - what io.c and io_run.c share: the turn at the io thread's work. */
#ifndef NOBLOCKDNS_IO_INTERNAL_H
#define NOBLOCKDNS_IO_INTERNAL_H

#include "shim/io.h"
#include "shim/lock.h"

/* "io thread only" means: under `lock`, which is taken before that of the thread's life. The io
 * thread has it whenever it is not asleep. */
struct io_turn {
	struct lock lock;
	uint64_t wakes_ms; /* the thread sleeps no longer than this; under lock */
	bool busy;	   /* something was done since it fell asleep; under lock */
};

extern struct io_turn io_turn;

/* Is the thread asleep, with nothing to do before this task, and can it be woken, where it does not
 * wake up by itself in time? Under the turn's lock, and no other's. */
bool io_is_free(const struct io_task *task);

#endif
