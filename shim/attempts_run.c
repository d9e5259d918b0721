// SPDX-License-Identifier: MIT
/* attempts_run.c - a race on the io thread (attempts.h): what happens, and what is done about it.
 */
#include "shim/attempts_internal.h"

#include "shim/attempt_result.h"
#include "shim/private_fd.h"

#include <stddef.h>

/* How often a race looks whether the addresses that a lookup did not wait for have come. */
#define LATE_MS 50

static void on_ready(void *arg, int handle, unsigned events, uint64_t now_ms);

static void start_attempt(struct attempts *a, unsigned candidate, uint64_t now_ms)
{
	int r, handle;

	attempts_note_start(a, now_ms);
	handle = attempts_open_private(a, candidate);
	if (handle < 0) {
		attempts_note_failure(a, candidate, -handle, now_ms);
		race_unsent(&a->race, candidate, -handle, now_ms);
		return;
	}
	a->attempts[candidate].since_ms = now_ms;
	r = io_watch(handle, IO_WRITE | IO_THREAD, on_ready, a);
	if (r == 0)
		return;
	a->attempts[candidate].handle = 0;
	private_fd_close(handle);
	race_unsent(&a->race, candidate, -r, now_ms);
}

/* The own socket is only let go of: where it is what the program holds, it goes on. */
static void end_attempt(struct attempts *a, unsigned candidate)
{
	int handle = a->attempts[candidate].handle;

	if (handle <= 0)
		return;
	(void)io_watch(handle, 0, NULL, NULL);
	a->attempts[candidate].handle = 0;
	if (handle != a->own)
		attempts_discard(handle);
}

/* Everything but what is to be shown. */
static void put_away(struct attempts *a)
{
	for (unsigned i = 0; i < RACE_MAX; i++) {
		int handle = a->attempts[i].handle;

		if (handle > 0 && handle == a->shown)
			(void)io_watch(handle, 0, NULL, NULL);
		else
			end_attempt(a, i);
	}
	io_timer_stop(&a->timer);
	attempts_delist(a);
	a->at_work = false;
}

static void finish(struct attempts *a, enum attempts_end end, uint64_t now_ms)
{
	uint32_t running = ATTEMPTS_RUNNING;
	bool mine;

	put_away(a);
	mine = atomic_compare_exchange_strong(&a->end, &running, end);
	attempts_note_end(a, mine ? end : running);
	if (mine)
		a->over(a, now_ms);
	attempts_note_untried(a, now_ms);
	attempts_release(a);
}

/* ---- what happens ---- */

/* Does what the race says. False: it is over, and `a` may be gone. */
static bool carry_out(struct attempts *a, uint64_t now_ms)
{
	struct race_action action;

	while (race_next(&a->race, &action)) {
		switch (action.what) {
		case RACE_START:
			start_attempt(a, action.candidate, now_ms);
			break;
		case RACE_STOP:
			attempts_note_lost(a, action.candidate, now_ms);
			end_attempt(a, action.candidate);
			break;
		case RACE_FINISH:
			if (a->race.state == RACE_WON)
				a->shown = a->attempts[action.candidate].handle;
			a->error = action.error;
			finish(a, a->race.state == RACE_WON ? ATTEMPTS_WON : ATTEMPTS_LOST, now_ms);
			return false;
		}
	}
	return true;
}

/* The io loop is of no use for this race: the first attempt is all there is. */
static void give_up(struct attempts *a, uint64_t now_ms)
{
	a->shown = a->own;
	a->error = 0;
	finish(a, ATTEMPTS_LOST, now_ms);
}

/* The program itself has tried another address: it is given time. To be called before the race is
 * told anything on which it may start an attempt. */
static void heed_rival(struct attempts *a)
{
	uint64_t rival_ms = atomic_load(&a->rival_ms);

	if (rival_ms != 0)
		race_postpone(&a->race, rival_ms + a->goal.delay_ms);
}

static void go_on(struct attempts *a, uint64_t now_ms)
{
	uint64_t wake_ms;

	if (!carry_out(a, now_ms))
		return;
	wake_ms = race_wake_ms(&a->race);
	if (a->goal.more && wake_ms > now_ms + LATE_MS)
		wake_ms = now_ms + LATE_MS;
	if (wake_ms == RACE_NEVER)
		io_timer_stop(&a->timer);
	else if (io_timer_start(&a->timer, wake_ms) < 0)
		give_up(a, now_ms);
}

