// SPDX-License-Identifier: MIT
/*
 * stack_room.c - see stack_room.h.
 *
 * libc knows the stack of each thread that it has made. For the first thread it would read
 * /proc/self/maps; but the kernel has put the random bytes of the auxiliary vector near the top of
 * that stack, and it may grow to RLIMIT_STACK from there.
 */
#include "shim/stack_room.h"

#include "shim/sys.h"

#include <pthread.h>
#include <sys/auxv.h>

#define FIRST_MAX ((rlim_t)8 << 20) /* the usual limit: more is not needed */

/* Of the calling thread's stack; end 0: not known yet. A frame outside is a coroutine's. */
static _Thread_local uintptr_t begin, end;

/* Half of it: the other may be taken by arguments and environment, which lie above. */
static void find_first(void)
{
	uintptr_t top = getauxval(AT_RANDOM);
	struct rlimit limit;

	begin = end = top == 0 ? 1 : top;
	if (top == 0 || sys_getrlimit(RLIMIT_STACK, &limit) < 0)
		return;
	begin = top - (limit.rlim_cur < FIRST_MAX ? limit.rlim_cur : FIRST_MAX) / 2;
}

static void find(void)
{
	pthread_attr_t attr;
	void *addr = NULL;
	size_t size = 0;

	if (sys_gettid() == sys_getpid()) {
		find_first();
		return;
	}
	begin = end = 1;
	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	if (pthread_attr_getstack(&attr, &addr, &size) == 0) {
		begin = (uintptr_t)addr;
		end = begin + size;
	}
	pthread_attr_destroy(&attr);
}

bool stack_has(size_t bytes)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	if (end == 0)
		find();
	return here < end && here > begin && here - begin >= bytes;
}
