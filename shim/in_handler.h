// SPDX-License-Identifier: MIT
/*
 * in_handler.h - does the calling thread run a signal handler?
 *
 * connect() may be called in one (signal-safety(7)), malloc() may not: the handler may have
 * interrupted it. What cannot do without, such as starting a thread, asks here first.
 */
#ifndef NOBLOCKDNS_IN_HANDLER_H
#define NOBLOCKDNS_IN_HANDLER_H

#include <stdbool.h>

/*
 * True: it does, or it may, since what a handler looks like is not known (other machines than
 * x86-64). Missed is a handler that has half a megabyte of stack in use, or that has gone on, by
 * hand, on another stack. Ten microseconds and more, so not for every call. Any thread; no lock, no
 * allocation, errno is kept.
 */
bool in_handler(void);

#endif
