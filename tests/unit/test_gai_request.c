// SPDX-License-Identifier: MIT
/* The states of a request, on one thread: nothing here looks anything up. */
#include "shim/gai_request.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static struct gaicb gaicbs[4];
static struct gaicb *items[] = {&gaicbs[0], NULL, &gaicbs[1], &gaicbs[2], NULL, &gaicbs[3]};
#define NITEMS 6

static struct gai_list *list;

static void submit(int mode, const struct sigevent *event)
{
	list = gai_list_new(mode, items, NITEMS, event);
	cr_assert(ne(ptr, list, NULL));
}

static struct gai_request *request(unsigned i)
{
	return &list->requests[i];
}

static const struct gaicb *const *watched(void)
{
	return (const struct gaicb *const *)items;
}

static int suspend_now(void)
{
	const struct timespec none = {0, 0};

	return gai_request_suspend(watched(), NITEMS, &none);
}

static void expect_state(unsigned i, enum gai_state state)
{
	cr_expect(eq(str, (char *)gai_state_to_str(request(i)->state),
		     (char *)gai_state_to_str(state)));
}

Test(gai_request, new_list_runs_without_its_null_entries)
{
	cr_expect(not(gai_request_any()));
	submit(GAI_NOWAIT, NULL);
	cr_assert(eq(uint, list->n, 4));
	for (unsigned i = 0; i < 4; i++) {
		expect_state(i, GAI_RUNNING);
		cr_expect(eq(ptr, request(i)->gaicb, &gaicbs[i]));
		cr_expect(eq(int, gaicbs[i].__return, EAI_INPROGRESS));
	}
	cr_expect(gai_request_any());
}

Test(gai_request, finish_stores_the_status_and_lets_the_gaicb_go)
{
	submit(GAI_NOWAIT, NULL);
	gai_request_finish(request(1), EAI_NONAME);
	cr_expect(eq(int, gaicbs[1].__return, EAI_NONAME));
	cr_expect(eq(ptr, request(1)->gaicb, NULL));
	expect_state(1, GAI_DONE);
	cr_expect(eq(int, gaicbs[0].__return, EAI_INPROGRESS));
}

Test(gai_request, waiting_one_can_be_run_once)
{
	submit(GAI_NOWAIT, NULL);
	cr_expect(not(gai_request_run(request(0))));
	gai_request_wait(request(0));
	cr_expect(gai_request_run(request(0)));
	expect_state(0, GAI_RUNNING);
	cr_expect(not(gai_request_run(request(0))));
}

Test(gai_request, running_one_is_not_cancelled)
{
	struct gai_request *found = NULL;

	submit(GAI_NOWAIT, NULL);
	cr_expect(eq(int, gai_request_cancel(&gaicbs[2], &found), EAI_NOTCANCELED));
	cr_expect(eq(ptr, found, NULL));
	expect_state(2, GAI_RUNNING);
	cr_expect(eq(int, gaicbs[2].__return, EAI_INPROGRESS));
}

Test(gai_request, waiting_one_is_cancelled_and_never_runs)
{
	struct gai_request *found = NULL;

	submit(GAI_NOWAIT, NULL);
	gai_request_wait(request(2));
	cr_expect(eq(int, gai_request_cancel(&gaicbs[2], &found), EAI_CANCELED));
	cr_expect(eq(ptr, found, request(2)));
	cr_expect(eq(int, gaicbs[2].__return, EAI_CANCELED));
	cr_expect(not(gai_request_run(request(2))));
	expect_state(2, GAI_CANCELLED);
	cr_expect(eq(int, gai_request_cancel(&gaicbs[2], &found), EAI_ALLDONE));
}

Test(gai_request, done_and_unknown_ones_are_all_done)
{
	struct gai_request *found = NULL;
	struct gaicb other = {.__return = EAI_INPROGRESS};

	submit(GAI_NOWAIT, NULL);
	gai_request_finish(request(0), 0);
	cr_expect(eq(int, gai_request_cancel(&gaicbs[0], &found), EAI_ALLDONE));
	cr_expect(eq(int, gai_request_cancel(&other, &found), EAI_ALLDONE));
	cr_expect(eq(int, gai_request_cancel(NULL, &found), EAI_ALLDONE));
}

