// SPDX-License-Identifier: MIT
/*
 * test_ask.c - who waits for a question that others ask. The others are the test, which holds the
 * lease; nothing is sent.
 */
#include "shim/ask.h"

#include "shim/clock.h"
#include "shim/lease.h"
#include "shim/siblings_lookup.h"
#include "shim/silence.h"
#include "tests/unit/ask_rig.h"
#include "tests/unit/asleep.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define BOTH (FETCH_A | FETCH_AAAA)

static struct lease others;
static uint64_t key;

static void set_up(void)
{
	if (!resolve_begin(&rig_call))
		cr_skip_test("no settings on this machine");
	resolve_end(&rig_call);
	rig_start(clock_boot_ms());
	key = siblings_key(&rig_settings, &rig_question.name);
	cr_assert_eq(lease_take(rig_settings.cache, key, BOTH, rig_call.now_ms, &others),
		     LEASE_MINE);
}

TestSuite(ask, .init = set_up, .fini = rig_end, .timeout = 30);

/* In a thread of its own, which is one that others know nothing of. */
static _Atomic pid_t asker;
static int result;
static struct entry got;

static void *ask_here(void *arg)
{
	const struct settings *theirs;
	uint64_t deadline_ms = rig_call.deadline_ms;

	if (!resolve_begin(&rig_call))
		return arg;
	theirs = rig_call.settings;
	rig_call.settings = &rig_settings;
	rig_call.deadline_ms = deadline_ms;
	atomic_store(&asker, gettid());
	result = ask(&rig_call, &rig_question);
	if (rig_call.source.find(&rig_call, &rig_question.name, BOTH, &got) < 0)
		got = (struct entry){.view = 0};
	rig_call.settings = theirs;
	resolve_end(&rig_call);
	return arg;
}

static pthread_t start(void)
{
	pthread_t thread;

	atomic_store(&asker, 0);
	cr_assert_eq(pthread_create(&thread, NULL, ask_here, NULL), 0);
	return thread;
}

/* ...and it waits by now. */
static pthread_t start_waiting(void)
{
	pthread_t thread = start();

	while (atomic_load(&asker) == 0 || !is_asleep(atomic_load(&asker)))
		sched_yield();
	return thread;
}

static void end(pthread_t thread)
{
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_eq(result, 0);
}

/* What has been given of each type. */
static void must_have(enum resolver_kind a, enum resolver_kind aaaa)
{
	cr_assert_eq(got.rr[ENTRY_A].kind, a, "(A: %d)", (int)got.rr[ENTRY_A].kind);
	cr_assert_eq(got.rr[ENTRY_AAAA].kind, aaaa, "(AAAA: %d)", (int)got.rr[ENTRY_AAAA].kind);
}

/* They had, and have, it: nobody has asked beside them. */
static void must_be_theirs(void)
{
	struct lease lease;

	cr_assert_eq(lease_take(rig_settings.cache, key, BOTH, others.end_ms - 1, &lease),
		     LEASE_OTHERS);
	cr_assert_eq(lease.who, others.who);
}

Test(ask, answer_of_others_is_taken_from_the_cache)
{
	pthread_t thread = start_waiting();

	rig_store("fresh", "nodata");
	lease_notify(rig_settings.cache, &others, 0);
	end(thread);
	must_have(RESOLVER_ANSWER, RESOLVER_NODATA);
}

Test(ask, wakeup_without_an_answer_ends_no_wait)
{
	pthread_t thread = start_waiting();

	lease_notify(rig_settings.cache, &others, 0);
	rig_store("fresh", "fresh");
	lease_notify(rig_settings.cache, &others, 0);
	end(thread);
	must_have(RESOLVER_ANSWER, RESOLVER_ANSWER);
	must_be_theirs();
}

