// SPDX-License-Identifier: MIT
/*
 * test_lookup_fetched.c - what one call has fetched itself comes before the cache, and counts as an
 * answer only to the types that were asked for (resolve.h).
 */
#include "shim/resolve.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the io thread hands over for `www.test`: one type's kind. */
static struct blob *blob_of(enum entry_slot slot, enum resolver_kind kind)
{
	struct entry entry = {.name = "www.test", .name_len = 8};
	struct blob *blob;
	ssize_t size;

	entry.rr[slot].kind = kind;
	blob = malloc(sizeof *blob + ENTRY_ROOM);
	cr_assert(blob != NULL);
	size = entry_encode(&entry, blob->data, ENTRY_ROOM);
	cr_assert(size > 0);
	blob->refs = 1;
	blob->size = (size_t)size;
	return blob;
}

static struct resolve begun;
static struct name name;

static void begin(void)
{
	cr_assert(name_fold("www.test", &name) == 0);
	if (!resolve_begin(&begun))
		cr_skip_test("no settings on this machine");
}

static int find(unsigned types, struct entry *ret)
{
	return begun.source.find(begun.source.ctx, &name, types, ret);
}

Test(lookup_fetched, answer_to_aaaa_is_none_to_a)
{
	struct entry entry;

	begin();
	cr_expect(resolve_take(&begun, &name, blob_of(ENTRY_AAAA, RESOLVER_NXDOMAIN)) == 0);
	cr_expect(find(FETCH_AAAA, &entry) == 0);
	cr_expect(entry.rr[ENTRY_AAAA].kind == RESOLVER_NXDOMAIN);
	cr_expect(find(FETCH_A, &entry) == -EAGAIN, "A was never asked");
	cr_expect(resolve_take(&begun, &name, blob_of(ENTRY_A, RESOLVER_NODATA)) == 0);
	cr_expect(find(FETCH_A, &entry) == 0);
	cr_expect(entry.rr[ENTRY_A].kind == RESOLVER_NODATA);
	cr_expect(find(FETCH_AAAA, &entry) == 0);
	cr_expect(entry.rr[ENTRY_AAAA].kind == RESOLVER_NXDOMAIN);
	resolve_end(&begun);
}

Test(lookup_fetched, type_that_did_not_come_in_time_is_a_timeout)
{
	struct entry entry;

	begin();
	cr_expect(resolve_take(&begun, &name, blob_of(ENTRY_A, RESOLVER_NODATA)) == 0);
	cr_expect(find(FETCH_A | FETCH_AAAA, &entry) == 0);
	cr_expect(entry.rr[ENTRY_A].kind == RESOLVER_NODATA);
	cr_expect(entry.rr[ENTRY_AAAA].kind == RESOLVER_FAILURE);
	cr_expect(entry.rr[ENTRY_AAAA].failure == RESOLVER_TIMEOUT);
	resolve_end(&begun);
}

Test(lookup_fetched, no_answer_at_all_is_a_timeout)
{
	struct entry entry;

	begin();
	cr_expect(resolve_take(&begun, &name, NULL) == 0);
	cr_expect(find(FETCH_A, &entry) == 0);
	cr_expect(entry.rr[ENTRY_A].kind == RESOLVER_FAILURE);
	cr_expect(entry.rr[ENTRY_A].failure == RESOLVER_TIMEOUT);
	resolve_end(&begun);
}
