// SPDX-License-Identifier: MIT
/*
 * io.c - the loop of io.h.
 *
 * Life of the thread, guarded by `life`:
 *
 *	NONE --io_submit: descriptors, thread--> RUNNING --idle, or descriptors lost--> NONE
 *
 * io_run() saves the way through the other thread: while that is asleep, and has released `turn`,
 * the task runs on the caller's. What is watched afterwards, the sleeper sees by itself; it is
 * woken only where a timer was started that is due before it would wake up.
 *
 * The program can take our descriptors away with a raw system call. When the wake-up socket is gone
 * (io_wake.c), a new generation of thread and descriptors is started, and the old thread, should it
 * ever return from epoll_wait, sees that its generation is over and ends. `turn` is held by a
 * thread whenever it is not asleep, so that two generations are never at work together. A thread
 * that finds an epoll set gone, or spoilt (io_watch.c), makes new descriptors and goes on with
 *them.
 */
#include "shim/io.h"

#include "shim/clock.h"
#include "shim/in_handler.h"
#include "shim/io_timer.h"
#include "shim/io_wake.h"
#include "shim/io_watch.h"
#include "shim/lock.h"
#include "shim/private_fd.h"
#include "shim/process.h"
#include "shim/stack_room.h"
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

/*
 * How long an asker waits in the place of the io thread, with its signals blocked, when it has put
 * a question. A near server's answer comes in less, and two switches of threads are saved. Where it
 * took longer, the next FAR_SKIPS askers do not try. The answer is handled on the asker's stack.
 */
#define LEAD_MS	   1
#define FAR_SKIPS  63
#define LEAD_STACK ((size_t)128 << 10)

#define EVENTS_MAX 64 /* of one sleep */

int io_idle_ms = IO_IDLE_MS;

/* The thread is created under it, which allocates: whoever may have interrupted malloc() does not
 * wait for it (take_life()). */
static struct lock life;
static bool running;		    /* guarded by life */
static _Atomic uint32_t generation; /* of the running thread; written under life */

static struct lock turn;  /* "io thread only" means: under this. Taken before `life` */
static uint64_t wakes_ms; /* the thread sleeps no longer than this; under turn */
static unsigned far;	  /* tasks that are not waited for any more; under turn */
static bool busy;	  /* something was done since it fell asleep; under turn */

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
	bool nap = busy && (wait_ms < 0 || wait_ms > NAP_MS);
	int n, ep;

	if (nap)
		wait_ms = NAP_MS;
	wakes_ms = wait_ms < 0 ? UINT64_MAX : now_ms + (uint64_t)wait_ms;
	busy = false;
	ep = io_wake_sleeps(&wait_ms);
	lock_release(&turn);
	n = ep < 0 ? ep : sys_epoll_wait(ep, events, EVENTS_MAX, wait_ms);
	if (n == -EINTR)
		n = 0;
	lock_take(&turn);
	if (atomic_load(&generation) != mine)
		return 0; /* another thread is the io thread now, and may be asleep */
	private_fd_turn();
	io_wake_is_up();
	*ret_idle = n == 0 && next == UINT64_MAX && wait_ms > 0 && !nap && !busy;
	busy |= n > 0;
	return n < 0 || io_watch_is_open() ? n : -EBADF;
}

static void *io_main(void *arg)
{
	uint32_t mine = (uint32_t)(uintptr_t)arg;
	struct epoll_event events[EVENTS_MAX];

	lock_signals_are_blocked(); /* since birth: io_thread() */
	prctl(PR_SET_NAME, "noblockdns");
	lock_take(&turn);
	private_fd_turn();
	io_watch_restore(); /* those of an earlier generation */
	while (atomic_load(&generation) == mine) {
		uint64_t now_ms = clock_boot_ms(), next;
		bool idle = false;
		int n;

		run_tasks(now_ms);
		next = io_timers_run(now_ms);
		n = sleep_until(mine, next, now_ms, events, &idle);
		if (atomic_load(&generation) != mine)
			break;
		if (n < 0 && !repair(mine))
			break;
		if (idle && end_if_idle(mine))
			break;
		for (int i = 0; i < n; i++)
			if (!io_wake_told(&events[i]))
				io_watch_told(&events[i]);
	}
	lock_release(&turn);
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

/* Is the thread asleep, with nothing to do before this task, and can it be woken, where it does not
 * wake up by itself in time? */
static bool is_free(const struct io_task *task)
{
	bool is;

	if (!take_life(task))
		return false;
	is = running && io_wake_is_idle() &&
	     (wakes_ms <= task->quiet_ms ||
	      ((wakes_ms <= clock_boot_ms() + NAP_MS || io_wake_can()) && io_watch_is_open()));
	lock_release(&life);
	return is;
}

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
	busy = true;
	if (far > 0)
		far--;
	if (leads) {
		if (lead(task, over))
			io_timers_run(clock_boot_ms());
		else
			far = FAR_SKIPS;
	}
	if ((leads && io_watch_show(true) < 0) || io_timers_next() < wakes_ms)
		io_wake(NULL);
}

/* Runs the task on this thread if the io thread is asleep and stays out of the way. */
static bool run_here(struct io_task *task, bool (*over)(const struct io_task *task))
{
	bool may, begins = !private_fd_in_turn();

	if (private_fd_tables_differ() || !lock_try(&turn))
		return false;
	if (begins && process_peek() != PROCESS_OWNER) {
		lock_release(&turn); /* a signal handler has forked since the look before */
		return false;
	}
	if (begins)
		private_fd_turn();
	may = is_free(task);
	if (may)
		run_and_lead(task, over);
	if (begins)
		private_fd_turn_over();
	lock_release(&turn);
	return may;
}

int io_run(struct io_task *task, bool (*over)(const struct io_task *task))
{
	int saved = errno;
	bool done = run_here(task, over);

	errno = saved;
	return done ? 0 : io_submit(task);
}

/* ---- fork ---- */

static _Thread_local bool forks; /* this thread holds `turn` for its fork() */

void io_fork_prepare(void)
{
	int saved = errno;

	if (process_peek() == PROCESS_OWNER)
		forks = lock_take_within(&turn, IO_FORK_MS);
	errno = saved;
}

void io_fork_over(void)
{
	int saved = errno;

	if (forks) {
		forks = false;
		lock_release(&turn);
	}
	errno = saved;
}

void io_reset(void)
{
	lock_reset(&life);
	lock_reset(&turn);
	running = false;
	atomic_fetch_add(&generation, 1);
	io_wake_reset();
	io_watch_reset();
	io_timers_reset();
}
