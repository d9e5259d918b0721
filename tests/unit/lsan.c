// SPDX-License-Identifier: MIT
/*
 * lsan.c - keeps LeakSanitizer out of Criterion's own process.
 *
 * Each test runs in a process of its own, and is looked at for leaks as that ends. The process that
 * starts them runs no code of ours, but now and then Criterion leaves 48 bytes there, of the timer
 * of a test that has a limit.
 */
#ifdef __SANITIZE_ADDRESS__
#include <criterion/criterion.h>
#include <criterion/hooks.h>

int __lsan_is_turned_off(void);

static int runs_the_tests;

/* LeakSanitizer asks at exit. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
	return runs_the_tests;
}

/* Criterion calls it in its own process alone. */
ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	(void)stats;
	runs_the_tests = 1;
}
#endif

typedef int unit_lsan_not_empty; /* ISO C forbids an empty translation unit */
