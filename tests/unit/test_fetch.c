// SPDX-License-Identifier: MIT
/* fetch.c, fetch_cache.c: what stands in the cache already, and what is put there. */
#include "shim/fetch_cache.h"

#include "shim/clock.h"
#include "shim/process.h"
#include "shim/resolve.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct resolve begun;
static struct fetch asked; /* as a job sees it */

/* A cache of this process alone, and a server that nobody is. */
static void begin(void)
{
	setenv("NOBLOCKDNS_CACHE", "private", 1);
	setenv("NOBLOCKDNS_UPSTREAM", "udp://127.0.0.1:1", 1);
	cr_assert(resolve_begin(&begun));
	cr_assert_eq(name_fold("www.test", &asked.name), 0);
	strcpy(asked.spelling, "www.test");
	asked.view = begun.settings->view;
	asked.types = FETCH_A | FETCH_AAAA;
}

static struct entry_rrset rrset(enum resolver_kind kind, uint32_t ttl_s)
{
	bool has_addr = kind == RESOLVER_ANSWER;

	return (struct entry_rrset){.kind = kind,
				    .ttl_s = ttl_s,
				    .stored_ms = clock_boot_ms(),
				    .nnames = 1,
				    .names = "www.test",
				    .names_len = 9,
				    .naddrs = has_addr,
				    .addrs = (const unsigned char *)"\300\0\2\1"};
}

static void store(struct entry_rrset a, struct entry_rrset aaaa)
{
	const struct entry_rrset rrs[ENTRY_NTYPES] = {a, aaaa};

	fetch_cache_store(&asked, rrs, clock_boot_ms());
}

static bool finds(unsigned types)
{
	struct blob *blob;

	asked.types = types;
	blob = fetch_cache_find(&asked, clock_boot_ms());
	blob_release(blob);
	return blob != NULL;
}

Test(fetch, stored_types_are_found_and_others_are_not)
{
	begin();
	cr_expect_not(finds(FETCH_A));
	store(rrset(RESOLVER_ANSWER, 60), (struct entry_rrset){0});
	cr_expect(finds(FETCH_A));
	cr_expect_not(finds(FETCH_AAAA));
	cr_expect_not(finds(FETCH_A | FETCH_AAAA));
	store((struct entry_rrset){0}, rrset(RESOLVER_NODATA, 60));
	cr_expect(finds(FETCH_A | FETCH_AAAA));
	resolve_end(&begun);
}

Test(fetch, failure_and_ttl_0_are_not_stored)
{
	begin();
	store(rrset(RESOLVER_ANSWER, 0), rrset(RESOLVER_FAILURE, 60));
	cr_expect_not(finds(FETCH_A));
	cr_expect_not(finds(FETCH_AAAA));
	resolve_end(&begun);
}

/* Another job has stored it since the asker looked: nobody is asked, or this would fail. */
Test(fetch, job_finds_what_was_stored_since_its_asker_looked)
{
	struct fetch *fetch;
	struct entry entry;
	struct blob *blob;
	int r;

	begin();
	store(rrset(RESOLVER_ANSWER, 60), rrset(RESOLVER_NODATA, 60));
	r = fetch_start(begun.settings, &asked.name, asked.spelling, FETCH_A | FETCH_AAAA,
			clock_boot_ms() + 5000, NULL, NULL, &fetch);
	if (r == -ENOENT)
		cr_skip_test("libnoblockdns-resolver.so is not beside this program");
	cr_assert_eq(r, 0, "%d", r);
	blob = fetch_wait(fetch);
	cr_assert(blob != NULL);
	cr_assert_eq(entry_decode(blob->data, blob->size, &entry), 0);
	cr_expect_eq(entry.rr[ENTRY_A].kind, RESOLVER_ANSWER);
	cr_expect_eq(entry.rr[ENTRY_AAAA].kind, RESOLVER_NODATA);
	blob_release(blob);
	resolve_end(&begun);
}
