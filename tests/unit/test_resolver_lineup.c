// SPDX-License-Identifier: MIT
/* test_resolver_lineup.c - what several upstreams that all failed add up to. */
#include "resolver/lineup.h"

#include <criterion/criterion.h>

static enum resolver_failure of(enum resolver_failure first, enum resolver_failure second)
{
	struct lineup l = {.n = 2};

	l.candidates[0].failure = first;
	l.candidates[1].failure = second;
	return lineup_failure(&l);
}

Test(resolver_lineup, bad_answer_weighs_more_than_a_refusal)
{
	cr_expect(of(RESOLVER_SERVFAIL, RESOLVER_FORMERR) == RESOLVER_FORMERR);
	cr_expect(of(RESOLVER_MALFORMED, RESOLVER_REFUSED) == RESOLVER_MALFORMED);
}

Test(resolver_lineup, refusal_weighs_more_than_silence)
{
	cr_expect(of(RESOLVER_UNREACHABLE, RESOLVER_REFUSED) == RESOLVER_REFUSED);
	cr_expect(of(RESOLVER_SERVFAIL, RESOLVER_REFUSED) == RESOLVER_SERVFAIL);
}
