// SPDX-License-Identifier: MIT
/* test_ask_plan.c - what is given in place of an answer, for each combination of two types. */
#include "shim/ask_plan.h"

#include "shim/silence.h"
#include "tests/unit/ask_rig.h"

#define NOW  SAMPLE_NOW
#define A    FETCH_A
#define AAAA FETCH_AAAA
#define BOTH (FETCH_A | FETCH_AAAA)

static void set_up(void)
{
	rig_start(NOW);
}

TestSuite(ask_plan, .init = set_up, .fini = rig_end);

static struct ask_plan plan;

static void make(unsigned types)
{
	struct lookup_question question = rig_question;

	question.types = types;
	ask_plan_make(&rig_call, &question, &plan);
}

/* What stands in the cache, what failed, what is asked; what is in hand then. */
static const struct row {
	const char *a, *aaaa;
	unsigned failed, asked;
	bool known;
	const char *want;
} rows[] = {
	{"-", "-", 0, BOTH, false, "none"},
	{"stale", "stale", 0, BOTH, false, "1s 1s"},
	{"fresh", "stale", 0, BOTH, false, "1 1s"},
	{"fresh", "-", 0, BOTH, false, "1 -"},
	{"-", "stale", 0, BOTH, false, "- 1s"},
	{"nodata", "stale", 0, BOTH, false, "nodata 1s"},
	{"stale", "was-nodata", 0, BOTH, false, "1s nodata"},
	{"was-nodata", "was-nodata", 0, BOTH, false, "none"},
	{"nodata", "-", 0, BOTH, false, "none"},
	{"nodata", "was-nodata", 0, BOTH, false, "none"},

	/* not to be given */
	{"old", "old", 0, BOTH, false, "none"},
	{"old", "stale", 0, BOTH, false, "- 1s"},
	{"ahead", "ahead", 0, BOTH, false, "none"},
	{"failure", "failure", 0, BOTH, false, "none"},
	{"stale", "failure", 0, BOTH, false, "1s -"},

	/* one type is asked */
	{"stale", "-", 0, A, false, "1s -"},
	{"-", "stale", 0, A, false, "none"},
	{"was-nodata", "stale", 0, A, false, "none"},
	{"fresh", "stale", 0, AAAA, false, "1 1s"},

	/* some of it has failed a moment ago */
	{"-", "-", BOTH, BOTH, true, "failure failure"},
	{"-", "-", A, BOTH, false, "none"},
	{"-", "-", A, A, true, "failure -"},
	{"stale", "stale", BOTH, BOTH, true, "1s 1s"},
	{"stale", "stale", A, BOTH, false, "1s 1s"},
	{"fresh", "-", AAAA, BOTH, true, "1 failure"},
	{"fresh", "stale", AAAA, BOTH, true, "1 1s"},
	{"fresh", "was-nodata", AAAA, BOTH, true, "1 nodata"},
	{"nodata", "-", AAAA, BOTH, true, "nodata failure"},
	{"nodata", "stale", AAAA, BOTH, true, "nodata 1s"},
	{"nodata", "was-nodata", AAAA, BOTH, true, "nodata failure"},
	{"was-nodata", "was-nodata", BOTH, BOTH, true, "failure failure"},
	{"was-nodata", "stale", BOTH, BOTH, true, "nodata 1s"},
	{"stale", "-", BOTH, BOTH, true, "1s failure"},
	{"old", "stale", BOTH, BOTH, true, "failure 1s"},
};

Test(ask_plan, each_combination_of_types_has_its_place)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		const char *got;

		if (i > 0) {
			rig_end();
			rig_start(NOW);
		}
		rig_store(r->a, r->aaaa);
		if (r->failed != 0)
			rig_fail(r->failed);
		make(r->asked);
		got = rig_blob_str(plan.stale);
		cr_expect_str_eq(got, r->want, "%s, %s, failed %u, asked %u: %s instead of %s",
				 r->a, r->aaaa, r->failed, r->asked, got, r->want);
		cr_expect_eq(plan.known, r->known, "%s, %s, failed %u, asked %u", r->a, r->aaaa,
			     r->failed, r->asked);
		ask_plan_forget(&plan);
		cr_expect(plan.stale == NULL);
	}
}

Test(ask_plan, name_that_the_cache_has_not_may_be_known_to_fail)
{
	rig_fail(BOTH);
	make(BOTH);
	cr_assert(plan.known);
	cr_assert_str_eq(rig_blob_str(plan.stale), "failure failure");
	ask_plan_forget(&plan);
}

Test(ask_plan, without_a_cache_there_is_nothing)
{
	struct cache *cache = rig_settings.cache;

	rig_store("stale", "stale");
	rig_settings.cache = NULL;
	make(BOTH);
	rig_settings.cache = cache;
	cr_assert(plan.stale == NULL && !plan.known && !plan.silent);
	cr_assert_eq(plan.until_ms, NOW + RIG_DEADLINE_MS);
}

