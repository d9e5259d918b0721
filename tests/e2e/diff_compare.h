// SPDX-License-Identifier: MIT
/*
 * diff_compare.h - are two answers to one question the same? And where they are not: is that one of
 * the deviations that deviations.md lists?
 */
#ifndef TESTS_DIFF_COMPARE_H
#define TESTS_DIFF_COMPARE_H

#include "tests/e2e/diff_case.h"

enum diff_verdict {
	DIFF_SAME,
	DIFF_ERRNO_KEPT,
	DIFF_H_ERRNO_UNSET,
	DIFF_BUFFER_NEED,
	DIFF_CNAME_ORDER,
	DIFF_EDNS_RETRY,
	DIFF_STALE_ERRNO,
	DIFF_DIFFERENT,
	DIFF_VERDICTS, /* how many there are */
};

/* The names of deviations.md. */
extern const char *const diff_verdict_names[DIFF_VERDICTS];

/* `libc` and `ours` are lines of the client. */
enum diff_verdict diff_compare(const struct diff_case *c, const char *libc, const char *ours);

#endif
