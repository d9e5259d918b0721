// SPDX-License-Identifier: MIT
/*
 * io_run.c - io_run() of io.h: a task that saves the way through the other thread.
 *
 * While the io thread is asleep, and has released the turn (io_internal.h), the task runs on its
 * caller's thread, with all signals blocked. What is watched afterwards, the sleeper sees by
 * itself; it is woken only where a timer was started that is due before it would wake up.
 */
#include "shim/io_internal.h"

#include "shim/clock.h"
#include "shim/io_timer.h"
#include "shim/io_wake.h"
#include "shim/io_watch.h"
#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/stack_room.h"

#include <errno.h>

/*
 * How long an asker waits in the place of the io thread, with its signals blocked, when it has put
 * a question. A near server's answer comes in less, and two switches of threads are saved. Where it
 * took longer, the next FAR_SKIPS askers do not try. The answer is handled on the asker's stack.
 */
#define LEAD_MS	   1
#define FAR_SKIPS  63
#define LEAD_STACK ((size_t)128 << 10)

static unsigned far; /* tasks that are not waited for any more; under the turn */

/* Waits on this thread for what ends the task. False: that takes too long. */
static bool lead(const struct io_task *task, bool (*over)(const struct io_task *task))
{
	uint64_t end_ms = clock_boot_ms() + LEAD_MS;

	while (!over(task))
		if (io_watch_dispatch(1) <= 0 || clock_boot_ms() > end_ms)
			return over(task);
	return true;
}

/* The task, and, from a server that has been near so far, the answer. */
static void run_and_lead(struct io_task *task, bool (*over)(const struct io_task *task))
{
	bool leads = over != NULL && far == 0 && stack_has(LEAD_STACK) && io_watch_show(false) == 0;

	task->run(task, clock_boot_ms());
	io_turn.busy = true;
	if (far > 0)
		far--;
	if (leads) {
		if (lead(task, over))
			io_timers_run(clock_boot_ms());
		else
			far = FAR_SKIPS;
	}
	if ((leads && io_watch_show(true) < 0) || io_timers_next() < io_turn.wakes_ms)
		io_wake(NULL);
}

/* Runs the task on this thread if the io thread is asleep and stays out of the way. */
static bool run_here(struct io_task *task, bool (*over)(const struct io_task *task))
{
	bool may, begins = !private_fd_in_turn();

	if (private_fd_tables_differ() || !lock_try(&io_turn.lock))
		return false;
	if (begins && process_peek() != PROCESS_OWNER) {
		lock_release(&io_turn.lock); /* a signal handler has forked since the look before */
		return false;
	}
	if (begins)
		private_fd_turn();
	may = io_is_free(task);
	if (may)
		run_and_lead(task, over);
	if (begins)
		private_fd_turn_over();
	lock_release(&io_turn.lock);
	return may;
}

int io_run(struct io_task *task, bool (*over)(const struct io_task *task))
{
	int saved = errno;
	bool done = run_here(task, over);

	errno = saved;
	return done ? 0 : io_submit(task);
}
