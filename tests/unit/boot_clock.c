// SPDX-License-Identifier: MIT
/* boot_clock.c - see boot_clock.h. Stands before libc's function for the code of this program. */
#include "tests/unit/boot_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Atomic long boot_clock_ahead_s;

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	if (r == 0 && clock == CLOCK_BOOTTIME)
		ret->tv_sec += atomic_load(&boot_clock_ahead_s);
	return r;
}
