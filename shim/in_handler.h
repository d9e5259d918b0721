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
 * False: it does not. True: it does, or it may: the stack is not known (a coroutine's), or too much
 * of it is in use, or what a handler looks like there is not known (other machines than x86-64). A
 * handler that goes on, by hand, on a stack of its own making may be missed there. Some ten
 * microseconds, so not for every call. Any thread; no lock, no allocation, errno is kept.
 */
bool in_handler(void);

#endif
