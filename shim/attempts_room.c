// SPDX-License-Identifier: MIT
/*
 * attempts_room.c - how many descriptors races may take of those that the program has (attempts.h).
 *
 * RLIMIT_NOFILE bounds the program's descriptors and ours together, and bounds numbers, not how
 * many there are. It is asked for each time: the program may change it.
 *
 * A race is promised what nearly all need: a copy of the program's socket, the other end of a
 * placeholder, one attempt. So the second attempt of a race is not refused for the sake of the
 * third of another, or of lookups, and keeps to half of the limit alone.
 */
#include "shim/attempts_internal.h"

#include "shim/private_fd.h"
#include "shim/sys.h"

#define PROMISED 3
#define OTHERS	 8    /* the io thread's four (io.h), and sockets of a few lookups */
#define USUAL	 1024 /* soft limit, where the kernel does not say */

static uint64_t limit(void)
{
	struct rlimit r;

	return sys_getrlimit(RLIMIT_NOFILE, &r) < 0 ? USUAL : r.rlim_cur;
}

static uint64_t taken(void)
{
	unsigned have = private_fd_count(), promised = OTHERS + PROMISED * attempts_running();

	return have > promised ? have : promised;
}

bool attempts_room(int fd)
{
	uint64_t most = limit();

	return (unsigned)fd < most / 2 && taken() + PROMISED <= most / 4;
}

bool attempts_room_more(const struct attempts *a)
{
	bool second = true;

	for (unsigned i = 0; i < RACE_MAX; i++)
		if (a->attempts[i].handle > 0 && a->attempts[i].handle != a->own)
			second = false;
	return second ? private_fd_count() < limit() / 2 : taken() < limit() / 4;
}
