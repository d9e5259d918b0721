// SPDX-License-Identifier: MIT
/*
 * hook_wait.c - poll(2), select(2), epoll_wait(2) and their kin: libc's, as they are. In a trace
 * the time between the return of one and the next is told (trace.h): the turn of a program's loop.
 *
 * One function calls all of them by a type that is not theirs. In the ABIs of x86-64 and AArch64
 * whole numbers and pointers travel in the same registers whatever their types, and a function does
 * not see those that it has no parameters for (as in exports.c).
 *
 * Any thread, signal handlers, children of vfork; cancellation points, as libc's are.
 */
#include "shim/hooks.h"
#include "shim/init.h"
#include "shim/trace.h"

typedef int wait_fn(long a, long b, long c, long d, long e, long f);

/* The role is another than INIT_PLAIN. */
__attribute__((noinline, cold)) static int special(long a, long b, long c, long d, long e, long f,
						   enum hooks_wait which)
{
	wait_fn *real;
	int r;

	(void)init_stands_aside();
	real = (wait_fn *)real_waits[which];
	if (!init_is_traced())
		return real(a, b, c, d, e, f);
	trace_wait_begin();
	r = real(a, b, c, d, e, f);
	trace_wait_end();
	return r;
}

#define PADDED(...) PADDED_TO_SIX(__VA_ARGS__, 0, 0, 0, 0)
#define PADDED_TO_SIX(a, b, c, d, e, f, ...)                                                       \
	(long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)

#define HOOKS_WITHOUT_LAZY
#define HOOKS_WITHOUT_EARLY
#define HOOK(name, type, params, args)                                                             \
	type nbd_##name params                                                                     \
	{                                                                                          \
		if (__builtin_expect(!init_is_plain(), 0))                                         \
			return special(PADDED args, WAIT_##name);                                  \
		return ((type(*) params)atomic_load_explicit(&real_waits[WAIT_##name],             \
							     memory_order_relaxed))args;           \
	}
#include "shim/hooks.def"
