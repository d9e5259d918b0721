// SPDX-License-Identifier: MIT
/* attempts.c - the owner's side of attempts.h. */
#include "shim/attempts_internal.h"

#include "shim/clock.h"
#include "shim/pool.h"
#include "shim/private_fd.h"
#include "shim/sys.h"

#include <limits.h>
#include <string.h>

static struct pool pool = {.size = (sizeof(struct attempts) + 15) & ~(size_t)15};

/* Candidate `number` of the race. */
void attempts_add(struct attempts *a, const struct order_dest *dest, uint64_t now_ms)
{
	struct race_candidate candidate = {.family = dest->family, .scope_id = dest->scope_id};
	int number;

	memcpy(candidate.addr, dest->addr, sizeof candidate.addr);
	if (a->has_history) {
		struct history_outcome known;

		history_find(&a->history, dest, now_ms, &known);
		candidate.verdict = known.verdict;
		candidate.srtt_ms = known.srtt_ms;
		candidate.rttvar_ms = known.rttvar_ms;
	}
	number = race_add(&a->race, &candidate, now_ms);
	if (number >= 0)
		a->dests[number] = *dest;
}

struct attempts *attempts_new(const struct attempts_goal *goal)
{
	struct attempts *a = pool_take(&pool);
	uint64_t now_ms = clock_boot_ms();

	if (a == NULL)
		return NULL;
	a->goal = *goal;
	a->refs = 1;
	a->since_ms = now_ms;
	a->has_history = !goal->own_route && history_view(now_ms, &a->history);
	race_init(&a->race, &(struct race_options){.delay_ms = goal->delay_ms});
	for (unsigned i = 0; i < goal->n; i++)
		attempts_add(a, &goal->dests[i], now_ms);
	if (!goal->more)
		race_seal(&a->race, now_ms);
	return a;
}

void attempts_hold(struct attempts *a)
{
	atomic_fetch_add(&a->refs, 1);
}

void attempts_release(struct attempts *a)
{
	if (atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	for (unsigned i = 0; i < RACE_MAX; i++)
		if (a->attempts[i].handle > 0 && a->attempts[i].handle != a->own)
			private_fd_close(a->attempts[i].handle); /* the program has it as well */
	if (a->end == ATTEMPTS_WON && a->shown != a->own)
		attempts_discard(a->own);
	else if (a->own > 0)
		private_fd_close(a->own);
	pool_give(&pool, a);
}

/* Hands a task over that ends with attempts_release(); `quiet_ms`: io.h. */
static int hand_over(struct attempts *a, struct io_task *task,
		     void (*run)(struct io_task *task, uint64_t now_ms), uint64_t quiet_ms)
{
	int r;

	*task = (struct io_task){.run = run, .in_any_context = true, .quiet_ms = quiet_ms};
	attempts_hold(a);
	r = io_run(task, NULL);
	if (r < 0)
		atomic_fetch_sub(&a->refs, 1); /* nobody is at work on it */
	return r;
}

int attempts_start(struct attempts *a, int own, attempts_over_fn over, void *arg)
{
	uint64_t quiet_ms = a->goal.blocking && !a->goal.more ? race_wake_ms(&a->race) : 0;
	int r;

	a->own = own;
	a->over = over;
	a->arg = arg;
	attempts_enlist(a);
	attempts_note_begin(a);
	r = hand_over(a, &a->start, attempts_on_start, quiet_ms);
	if (r < 0)
		attempts_delist(a);
	return r;
}

static bool end_as(struct attempts *a, enum attempts_end end)
{
	uint32_t running = ATTEMPTS_RUNNING;

	if (!atomic_compare_exchange_strong(&a->end, &running, end))
		return false;
	(void)hand_over(a, &a->stop, attempts_on_stop, UINT64_MAX);
	return true;
}

bool attempts_stop(struct attempts *a)
{
	if (!end_as(a, ATTEMPTS_STOPPED))
		return false;
	if (a->goal.blocking)
		(void)sys_futex_wake(&a->end, INT_MAX, false);
	return true;
}

bool attempts_connected(struct attempts *a, uint32_t rtt_us)
{
	attempts_note_connected(a, a->own_candidate, rtt_us, clock_boot_ms());
	return end_as(a, ATTEMPTS_FIRST);
}

int attempts_failed(struct attempts *a, int error)
{
	a->own_error = error;
	return hand_over(a, &a->fail, attempts_on_failure, 0);
}

void attempts_pool_forked(void)
{
	pool_forked(&pool);
}

bool attempts_first_failed(const struct attempts *a)
{
	return atomic_load(&a->own_error) != 0;
}

enum attempts_end attempts_end(const struct attempts *a)
{
	return (enum attempts_end)atomic_load(&a->end);
}

_Atomic uint32_t *attempts_end_word(struct attempts *a)
{
	return &a->end;
}

int attempts_winner(const struct attempts *a)
{
	return a->shown;
}

int attempts_error(const struct attempts *a)
{
	return a->error;
}

void *attempts_arg(const struct attempts *a)
{
	return a->arg;
}

int attempts_own(const struct attempts *a)
{
	return a->own;
}

static void set_option(int handle, int level, int name, const void *value, socklen_t len)
{
	int fd;

	private_fd_lock();
	fd = private_fd_number_locked(handle);
	if (fd >= 0)
		(void)sys_setsockopt(fd, level, name, value, len);
	private_fd_unlock();
}

void attempts_option(struct attempts *a, int level, int name, const void *value, socklen_t len)
{
	for (unsigned i = 0; i < RACE_MAX; i++) {
		int handle = atomic_load(&a->attempts[i].handle);

		if (handle > 0 && handle != a->own)
			set_option(handle, level, name, value, len);
	}
}
