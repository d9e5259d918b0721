// SPDX-License-Identifier: MIT
/*
 * racing_fork.c - other processes, and programs, that are handed numbers which race.
 *
 * A child of fork() has copies of everything, and no io thread. Under the numbers it finds its own
 * sockets again, the first attempts alone; the private ones are closed, so that what the parent
 * gives up is given up. Races of blocking sockets are settled, in the parent as well. Children of
 * fork() are repaired at once, by a handler of pthread_atfork(), which takes a lock and may
 * allocate: the first race does not begin in a signal handler. Those of _Fork() and of a raw
 * clone() at their first lookup (process.h).
 *
 * What exec*() starts gets the own socket under each number that has no FD_CLOEXEC. In the owner
 * process those races are settled: where exec*() fails, the first attempt goes on alone. A child of
 * vfork(), one that has not been cleaned up, and a thread with a table of its own repair that
 * table, when they duplicate such a number and before exec*(), and nothing else.
 * (Where the child shares the table, too, by clone(), the parent's race ends: its own socket is
 * back.)
 *
 * Repairing may come at any moment of another thread's: the lock is not looked at, and each number
 * changed only where the placeholder is there, by the socket that belongs to it. Both were in the
 * table when it was copied, so no other race can be mixed up with this one. fork() keeps the races
 * as they are meanwhile (racing_table.h); after _Fork() or a raw clone() one that has ended in that
 * moment leaves its placeholder.
 */
#include "shim/in_handler.h"
#include "shim/process.h"
#include "shim/racing_table.h"
#include "shim/sleepers.h"

#include <limits.h>
#include <pthread.h>

static void repair(const struct racing *race, int fd)
{
	int own = private_fd_number_forked(race->own);

	if (own >= 0 && swap_is(own, &race->own_id) && swap_is(fd, &race->id))
		(void)sys_dup3(own, fd, sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC ? O_CLOEXEC : 0);
}

void racing_reset(void)
{
	for (unsigned i = 0; i < racing_places(); i++) {
		const struct racing *race = racing_place(i);

		for (unsigned k = 0; race->active && k < race->n && k < RACING_NUMBERS; k++)
			repair(race, race->numbers[k]);
	}
	racing_table_reset();
	attempts_forked();
	sleepers_reset();
}

void racing_repair(int fd)
{
	unsigned mark = private_fd_special(fd);

	if (mark >= PRIVATE_FD_RACING)
		repair(racing_place(mark - PRIVATE_FD_RACING), fd);
}

/* A blocking socket is the program's own already. */
static void settle(int fd)
{
	struct racing_session s;
	struct racing *race;

	racing_open(&s);
	race = racing_at(&s, fd);
	racing_close_session(&s);
	if (race && !race->blocking)
		racing_settle(fd);
}

void racing_exec(void)
{
	const bool owner = racing_may();

	for (int fd = racing_next(0, INT_MAX); fd >= 0;
	     fd = racing_next((unsigned)fd + 1, INT_MAX)) {
		if (sys_fcntl(fd, F_GETFD, 0) != 0)
			continue; /* close-on-exec, or not open in this table */
		if (owner)
			settle(fd);
		else
			racing_repair(fd);
	}
}

/* The child shares the first attempt of a blocking socket, which cannot be ended any more when
 * another wins: the caller's sleep would not end (connect_race.c). */
static void prepare(void)
{
	if (!racing_fork_prepare())
		return;
	for (unsigned i = 0; i < racing_places(); i++) {
		const struct racing *race = racing_place(i);

		if (race->active && race->blocking && race->n > 0 &&
		    !attempts_first_failed(race->attempts))
			racing_settle(race->numbers[0]);
	}
}

static void in_child(void)
{
	racing_fork_over();
	attempts_forked(); /* a handler of a sleeping caller may fork: nobody will wake it here */
	if (!racing_any())
		return;
	racing_reset();
	private_fd_reset();
}

bool racing_guard_fork(void)
{
	static _Atomic bool guarded;

	if (atomic_load(&guarded))
		return true;
	if (in_handler())
		return false;
	if (!atomic_exchange(&guarded, true))
		(void)pthread_atfork(prepare, racing_fork_over, in_child);
	return true;
}
