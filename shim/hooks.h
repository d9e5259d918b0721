// SPDX-License-Identifier: MIT
/*
 * hooks.h - the functions of hooks.def, as libc has them and as we have them.
 *
 * For each hooked `x`:
 *
 *	real_x	libc's, or the next preload library's
 *	nbd_x	ours; the exported `x` is a jump to it (exports.c)
 *
 * real_x is callable at any time: until hooks_resolve() has run, the early functions are bare
 * system calls, and the lazy ones resolve themselves at the first call.
 *
 * Atomic pointers, because a constructor that runs before ours may have started threads.
 */
#ifndef NOBLOCKDNS_HOOKS_H
#define NOBLOCKDNS_HOOKS_H

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

#define HOOKS_WITHOUT_WAITS
#define HOOK(name, type, params, args)                                                             \
	extern type(*_Atomic real_##name) params;                                                  \
	type nbd_##name params;
#define HOOK_LIST(name) int nbd_##name(const char *file, const char *arg, va_list list);
#include "shim/hooks.def"
#undef HOOK
#undef HOOKS_WITHOUT_WAITS

#define HOOKS_WITHOUT_LAZY
#define HOOKS_WITHOUT_EARLY
#define HOOK(name, type, params, args) type nbd_##name params;
#include "shim/hooks.def"
#undef HOOK
enum hooks_wait {
#define HOOK(name, type, params, args) WAIT_##name,
#include "shim/hooks.def"
#undef HOOK
	HOOKS_WAITS,
};
#undef HOOKS_WITHOUT_LAZY
#undef HOOKS_WITHOUT_EARLY

/* Of the functions that wait. NULL until hooks_resolve() has run, as it has when the role of the
 * process (init.h) is known. */
extern void *_Atomic real_waits[HOOKS_WAITS];

/*
 * Looks every real_x up with dlsym(RTLD_NEXT). Takes the loader's lock and may allocate: called by
 * the constructor, and by a lazy function that is called earlier; never by an early one.
 * Keeps errno. Any thread, any number of times.
 */
void hooks_resolve(void);

#endif