Test(ask_plan, stale_answers_may_be_turned_off)
{
	rig_config.stale_max_s = 0;
	rig_store("stale", "fresh");
	make(BOTH);
	cr_assert_str_eq(rig_blob_str(plan.stale), "- 1");
	ask_plan_forget(&plan);
}

Test(ask_plan, stale_until_its_last_millisecond)
{
	rig_store("stale", "-");
	rig_call.now_ms = NOW + RIG_MAX_S * 1000;
	make(A);
	cr_assert_str_eq(rig_blob_str(plan.stale), "1s -");
	ask_plan_forget(&plan);
	rig_call.now_ms++;
	make(A);
	cr_assert(plan.stale == NULL);
}

/* ---- how long ---- */

Test(ask_plan, what_is_stale_is_given_after_the_time_that_is_configured)
{
	rig_store("stale", "-");
	make(BOTH);
	cr_assert_eq(plan.until_ms, NOW + RIG_AFTER_MS);
	ask_plan_forget(&plan);
}

Test(ask_plan, what_is_stale_is_given_at_the_deadline_at_the_latest)
{
	rig_call.deadline_ms = NOW + RIG_AFTER_MS - 1;
	rig_store("stale", "-");
	make(BOTH);
	cr_assert_eq(plan.until_ms, NOW + RIG_AFTER_MS - 1);
	ask_plan_forget(&plan);
}

Test(ask_plan, who_has_nothing_waits_until_the_deadline)
{
	silence_note(rig_settings.cache, RIG_VIEW, NOW);
	make(BOTH);
	cr_assert_eq(plan.until_ms, NOW + RIG_DEADLINE_MS);
	cr_assert_not(plan.silent);
}

Test(ask_plan, who_has_something_waits_for_no_silent_server)
{
	rig_store("stale", "-");
	silence_note(rig_settings.cache, RIG_VIEW, NOW);
	make(BOTH);
	cr_assert(plan.silent);
	ask_plan_forget(&plan);
}

/* ---- what is given after all ---- */

/* What is in hand, what has come, of those types; what is given. */
static const struct choice {
	const char *a, *aaaa, *come_a, *come_aaaa;
	unsigned asked;
	const char *want;
} choices[] = {
	{"stale", "stale", "fresh", "fresh", BOTH, "2 2"},
	{"stale", "stale", "nodata", "nodata", BOTH, "nodata nodata"},
	{"stale", "stale", "failure", "failure", BOTH, "1s 1s"},
	{"stale", "stale", "-", "-", BOTH, "1s 1s"},
	{"stale", "stale", "-", "fresh", A, "1s 1s"},

	/* a type that failed is no answer to it */
	{"stale", "stale", "fresh", "failure", BOTH, "2 1s"},
	{"stale", "stale", "nodata", "failure", BOTH, "nodata 1s"},
	{"stale", "stale", "failure", "nodata", BOTH, "1s nodata"},
	{"stale", "-", "fresh", "failure", BOTH, "2 failure"},
	{"stale", "was-nodata", "nodata", "failure", BOTH, "nodata failure"},
	{"stale", "stale", "fresh", "failure", A, "2 failure"},

	/* one that has not come may come yet, beside addresses */
	{"stale", "stale", "fresh", "-", BOTH, "2 -"},
	{"stale", "stale", "nodata", "-", BOTH, "nodata 1s"},
	{"-", "-", "failure", "failure", BOTH, "failure failure"},
	{"-", "-", "fresh", "-", BOTH, "2 -"},
};

Test(ask_plan, each_type_has_the_best_that_is_known)
{
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		const struct choice *c = &choices[i];
		const struct entry come = rig_entry(c->come_a, c->come_aaaa, 2);
		struct blob *given;
		const char *got;

		if (i > 0) {
			rig_end();
			rig_start(NOW);
		}
		rig_store(c->a, c->aaaa);
		make(c->asked);
		given = ask_plan_choose(&plan, c->asked, blob_encode(&come));
		got = rig_blob_str(given);
		cr_expect_str_eq(got, c->want, "%s, %s, then %s, %s, asked %u: %s instead of %s",
				 c->a, c->aaaa, c->come_a, c->come_aaaa, c->asked, got, c->want);
		cr_expect(plan.stale == NULL);
		blob_release(given);
	}
}

Test(ask_plan, what_is_stale_is_given_where_nothing_comes)
{
	struct blob *given;

	rig_store("stale", "-");
	make(BOTH);
	given = ask_plan_choose(&plan, BOTH, NULL);
	cr_assert_str_eq(rig_blob_str(given), "1s -");
	blob_release(given);
	cr_assert(ask_plan_choose(&plan, BOTH, NULL) == NULL);
}

Test(ask_plan, what_is_damaged_has_not_come)
{
	const struct entry come = rig_entry("fresh", "fresh", 2);
	struct blob *blob = blob_encode(&come), *given;

	rig_store("stale", "-");
	make(BOTH);
	blob->data[0] ^= 1;
	given = ask_plan_choose(&plan, BOTH, blob);
	cr_assert_str_eq(rig_blob_str(given), "1s -");
	blob_release(given);
}