Test(ask, failure_of_others_is_taken)
{
	pthread_t thread = start_waiting();

	rig_fail(BOTH);
	lease_notify(rig_settings.cache, &others, 0);
	end(thread);
	must_have(RESOLVER_FAILURE, RESOLVER_FAILURE);
	cr_assert_eq(got.rr[ENTRY_A].failure, RESOLVER_SERVFAIL);
	must_be_theirs();
}

/* The other type's is waited for a little, and no longer. */
Test(ask, addresses_of_one_type_are_enough_after_a_while)
{
	pthread_t thread = start_waiting();

	rig_store("fresh", "-");
	lease_notify(rig_settings.cache, &others, 0);
	end(thread);
	must_have(RESOLVER_ANSWER, RESOLVER_FAILURE);
	cr_assert(got.partial);
	must_be_theirs();
}

/* The resolution delay counts from when they came, not from each look. */
Test(ask, addresses_of_one_type_that_others_had_long_ago_are_enough_at_once)
{
	rig_config.resolution_delay_ms = 100;
	rig_store("-", "fresh");
	while (clock_boot_ms() < rig_now_ms + 100)
		usleep(1000);
	rig_config.stale_after_ms = 0; /* a wait would end with no lookup's result but silence */
	end(start());
	must_have(RESOLVER_FAILURE, RESOLVER_ANSWER);
	cr_assert_not(silence_is(rig_settings.cache, RIG_VIEW, clock_boot_ms()));
}

Test(ask, negative_answer_of_one_type_is_not_enough)
{
	pthread_t thread;

	rig_config.resolution_delay_ms = 0;
	rig_store("nodata", "-");
	thread = start_waiting();
	rig_store("nodata", "fresh");
	lease_notify(rig_settings.cache, &others, 0);
	end(thread);
	must_have(RESOLVER_NODATA, RESOLVER_ANSWER);
}

Test(ask, what_is_stale_is_given_in_time_and_servers_are_silent)
{
	rig_config.stale_after_ms = 20;
	rig_store("stale", "stale");
	end(start());
	must_have(RESOLVER_ANSWER, RESOLVER_ANSWER);
	cr_assert_eq(got.rr[ENTRY_A].ttl_s, ASK_STALE_TTL_S);
	cr_assert(silence_is(rig_settings.cache, RIG_VIEW, clock_boot_ms()));
	must_be_theirs();
}

/* Others have one type's, and have waited for the other's. */
Test(ask, rest_of_an_answer_is_not_waited_for_twice)
{
	rig_config.resolution_delay_ms = rig_config.stale_after_ms = RIG_DEADLINE_MS;
	rig_store("fresh", "stale");
	lease_notify(rig_settings.cache, &others, rig_now_ms);
	end(start());
	must_have(RESOLVER_ANSWER, RESOLVER_ANSWER);
	must_be_theirs();
	cr_assert_not(silence_is(rig_settings.cache, RIG_VIEW, clock_boot_ms()));
}

/* Nor is it by those who wait already: they have the new part, and the old rest. */
Test(ask, part_of_an_answer_replaces_what_is_stale)
{
	pthread_t thread;

	rig_config.resolution_delay_ms = rig_config.stale_after_ms = RIG_DEADLINE_MS;
	rig_store("stale", "stale");
	thread = start_waiting();
	rig_store("fresh", "stale");
	lease_notify(rig_settings.cache, &others, rig_now_ms);
	end(thread);
	must_have(RESOLVER_ANSWER, RESOLVER_ANSWER);
	cr_expect_eq(got.rr[ENTRY_A].ttl_s, RIG_TTL_S);
	cr_expect_eq(got.rr[ENTRY_AAAA].ttl_s, ASK_STALE_TTL_S);
	must_be_theirs();
}

/* The time counts from the first who asked. */
Test(ask, nobody_waits_again_for_what_others_have_waited_for)
{
	rig_config.stale_after_ms = 200;
	while (clock_boot_ms() < rig_now_ms + 200)
		usleep(1000);
	rig_store("stale", "stale");
	rig_config.resolution_delay_ms = 0;
	end(start());
	must_have(RESOLVER_ANSWER, RESOLVER_ANSWER);
	cr_assert_lt(rig_call.now_ms, others.first_ms + 400, "(%llu ms after the first)",
		     (unsigned long long)(rig_call.now_ms - others.first_ms));
}

