// SPDX-License-Identifier: MIT
/*
 * io.c - the loop of io.h.
 *
 * Life of the thread, guarded by `life`:
 *
 *	NONE --io_submit: descriptors, thread--> RUNNING --idle, or descriptors lost--> NONE
 *
 * The program can take our descriptors away with a raw system call. When the wake-up socket is gone
 * (io_wake.c), a new generation of thread and descriptors is started, and the old thread, should it
 * ever return from epoll_wait, sees that its generation is over and ends. A thread has the turn
 * (io_internal.h) whenever it is not asleep, so that two generations are never at work together.
 * One that finds an epoll set gone, or spoilt (io_watch.c), makes new descriptors and goes on.
 */
#include "shim/io.h"

#include "shim/clock.h"
#include "shim/in_handler.h"
#include "shim/io_internal.h"
#include "shim/io_timer.h"
#include "shim/io_wake.h"
#include "shim/io_watch.h"
#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/sys.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

/* After work the thread looks at its timers at least once more after this time. A question or a
 * race that begins meanwhile, on the asker's thread, needs no wake-up then: the first of its timers
 * is due later (the retransmission: RFC 1035 4.2.1 and c-ares, 250 ms or more; the next attempt:
 * RFC 8305 section 8, 100 ms or more). */
#define NAP_MS 90

/* epoll_wait() counts no time that the machine is suspended, and timers do: a question that was in
 * flight ends this much after the machine has resumed, at the latest. */
#define RESUME_MS 1000

#define EVENTS_MAX 64 /* of one sleep */

int io_idle_ms = IO_IDLE_MS;

/* The thread is created under it, which allocates: whoever may have interrupted malloc() does not
 * wait for it (take_life()). */
static struct lock life;
static bool running;		    /* guarded by life */
static _Atomic uint32_t generation; /* of the running thread; written under life */

struct io_turn io_turn;

static void run_tasks(uint64_t now_ms)
{
	struct io_task *tasks = io_wake_take();

	while (tasks != NULL) {
		struct io_task *task = tasks;

		tasks = task->next;
		task->run(task, now_ms);
	}
}

/* How long epoll_wait may sleep: until `next`, or until the thread has been idle for long. */
static int sleep_ms(uint64_t next, uint64_t now_ms)
{
	if (next == UINT64_MAX)
		return io_watch_any() ? -1 : io_idle_ms;
	if (next <= now_ms)
		return 0;
	if (io_timers_press() && next - now_ms > RESUME_MS)
		return RESUME_MS;
	return next - now_ms < INT_MAX ? (int)(next - now_ms) : INT_MAX;
}

/* Ends this generation if nothing came in meanwhile. */
static bool end_if_idle(uint32_t mine)
{
	bool end;

	lock_take(&life);
	end = atomic_load(&generation) != mine || !io_wake_has_tasks();
	if (end && atomic_load(&generation) == mine) {
		running = false;
		io_wake_close();
	}
	lock_release(&life);
	return end;
}

/* The program has taken our descriptors away, or spoilt the set. Timers are running, and somebody
 * waits for what they will do: go on with new ones. Where none can be had, the next io_submit()
 * starts anew. */
static bool repair(uint32_t mine)
{
	bool repaired = false;

	lock_take(&life);
	if (atomic_load(&generation) == mine)
		running = repaired = io_wake_open() == 0;
	lock_release(&life);
	if (repaired)
		io_watch_restore();
	else
		io_watch_forget();
	return repaired;
}

/* Sleeps until there is something to do. Returns the number of events, or a negative errno
 * where one of the epoll descriptors is no longer ours, or of no more use. */
