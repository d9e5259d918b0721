// SPDX-License-Identifier: MIT
/*
 * init.h - the start of the library, and what part it takes in the process.
 */
#ifndef NOBLOCKDNS_INIT_H
#define NOBLOCKDNS_INIT_H

#include <stdatomic.h>
#include <stdbool.h>

/* In this order: ranges of them are compared. */
enum init_role {
	INIT_UNKNOWN,
	INIT_PLAIN,
	INIT_TRACED,   /* and all that is timed is recorded (trace.h) */
	INIT_OBSERVES, /* every lookup is libc's, and recorded */
	INIT_ASIDE,    /* AT_SECURE: every hook passes through */
};

/* Relaxed. Changes at the start, when the configuration is known, and where a trace cannot be
 * written. */
extern _Atomic int init_role;

/* What the constructor does: finds libc's functions and looks at descriptor 2 (log.h). No thread,
 * no descriptor, no other system call. */
void init_library(void);

/*
 * AT_SECURE (getauxval(3)): the program runs with more rights than its caller, and must not be led
 * by the caller's environment. Every hook passes through. Works before the constructor ran, and
 * makes the role known; by then hooks_resolve() has run. No system call; any thread.
 */
bool init_stands_aside(void);

/* Does the shim do its work, and nothing else? One load. */
__attribute__((always_inline)) static inline bool init_is_plain(void)
{
	return atomic_load_explicit(&init_role, memory_order_relaxed) == INIT_PLAIN;
}

/* Is every lookup libc's? */
__attribute__((always_inline)) static inline bool init_is_libcs(void)
{
	int role = atomic_load_explicit(&init_role, memory_order_relaxed);

	return role == INIT_UNKNOWN ? init_stands_aside() : role >= INIT_OBSERVES;
}

/* Is anything recorded? One load. */
__attribute__((always_inline)) static inline bool init_is_traced(void)
{
	int role = atomic_load_explicit(&init_role, memory_order_relaxed);

	return __builtin_expect(role == INIT_TRACED || role == INIT_OBSERVES, 0);
}

#endif
