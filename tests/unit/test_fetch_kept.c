// SPDX-License-Identifier: MIT
/* test_fetch_kept.c - what becomes of an answer's TTL under the configured limits. */
#include "shim/fetch_kept.h"

#include <criterion/criterion.h>

static const struct {
	const char *what;
	uint32_t min, max, ttl, expected;
	enum resolver_kind kind;
} cases[] = {
	{"answer between", 10, 100, 50, 50, RESOLVER_ANSWER},
	{"answer below", 10, 100, 5, 10, RESOLVER_ANSWER},
	{"answer above", 10, 100, 500, 100, RESOLVER_ANSWER},
	{"answer of TTL 0", 10, 100, 0, 10, RESOLVER_ANSWER},
	{"answer of TTL 0, as by default", 0, 86400, 0, 0, RESOLVER_ANSWER},
	{"answer of the largest TTL", 0, 86400, INT32_MAX, 86400, RESOLVER_ANSWER},
	{"answer of a TTL that no answer has", 0, 604800, UINT32_MAX, 604800, RESOLVER_ANSWER},
	{"nothing is kept", 0, 0, 500, 0, RESOLVER_ANSWER},
	{"one TTL for all", 7, 7, 500, 7, RESOLVER_ANSWER},
	{"NXDOMAIN below", 10, 100, 5, 10, RESOLVER_NXDOMAIN},
	{"NXDOMAIN above", 10, 100, 500, 100, RESOLVER_NXDOMAIN},
	{"NXDOMAIN that may not be kept", 10, 100, 0, 0, RESOLVER_NXDOMAIN},
	{"NODATA below", 10, 100, 5, 10, RESOLVER_NODATA},
	{"NODATA above", 10, 100, 500, 100, RESOLVER_NODATA},
	{"NODATA that may not be kept", 10, 100, 0, 0, RESOLVER_NODATA},
	{"nothing negative is kept", 0, 0, 500, 0, RESOLVER_NODATA},
	{"failure", 10, 100, 0, 0, RESOLVER_FAILURE},
};

Test(fetch_kept, ttl_is_within_the_limits)
{
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct fetch fetch = {.min_ttl_s = cases[i].min, .max_ttl_s = cases[i].max};
		const struct resolver_rrset rrset = {.kind = cases[i].kind, .ttl_s = cases[i].ttl};
		struct entry_rrset got;
		struct fetch_kept kept;

		fetch_kept_take(&kept, &fetch, ENTRY_A, &rrset, 1000);
		fetch_kept_describe(&kept, &got);
		cr_expect_eq(got.ttl_s, cases[i].expected, "%s: %u, not %u", cases[i].what,
			     got.ttl_s, cases[i].expected);
		cr_expect_eq(got.kind, cases[i].kind);
		cr_expect_eq(got.stored_ms, 1000u);
		fetch_kept_free(&kept);
	}
}
