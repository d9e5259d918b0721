// SPDX-License-Identifier: MIT
#include "shim/gai_libc.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/socket.h>

struct quick_case {
	const char *node;
	int flags, family;
	bool quick;
};

static void check(const struct quick_case *c)
{
	const struct addrinfo hints = {.ai_flags = c->flags, .ai_family = c->family};
	bool got = gai_libc_is_quick(c->node, &hints);

	cr_expect(got == c->quick, "%s, flags %#x, family %d: expected %d, got %d",
		  c->node == NULL ? "NULL" : c->node, (unsigned)c->flags, c->family, c->quick, got);
}

Test(gai_libc, addresses_are_quick)
{
	static const struct quick_case cases[] = {
		{"192.0.2.1", 0, AF_UNSPEC, true},
		{"127.1", 0, AF_UNSPEC, true},
		{"0x7f000001", 0, AF_INET6, true},
		{"2001:db8::1", 0, AF_INET, true},
		{"fe80::1%lo", 0, AF_UNSPEC, true},
		{"fe80::1%nosuch", 0, AF_UNSPEC, true},
		{"::ffff:192.0.2.1", AI_CANONNAME, AF_UNSPEC, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(&cases[i]);
}

/* libc would ask for each of these. */
Test(gai_libc, what_only_looks_like_an_address_is_not_quick)
{
	static const struct quick_case cases[] = {
		{"www.test", 0, AF_UNSPEC, false},
		{"192.0.2.1 x", 0, AF_UNSPEC, false},
		{"192.0.2.1.", 0, AF_UNSPEC, false},
		{"192.0.2.256", 0, AF_UNSPEC, false},
		{"no:address", 0, AF_UNSPEC, false},
		{"www%lo", 0, AF_UNSPEC, false},
		{"", 0, AF_UNSPEC, false},
		{".", 0, AF_UNSPEC, false},
		{"www.test", 0x7c2, AF_INET6, false},
		{"1:2:3:4:5:6:7:8:9", 0, AF_UNSPEC, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(&cases[i]);
}

Test(gai_libc, errors_and_absent_nodes_are_quick)
{
	static const struct quick_case cases[] = {
		{NULL, 0, AF_UNSPEC, true},
		{"www.test", AI_NUMERICHOST, AF_UNSPEC, true},
		{"www.test", 0x4000, AF_UNSPEC, true},
		{"www.test", 0, AF_UNIX, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(&cases[i]);
}

Test(gai_libc, name_without_hints_is_not_quick)
{
	cr_expect(not(gai_libc_is_quick("www.test", NULL)));
}
