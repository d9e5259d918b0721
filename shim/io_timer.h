// SPDX-License-Identifier: MIT
/*
 * io_timer.h - the io thread's timers: a binary heap by time. io thread only.
 */
#ifndef NOBLOCKDNS_IO_TIMER_H
#define NOBLOCKDNS_IO_TIMER_H

#include "shim/io.h"

/* Fires what is due; returns the time of the next timer, or UINT64_MAX. */
uint64_t io_timers_run(uint64_t now_ms);

/* The time of the next timer, or UINT64_MAX. */
uint64_t io_timers_next(void);

/* Is there one that must not be late (io.h)? */
bool io_timers_press(void);

/* Forgets all of them (forked child), and leaks the heap: the fork may have come between mremap()
 * and the store of what it returned, and then the old place may be anything's. */
void io_timers_reset(void);

#endif
