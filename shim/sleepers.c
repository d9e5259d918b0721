// SPDX-License-Identifier: MIT
/*
 * sleepers.c - see sleepers.h. A table without gaps, as large as that of the races, which takes
 * memory as it is touched. Where it is full, or there is no io thread, a sleeper is woken once.
 */
#include "shim/sleepers.h"

#include "shim/clock.h"
#include "shim/io.h"
#include "shim/lock.h"
#include "shim/private_fd.h"
#include "shim/racing_table.h"
#include "shim/swap.h"

#define SLEEPERS   RACING_MAX /* placeholders that somebody sleeps on at a time */
#define AGAIN_MS   20	      /* what a sleeper may be late; at first */
#define CALM_MS	   90	      /* where they have been gone at the first look; as the nap of io.c */
#define SLOW_MS	   100	      /* and later */
#define SLOW_AT_MS 5000
#define GIVE_UP_MS 150000 /* a connect has failed by then; a process may have inherited it */

struct kept {
	int peer; /* handle */
	uint64_t since_ms;
};

static struct lock lock;	    /* a module's */
static struct kept table[SLEEPERS]; /* guarded by lock */
static unsigned nkept;		    /* guarded by lock */
static bool calm;		    /* guarded by lock: at the last look nobody slept any more */
static bool scheduled;		    /* guarded by lock: `task` is on its way, or `timer` runs */
static void on_task(struct io_task *task, uint64_t now_ms);
static struct io_task task = {.run = on_task, .in_any_context = true};
static struct io_timer timer; /* io thread only */

/* One of the table again: false, it is over. */
static bool again(const struct kept *k, uint64_t now_ms)
{
	if (swap_is_deserted(k->peer) || clock_elapsed(k->since_ms, now_ms, GIVE_UP_MS)) {
		private_fd_close(k->peer);
		return false;
	}
	swap_wake(k->peer, 0);
	return true;
}

/* Nobody will wake them again. */
static void forget_all(void)
{
	lock_take(&lock);
	while (nkept > 0)
		private_fd_close(table[--nkept].peer);
	scheduled = false;
	lock_release(&lock);
}

static void on_timer(void *arg, uint64_t now_ms)
{
	uint64_t next_ms = 0;

	(void)arg;
	lock_take(&lock);
	for (unsigned i = nkept; i-- > 0;) {
		struct kept *k = &table[i];
		uint64_t at_ms;

		if (!again(k, now_ms)) {
			*k = table[--nkept];
			continue;
		}
		at_ms = now_ms +
			(clock_elapsed(k->since_ms, now_ms, SLOW_AT_MS) ? SLOW_MS : AGAIN_MS);
		if (next_ms == 0 || at_ms < next_ms)
			next_ms = at_ms;
	}
	scheduled = next_ms != 0;
	calm = !scheduled;
	lock_release(&lock);
	if (next_ms != 0 && io_timer_start(&timer, next_ms) < 0)
		forget_all();
}

static void on_task(struct io_task *t, uint64_t now_ms)
{
	bool soon;

	(void)t;
	lock_take(&lock);
	soon = !calm;
	lock_release(&lock);
	timer.fire = on_timer;
	if (io_timer_start(&timer, now_ms + (soon ? AGAIN_MS : CALM_MS)) < 0)
		forget_all();
}

/* False: there is no room. */
static bool keep(int peer, bool *ret_schedule)
{
	bool room;

	lock_take(&lock);
	room = nkept < SLEEPERS;
	if (room) {
		table[nkept++] = (struct kept){.peer = peer, .since_ms = clock_boot_ms()};
		*ret_schedule = !scheduled;
		scheduled = true;
	}
	lock_release(&lock);
	return room;
}

bool sleepers_wake(int peer, int end)
{
	if (end <= 0 && swap_is_deserted(peer)) {
		private_fd_close(peer);
		return false;
	}
	swap_wake(peer, end);
	return true;
}

void sleepers_keep(int peer)
{
	bool schedule = false;

	if (swap_is_deserted(peer) || !keep(peer, &schedule)) {
		private_fd_close(peer);
		return;
	}
	if (schedule && io_submit(&task) < 0)
		forget_all();
}

void sleepers_reset(void)
{
	lock_reset(&lock);
	nkept = 0; /* closed with all private ones */
	scheduled = false;
	timer.place = 0;
}
