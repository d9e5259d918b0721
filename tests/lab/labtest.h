// SPDX-License-Identifier: MIT
/*
 * labtest.h - a Criterion test whose body runs in a world of its own.
 *
 *	LabTest(lookup, second_call_sends_no_query, .resolv_conf = "nameserver 127.0.0.1\n")
 *	{
 *		struct lab_dns *dns = lab_dns_start_text(w, "listen 127.0.0.1:53\n...");
 *		...
 *		lab_assert_int(lab_dns_count(dns, "www.test", LAB_A, LAB_ANY_TRANSPORT), 1);
 *	}
 *
 * The arguments after the name are members of struct lab_world_opts. In the body `w` is the world;
 * use lab_assert and lab_fail, never cr_assert: the body is a forked child, which Criterion does
 * not listen to. A world that the machine cannot make becomes a skipped test that says why.
 */
#ifndef LAB_LABTEST_H
#define LAB_LABTEST_H

#include "netns.h"

#include <criterion/criterion.h>

/* Hands a world's result to Criterion. Call at the end of a test that uses lab_world_run(). */
static inline void lab_report(const struct lab_result *result)
{
	switch (result->outcome) {
	case LAB_PASSED:
		return;
	case LAB_FAILED:
		cr_assert_fail("%s", result->message);
		return;
	case LAB_SKIPPED:
		cr_skip_test("%s", result->message);
	}
}

#define LabTest(suite, name, ...)                                                                  \
	static void suite##_##name##_body(struct lab_world *w, void *unused);                      \
	Test(suite, name)                                                                          \
	{                                                                                          \
		struct lab_result result;                                                          \
		const struct lab_world_opts opts = {__VA_ARGS__};                                  \
                                                                                                   \
		lab_world_run(&opts, suite##_##name##_body, NULL, &result);                        \
		lab_report(&result);                                                               \
	}                                                                                          \
	static void suite##_##name##_body(struct lab_world *w __attribute__((unused)),             \
					  void *unused __attribute__((unused)))

#endif