static _Atomic int signals;

static void on_signal(int signo)
{
	(void)signo;
	signals++;
}

Test(gai_request, last_one_notifies_once)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct gai_request *found;

	signal(SIGUSR1, on_signal);
	submit(GAI_NOWAIT, &event);
	gai_request_finish(request(0), 0);
	gai_request_wait(request(1));
	cr_assert(eq(int, gai_request_cancel(&gaicbs[1], &found), EAI_CANCELED));
	gai_request_finish(request(2), EAI_AGAIN);
	cr_expect(eq(int, signals, 0));
	gai_request_finish(request(3), 0);
	cr_expect(eq(int, signals, 1));
}

Test(gai_request, waited_list_notifies_nobody)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

	signal(SIGUSR1, on_signal);
	submit(GAI_WAIT, &event);
	for (unsigned i = 0; i < 4; i++)
		gai_request_finish(request(i), 0);
	gai_list_wait(list); /* returns */
	cr_expect(eq(int, signals, 0));
}

Test(gai_request, list_lives_until_all_have_left)
{
	submit(GAI_NOWAIT, NULL);
	gai_list_drop(list);
	for (unsigned i = 0; i < 3; i++)
		gai_request_end(request(i), 0);
	cr_expect(eq(u32, atomic_load(&list->refs), 1));
	gai_request_end(request(3), 0);
	cr_expect(not(gai_request_any()));
}

Test(gai_request, suspend_of_nothing_is_all_done)
{
	cr_expect(eq(int, suspend_now(), EAI_ALLDONE));
	submit(GAI_NOWAIT, NULL);
	for (unsigned i = 0; i < 4; i++)
		gai_request_finish(request(i), 0);
	cr_expect(eq(int, suspend_now(), EAI_ALLDONE));
}

Test(gai_request, suspend_times_out)
{
	submit(GAI_NOWAIT, NULL);
	gai_request_finish(request(0), 0);
	cr_expect(eq(int, suspend_now(), EAI_AGAIN));
}

Test(gai_request, suspend_refuses_a_time_that_is_none)
{
	static const struct timespec wrong[] = {{0, -1}, {0, 1000000000}, {-1, 0}};

	submit(GAI_NOWAIT, NULL);
	for (int i = 0; i < 3; i++) {
		errno = 0;
		cr_expect(eq(int, gai_request_suspend(watched(), NITEMS, &wrong[i]), EAI_SYSTEM));
		cr_expect(eq(int, errno, EINVAL));
	}
}

static _Atomic bool awake;

/* More than once: the sleeper may not have begun to sleep at the first. */
static void *finish_and_submit_again(void *arg)
{
	const struct timespec soon = {.tv_nsec = 20000000};

	while (!atomic_load(&awake)) {
		nanosleep(&soon, NULL);
		gai_request_end(request(0), 0);
		gai_list_drop(list);
		list = gai_list_new(GAI_NOWAIT, items, 1, NULL);
	}
	return arg;
}

/* Whether or not the sleeper looks in between. */
Test(gai_request, suspend_sees_a_request_that_was_submitted_again)
{
	pthread_t thread;

	submit(GAI_NOWAIT, NULL);
	cr_assert(eq(int, pthread_create(&thread, NULL, finish_and_submit_again, NULL), 0));
	cr_expect(eq(int, gai_request_suspend(watched(), NITEMS, NULL), 0));
	atomic_store(&awake, true);
	pthread_join(thread, NULL);
	cr_expect(eq(int, gaicbs[0].__return, EAI_INPROGRESS));
}

Test(gai_request, reset_forgets_every_request)
{
	struct gai_request *found;

	submit(GAI_NOWAIT, NULL);
	gai_request_wait(request(0));
	gai_request_reset();
	cr_expect(not(gai_request_any()));
	cr_expect(eq(int, suspend_now(), EAI_ALLDONE));
	cr_expect(eq(int, gai_request_cancel(&gaicbs[0], &found), EAI_ALLDONE));
	cr_expect(eq(int, gaicbs[0].__return, EAI_INPROGRESS));
}
