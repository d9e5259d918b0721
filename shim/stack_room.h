// SPDX-License-Identifier: MIT
/*
 * stack_room.h - how much stack has the calling thread left? Threads of the program may have very
 * small ones, and coroutines too; what needs more than a libc lookup would is done elsewhere.
 */
#ifndef NOBLOCKDNS_STACK_ROOM_H
#define NOBLOCKDNS_STACK_ROOM_H

#include <stdbool.h>
#include <stddef.h>

/* Are there `bytes` below the caller? False where that is not known for sure. Any thread; a few
 * system calls at a thread's first call. */
bool stack_has(size_t bytes);

#endif