static int sleep_until(uint32_t mine, uint64_t next, uint64_t now_ms, struct epoll_event *events,
		       bool *ret_idle)
{
	int wait_ms = sleep_ms(next, now_ms);
	bool nap = io_turn.busy && (wait_ms < 0 || wait_ms > NAP_MS);
	int n, ep;

	if (nap)
		wait_ms = NAP_MS;
	io_turn.wakes_ms = wait_ms < 0 ? UINT64_MAX : now_ms + (uint64_t)wait_ms;
	io_turn.busy = false;
	ep = io_wake_sleeps(&wait_ms);
	lock_release(&io_turn.lock);
	n = ep < 0 ? ep : sys_epoll_wait(ep, events, EVENTS_MAX, wait_ms);
	if (n == -EINTR)
		n = 0;
	lock_take(&io_turn.lock);
	if (atomic_load(&generation) != mine)
		return 0; /* another thread is the io thread now, and may be asleep: io_main() ends
			   */
	private_fd_turn();
	io_wake_is_up();
	*ret_idle = n == 0 && next == UINT64_MAX && wait_ms > 0 && !nap && !io_turn.busy;
	io_turn.busy |= n > 0;
	return n < 0 || io_watch_is_open() ? n : -EBADF;
}

static void *io_main(void *arg)
{
	uint32_t mine = (uint32_t)(uintptr_t)arg;
	struct epoll_event events[EVENTS_MAX];

	lock_signals_are_blocked(); /* since birth: io_thread() */
	prctl(PR_SET_NAME, "noblockdns");
	lock_take(&io_turn.lock);
	private_fd_turn();
	io_watch_restore(); /* those of an earlier generation */
	while (atomic_load(&generation) == mine) {
		uint64_t now_ms = clock_boot_ms(), next;
		bool idle = false;
		int n;

		run_tasks(now_ms);
		next = io_timers_run(now_ms);
		n = sleep_until(mine, next, now_ms, events, &idle);
		if ((n < 0 && !repair(mine)) || (idle && end_if_idle(mine)))
			break;
		for (int i = 0; i < n; i++)
			if (!io_wake_told(&events[i]))
				io_watch_told(&events[i]);
	}
	lock_release(&io_turn.lock);
	return NULL;
}

static int start_locked(void)
{
	uint32_t mine = atomic_load(&generation) + 1;
	int r = io_wake_open();

	if (r == 0) {
		atomic_store(&generation, mine);
		r = io_thread(io_main, (void *)(uintptr_t)mine);
		if (r < 0)
			io_wake_close();
	}
	running = r == 0;
	return r;
}

/* False: whoever has it may be creating the thread, and wait for the lock of malloc(), which this
 * thread may have in the code that its signal handler has interrupted. */
static bool take_life(const struct io_task *task)
{
	if (lock_try(&life))
		return true;
	if (task->in_any_context && in_handler())
		return false;
	lock_take(&life);
	return true;
}

static int start_for_locked(struct io_task *task)
{
	int r;

	if (private_fd_left_table())
		return -EBADF;
	if (task->in_any_context && in_handler())
		return -EAGAIN;
	r = start_locked();
	return r == 0 ? io_wake(task) : r;
}

int io_submit(struct io_task *task)
{
	int saved = errno, r;

	if (!take_life(task))
		return -EAGAIN;
	r = running ? io_wake(task) : -EBADF;
	if (r < 0)
		r = start_for_locked(task);
	lock_release(&life);
	errno = saved;
	return r;
}

bool io_is_free(const struct io_task *task)
{
	bool is;

	if (!take_life(task))
		return false;
	is = running && io_wake_is_idle() &&
	     (io_turn.wakes_ms <= task->quiet_ms ||
	      ((io_turn.wakes_ms <= clock_boot_ms() + NAP_MS || io_wake_can()) &&
	       io_watch_is_open()));
	lock_release(&life);
	return is;
}

/* ---- fork ---- */

static _Thread_local bool forks; /* this thread holds the turn for its fork() */

void io_fork_prepare(void)
{
	int saved = errno;

	if (process_peek() == PROCESS_OWNER)
		forks = lock_take_within(&io_turn.lock, IO_FORK_MS);
	errno = saved;
}

void io_fork_over(void)
{
	int saved = errno;

	if (forks) {
		forks = false;
		lock_release(&io_turn.lock);
	}
	errno = saved;
}

void io_reset(void)
{
	lock_reset(&life);
	lock_reset(&io_turn.lock);
	running = false;
	atomic_fetch_add(&generation, 1);
	io_wake_reset();
	io_watch_reset();
	io_timers_reset();
}