static void take_late(struct attempts *a, uint64_t now_ms)
{
	struct order_dest dests[SIBLINGS_MAX];
	unsigned n = siblings_find(&a->goal.dests[0], now_ms, dests, &a->goal.more);

	for (unsigned i = 0; i < n; i++)
		if (dests[i].family == AF_INET ? a->goal.ipv4 : a->goal.family == AF_INET6)
			attempts_add(a, &dests[i], now_ms);
	if (!a->goal.more)
		race_seal(&a->race, now_ms);
}

static void on_timer(void *arg, uint64_t now_ms)
{
	struct attempts *a = arg;

	heed_rival(a);
	if (a->goal.more)
		take_late(a, now_ms);
	race_tick(&a->race, now_ms);
	go_on(a, now_ms);
}

static unsigned candidate_of(const struct attempts *a, int handle)
{
	unsigned i = 0;

	while (i < RACE_MAX && a->attempts[i].handle != handle)
		i++;
	return i;
}

/* The own socket is kept as it fails: when all do, it is what the program gets to see. Of a
 * blocking one the caller tells. */
static enum attempt_manner manner_of(const struct attempts *a, int handle)
{
	return a->goal.blocking ? ATTEMPT_FINISH : handle == a->own ? ATTEMPT_LOOK : ATTEMPT_TAKE;
}

static void on_failure(struct attempts *a, unsigned candidate, int error, uint64_t now_ms)
{
	int handle = a->attempts[candidate].handle;

	attempts_note_failure(a, candidate, error, now_ms);
	if (!a->goal.blocking && handle == a->own) {
		(void)io_watch(handle, 0, NULL, NULL);
		a->shown = handle;
	} else {
		end_attempt(a, candidate);
	}
	race_failed(&a->race, candidate, error != 0 ? error : ECONNREFUSED, now_ms);
}

static void on_ready(void *arg, int handle, unsigned events, uint64_t now_ms)
{
	struct attempts *a = arg;
	unsigned candidate = candidate_of(a, handle);
	struct attempt_result result;

	(void)events;
	if (attempts_end(a) != ATTEMPTS_RUNNING)
		return; /* what the socket says now is what the program does with it */
	heed_rival(a);
	attempt_look(handle, manner_of(a, handle), &result);
	switch (result.state) {
	case ATTEMPT_CONNECTING:
		return;
	case ATTEMPT_CONNECTED:
		attempts_note_connected(a, candidate, result.rtt_us, now_ms);
		race_connected(&a->race, candidate, now_ms);
		break;
	case ATTEMPT_FAILED:
		on_failure(a, candidate, result.error, now_ms);
		break;
	}
	go_on(a, now_ms);
}

void attempts_on_start(struct io_task *task, uint64_t now_ms)
{
	struct attempts *a = (struct attempts *)((char *)task - offsetof(struct attempts, start));

	a->at_work = true;
	a->timer = (struct io_timer){.fire = on_timer, .arg = a};
	a->attempts[a->own_candidate].handle = a->own;
	if (!a->goal.blocking && io_watch(a->own, IO_WRITE | IO_THREAD, on_ready, a) < 0)
		give_up(a, now_ms);
	else
		go_on(a, now_ms);
}

void attempts_on_failure(struct io_task *task, uint64_t now_ms)
{
	struct attempts *a = (struct attempts *)((char *)task - offsetof(struct attempts, fail));

	if (attempts_end(a) == ATTEMPTS_RUNNING) {
		on_failure(a, a->own_candidate, a->own_error, now_ms);
		go_on(a, now_ms);
	}
	attempts_release(a);
}

void attempts_on_stop(struct io_task *task, uint64_t now_ms)
{
	struct attempts *a = (struct attempts *)((char *)task - offsetof(struct attempts, stop));

	if (a->at_work) {
		put_away(a);
		attempts_note_end(a, attempts_end(a));
		if (attempts_end(a) == ATTEMPTS_FIRST)
			attempts_note_untried(a, now_ms);
		attempts_release(a);
	}
	attempts_release(a);
}
