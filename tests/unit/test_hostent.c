// SPDX-License-Identifier: MIT
/*
 * test_hostent.c - a struct hostent in a buffer of the caller's. Each buffer is an allocation of
 * exactly its size, so that a sanitizer sees the first byte too many.
 */
#include "shim/hostent.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void make_answer(unsigned naddrs, int family, struct lookup_answer *ret)
{
	static const char aliases[] = "www.test\0alias.example.test";

	lookup_answer_init(ret);
	for (unsigned i = 0; i < naddrs; i++) {
		unsigned char addr[16] = {10, 0, 0, (unsigned char)i};

		cr_assert(lookup_addrs_add(&ret->addrs, family, addr));
	}
	strcpy(ret->names.canon, "canonical.example.test");
	memcpy(ret->names.aliases, aliases, sizeof aliases);
	ret->names.aliases_len = sizeof aliases;
	ret->names.naliases = 2;
	ret->has_canon = true;
}

static void check_content(const struct hostent *h, unsigned naddrs, int family)
{
	cr_expect_str_eq(h->h_name, "canonical.example.test");
	cr_expect(h->h_addrtype == family && h->h_length == (family == AF_INET ? 4 : 16));
	for (unsigned i = 0; i < naddrs; i++)
		cr_expect(h->h_addr_list[i] != NULL && h->h_addr_list[i][3] == (char)i);
	cr_expect(h->h_addr_list[naddrs] == NULL);
	cr_expect_str_eq(h->h_aliases[0], "www.test");
	cr_expect_str_eq(h->h_aliases[1], "alias.example.test");
	cr_expect(h->h_aliases[2] == NULL);
}

/* The least size that is enough for a buffer `offset` bytes past an aligned one. */
static size_t least_size(unsigned naddrs, int family, size_t offset)
{
	static const char untouched = 'u';
	struct lookup_answer answer;
	size_t least = 0;

	make_answer(naddrs, family, &answer);
	for (size_t size = 0; least == 0 && size < 4096; size++) {
		char *block = malloc(offset + size + (offset + size == 0));
		struct hostent h = {.h_name = (char *)&untouched};
		int r = hostent_build(&answer, family, block + offset, size, &h);

		cr_expect(r == 0 || r == -ERANGE, "%zu bytes: %d", size, r);
		if (r == 0) {
			check_content(&h, naddrs, family);
			least = size;
		} else {
			cr_expect(h.h_name == &untouched, "%zu bytes: changed", size);
		}
		free(block);
	}
	lookup_answer_free(&answer);
	return least;
}

Test(hostent, every_size_up_to_enough_is_refused_in_bounds)
{
	for (unsigned naddrs = 1; naddrs < 20; naddrs += 6)
		for (size_t offset = 0; offset < 8; offset++) {
			cr_expect(least_size(naddrs, AF_INET, offset) > 0);
			cr_expect(least_size(naddrs, AF_INET6, offset) > 0);
		}
}

Test(hostent, size_needed_is_that_of_the_content)
{
	size_t strings =
		sizeof "canonical.example.test" + sizeof "www.test" + sizeof "alias.example.test";

	cr_expect(least_size(2, AF_INET, 0) == (3 + 3) * sizeof(char *) + 2 * 4 + strings, "%zu",
		  least_size(2, AF_INET, 0));
}

Test(hostent, pointers_are_aligned)
{
	struct lookup_answer answer;
	struct hostent h;
	char buf[1024];

	make_answer(3, AF_INET6, &answer);
	for (size_t offset = 0; offset < 8; offset++) {
		cr_assert(hostent_build(&answer, AF_INET6, buf + offset, sizeof buf - offset, &h) ==
			  0);
		cr_expect((uintptr_t)h.h_aliases % sizeof(char *) == 0);
		cr_expect((uintptr_t)h.h_addr_list % sizeof(char *) == 0);
		for (char **a = h.h_addr_list; *a != NULL; a++)
			cr_expect((uintptr_t)*a % 4 == 0);
	}
	lookup_answer_free(&answer);
}
