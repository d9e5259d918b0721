// SPDX-License-Identifier: MIT
/*
 * init.h - the start of the library, and whether it takes part at all.
 */
#ifndef NOBLOCKDNS_INIT_H
#define NOBLOCKDNS_INIT_H

#include <stdbool.h>

/* What the constructor does: finds libc's functions and looks at descriptor 2 (log.h). No thread,
 * no descriptor, no other system call. */
void init_library(void);

/*
 * AT_SECURE (getauxval(3)): the program runs with more rights than its caller, and must not be led
 * by the caller's environment. Every hook passes through. Works before the constructor ran; no
 * system call; any thread.
 */
bool init_stands_aside(void);

#endif
