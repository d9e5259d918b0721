// SPDX-License-Identifier: MIT
/*
 * racing_fork.c - a child of fork() while races are on: it has copies of everything, and no io
 * thread. Under the numbers it finds its own sockets again, the first attempts alone; the private
 * ones are closed, so that what the parent gives up is given up.
 *
 * The fork may have come at any moment of another thread's: the lock is not looked at, and each
 * number changed only where the placeholder is there.
 *
 * Children of fork() are repaired at once, by a handler of pthread_atfork(), which glibc keeps
 * without memory of malloc()'s for the first 48; those of _Fork() and of a raw clone() at their
 * first lookup (process.h).
 */
#include "shim/process.h"
#include "shim/racing_table.h"
#include "shim/sleepers.h"

#include <pthread.h>

static void repair(const struct racing *race)
{
	int own = private_fd_number_forked(race->own);

	if (own < 0 || !swap_is(own, &race->own_id))
		return;
	for (unsigned i = 0; i < race->n && i < RACING_NUMBERS; i++) {
		int fd = race->numbers[i];

		if (swap_is(fd, &race->id))
			(void)sys_dup3(own, fd,
				       sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC ? O_CLOEXEC : 0);
	}
}

void racing_reset(void)
{
	for (unsigned i = 0; i < racing_places(); i++) {
		const struct racing *race = racing_place(i);

		if (race->active && !race->blocking)
			repair(race);
	}
	racing_table_reset();
	attempts_forked();
	sleepers_reset();
}

static void in_child(void)
{
	if (!racing_any())
		return;
	racing_reset();
	private_fd_reset();
}

void racing_guard_fork(void)
{
	static _Atomic bool guarded;

	if (!atomic_exchange(&guarded, true))
		(void)pthread_atfork(NULL, NULL, in_child);
}
