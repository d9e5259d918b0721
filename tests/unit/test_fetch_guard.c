// SPDX-License-Identifier: MIT
/* fetch_guard.c: what is left of an answer. */
#include "shim/fetch_guard.h"

#include <criterion/criterion.h>
#include <string.h>

static const unsigned char both[] = {10, 0, 0, 1, 192, 0, 2, 1};

static char names[32]; /* two, as of a CNAME chain */
static unsigned char addrs[sizeof both];
static struct fetch fetch;

/* An A answer to www.example.com with the first `n` of those addresses, as it is under the guard.
 */
static struct fetch_kept sift(const unsigned char *from, unsigned n, bool guarded,
			      const char *allow)
{
	struct fetch_kept kept = {.rrset = {.type = RESOLVER_A,
					    .kind = RESOLVER_ANSWER,
					    .ad = true,
					    .ttl_s = 77,
					    .nnames = 2,
					    .naddrs = n},
				  .names = names,
				  .names_len = sizeof "www.example.com" + sizeof "to.net",
				  .addrs = addrs};

	memcpy(names, "www.example.com\0to.net", sizeof "www.example.com\0to.net");
	memcpy(addrs, from, n * 4);
	memset(&fetch, 0, sizeof fetch);
	cr_assert_eq(name_fold("www.example.com", &fetch.name), 0);
	fetch.guarded = guarded;
	fetch.rebind_allow = allow;
	fetch_guard(&kept, &fetch);
	return kept;
}

Test(fetch_guard, answer_without_addresses_is_nodata_for_its_time)
{
	struct fetch_kept kept = sift(both, 1, true, NULL);

	cr_expect_eq(kept.rrset.kind, RESOLVER_NODATA);
	cr_expect_eq(kept.rrset.naddrs, 0u);
	cr_expect_eq(kept.rrset.ttl_s, 77u);
	cr_expect_not(kept.rrset.ad);
	cr_expect_eq(kept.rrset.nnames, 1u, "a chain that leads nowhere is something else");
	cr_expect_eq(kept.names_len, sizeof "www.example.com");
}

Test(fetch_guard, answer_with_others_keeps_them_and_its_names)
{
	struct fetch_kept kept = sift(both, 2, true, NULL);

	cr_expect_eq(kept.rrset.kind, RESOLVER_ANSWER);
	cr_expect_eq(kept.rrset.naddrs, 1u);
	cr_expect_arr_eq(kept.addrs, both + 4, 4);
	cr_expect_not(kept.rrset.ad);
	cr_expect_eq(kept.rrset.nnames, 2u);
}

static void expect_whole(const struct fetch_kept *kept, unsigned n)
{
	cr_expect_eq(kept->rrset.kind, RESOLVER_ANSWER);
	cr_expect_eq(kept->rrset.naddrs, n);
	cr_expect_eq(kept->rrset.nnames, 2u);
	cr_expect(kept->rrset.ad);
}

Test(fetch_guard, answer_that_is_not_refused_is_untouched)
{
	struct fetch_kept public = sift(both + 4, 1, true, NULL);
	struct fetch_kept allowed = sift(both, 2, true, "example.com");
	struct fetch_kept unguarded = sift(both, 2, false, NULL);

	expect_whole(&public, 1);
	expect_whole(&allowed, 2);
	expect_whole(&unguarded, 2);
}

Test(fetch_guard, what_has_no_addresses_is_untouched)
{
	static const enum resolver_kind kinds[] = {RESOLVER_NODATA, RESOLVER_NXDOMAIN,
						   RESOLVER_FAILURE};

	memset(&fetch, 0, sizeof fetch);
	cr_assert_eq(name_fold("www.example.com", &fetch.name), 0);
	fetch.guarded = true;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct fetch_kept kept = {.rrset = {.type = RESOLVER_A, .kind = kinds[i]}};

		fetch_guard(&kept, &fetch);
		cr_expect_eq(kept.rrset.kind, kinds[i]);
	}
}
