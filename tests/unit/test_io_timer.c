// SPDX-License-Identifier: MIT
/* io_timer.c: order, restart and stop, against a plain model. */
#include "shim/io_timer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMERS = 200 };

static struct io_timer timers[TIMERS];
static uint64_t due[TIMERS]; /* the model: UINT64_MAX when not running */
static uint64_t last_fired;
static unsigned fired;

static void on_fire(void *arg, uint64_t now_ms)
{
	size_t i = (size_t)(struct io_timer *)arg - (size_t)timers;

	i /= sizeof timers[0];
	cr_assert_leq(due[i], now_ms, "timer %zu fired at %lu, due %lu", i, now_ms, due[i]);
	cr_assert_geq(due[i], last_fired, "timer %zu fired out of order", i);
	last_fired = due[i];
	due[i] = UINT64_MAX;
	fired++;
}

Test(io_timer, random_starts_and_stops_match_the_model)
{
	unsigned expected = 0;

	srand(1);
	for (size_t i = 0; i < TIMERS; i++) {
		timers[i].fire = on_fire;
		timers[i].arg = &timers[i];
		due[i] = UINT64_MAX;
	}
	for (uint64_t now = 1; now < 5000; now++) {
		size_t i = (size_t)rand() % TIMERS;
		uint64_t next = UINT64_MAX;

		if (rand() % 4 == 0) {
			io_timer_stop(&timers[i]);
			due[i] = UINT64_MAX;
		} else {
			due[i] = now + (uint64_t)rand() % 300;
			cr_assert_eq(io_timer_start(&timers[i], due[i]), 0);
		}
		for (size_t t = 0; t < TIMERS; t++)
			expected += due[t] <= now;
		last_fired = 0;
		uint64_t told = io_timers_run(now);

		for (size_t t = 0; t < TIMERS; t++)
			next = due[t] < next ? due[t] : next;
		cr_assert_eq(told, next, "next is %lu, told %lu", next, told);
	}
	cr_expect_eq(fired, expected, "fired %u of %u", fired, expected);
}

static void count_fire(void *arg, uint64_t now_ms)
{
	(void)arg;
	(void)now_ms;
	fired++;
}

/* More than the heap's first room has, and more than twice as many. */
enum { MANY = 1200 };

static struct io_timer many[MANY];

/* The time goes in steps that they come due in. */
Test(io_timer, many_fire_in_their_order)
{
	for (size_t i = 0; i < MANY; i++) {
		many[i].fire = count_fire;
		cr_assert_eq(io_timer_start(&many[i], MANY - i), 0);
	}
	for (uint64_t now = 1; now <= MANY; now++) {
		io_timers_run(now);
		cr_assert_eq(fired, (unsigned)now, "%u at %lu", fired, now);
	}
}

/* Timers that fired wrongly or did not fire. */
static int use_after_reset(void)
{
	static struct io_timer after[MANY];
	unsigned wrong;

	io_timers_reset();
	io_timers_run(100);
	wrong = fired;
	for (size_t i = 0; i < MANY; i++) {
		after[i].fire = count_fire;
		io_timer_start(&after[i], i);
	}
	io_timers_run(MANY);
	return wrong != 0 || fired != MANY;
}

/* In a child, since the old heap is leaked on purpose. */
Test(io_timer, reset_forgets_all_and_starts_anew)
{
	int status = -1;
	pid_t pid;

	for (size_t i = 0; i < MANY; i++) {
		many[i].fire = count_fire;
		cr_assert_eq(io_timer_start(&many[i], i), 0);
	}
	pid = fork();
	if (pid == 0)
		_exit(use_after_reset());
	waitpid(pid, &status, 0);
	cr_expect(WIFEXITED(status), "status %#x", (unsigned)status);
	cr_expect_eq(WEXITSTATUS(status), 0);
}

static void restart_itself(void *arg, uint64_t now_ms)
{
	fired++;
	if (fired < 5)
		io_timer_start(arg, now_ms);
}

Test(io_timer, timer_restarts_itself_from_its_own_callback)
{
	struct io_timer t = {.fire = restart_itself, .arg = &t};

	io_timer_start(&t, 10);
	cr_expect_eq(io_timers_run(9), 10u);
	cr_expect_eq(fired, 0u);
	cr_expect_eq(io_timers_run(10), UINT64_MAX);
	cr_expect_eq(fired, 5u);
}