Test(ask, who_has_nothing_waits_until_the_deadline)
{
	rig_call.deadline_ms = clock_boot_ms() + 20;
	end(start());
	must_have(RESOLVER_FAILURE, RESOLVER_FAILURE);
	cr_assert_eq(got.rr[ENTRY_A].failure, RESOLVER_TIMEOUT);
	cr_assert_not(silence_is(rig_settings.cache, RIG_VIEW, clock_boot_ms()));
	must_be_theirs();
}

Test(ask, after_the_deadline_nothing_is_asked)
{
	lease_release(rig_settings.cache, &others, true);
	rig_call.deadline_ms = 0;
	end(start());
	must_have(RESOLVER_FAILURE, RESOLVER_FAILURE);
	cr_assert_not(lease_is_taken(rig_settings.cache, key, clock_boot_ms()));
}

/* As after another question of a search list has taken all the time. */
Test(ask, after_the_deadline_what_is_stale_is_given)
{
	lease_release(rig_settings.cache, &others, true);
	rig_store("stale", "stale");
	rig_call.deadline_ms = 0;
	end(start());
	must_have(RESOLVER_ANSWER, RESOLVER_ANSWER);
	cr_assert_eq(got.rr[ENTRY_A].ttl_s, ASK_STALE_TTL_S);
	cr_assert_not(lease_is_taken(rig_settings.cache, key, clock_boot_ms()));
}

Test(ask, what_is_known_to_fail_is_not_asked)
{
	lease_release(rig_settings.cache, &others, true);
	rig_fail(BOTH);
	end(start());
	must_have(RESOLVER_FAILURE, RESOLVER_FAILURE);
	cr_assert_not(lease_is_taken(rig_settings.cache, key, clock_boot_ms()));
}

Test(ask, cancelled_wait_leaves_the_lease_to_its_holder)
{
#ifdef __SANITIZE_ADDRESS__
	cr_skip_test("AddressSanitizer's idea of the stack does not survive a cancellation");
#endif
	pthread_t thread = start_waiting();
	void *how;

	cr_assert_eq(pthread_cancel(thread), 0);
	cr_assert_eq(pthread_join(thread, &how), 0);
	cr_assert_eq(how, PTHREAD_CANCELED);
	must_be_theirs();
}

/* ---- silent servers ---- */

/* ask.c's */
#define PROBE_KEY UINT64_C(0x70726f6265000000)

/* A stranger has the place of who finds out, all the time. Who finds out notes the silence anew. */
Test(ask, silence_is_looked_into_without_a_lease)
{
	struct lease stranger;

	lease_take(rig_settings.cache, PROBE_KEY ^ RIG_VIEW ^ UINT64_C(1) << 40, BOTH,
		   rig_call.now_ms, &stranger);
	rig_store("stale", "stale");
	silence_note(rig_settings.cache, RIG_VIEW, rig_call.now_ms - SILENCE_MS * 3 / 4);
	cr_assert_eq(pthread_join(start(), NULL), 0);
	cr_assert(silence_is(rig_settings.cache, RIG_VIEW, rig_call.now_ms + SILENCE_MS / 2));
}

/* ---- a hit in the last tenth ---- */

Test(ask, refresh_leaves_a_taken_place_alone)
{
	ask_refresh(&rig_call, &rig_question.name, BOTH, key);
	must_be_theirs();
}

Test(ask, refresh_of_what_has_failed_a_moment_ago_takes_no_lease)
{
	lease_release(rig_settings.cache, &others, true);
	rig_fail(FETCH_AAAA);
	ask_refresh(&rig_call, &rig_question.name, BOTH, key);
	cr_assert_not(lease_is_taken(rig_settings.cache, key, rig_call.now_ms));
}
