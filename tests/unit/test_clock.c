// SPDX-License-Identifier: MIT
/* clock.h: what has elapsed, at its edges. */
#include "shim/clock.h"

#include <criterion/criterion.h>

Test(clock, elapsed_counts_from_then_and_never_backwards)
{
	static const struct {
		uint64_t then_ms, now_ms;
		bool elapsed;
	} cases[] = {
		{5000, 5000, false},	{5000, 5999, false},  {5000, 6000, true},
		{5001, 5000, false},	{9000, 5000, false},  {0, 5000, true},
		{0, 999, false},	{65000, 5000, false}, {65001, 5000, true},
		{90000000, 5000, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(clock_elapsed(cases[i].then_ms, cases[i].now_ms, 1000),
			     cases[i].elapsed, "from %lu to %lu", cases[i].then_ms,
			     cases[i].now_ms);
}
