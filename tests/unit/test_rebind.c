// SPDX-License-Identifier: MIT
/* rebind.c: which addresses are private, at the edges of each block, and which names may have them.
 */
#include "shim/rebind.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static bool is_private(const char *text)
{
	unsigned char addr[16];
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	cr_assert_eq(inet_pton(family, text, addr), 1, "%s", text);
	return rebind_is_private(addr, family == AF_INET ? 4 : 16);
}

/* First and last address of each block. */
static const char *const private[] = {
	"0.0.0.0",
	"0.255.255.255",
	"10.0.0.0",
	"10.255.255.255",
	"100.64.0.0",
	"100.127.255.255",
	"127.0.0.0",
	"127.0.0.1",
	"127.255.255.255",
	"169.254.0.0",
	"169.254.169.254",
	"169.254.255.255",
	"172.16.0.0",
	"172.31.255.255",
	"192.0.0.0",
	"192.0.0.7",
	"192.168.0.0",
	"192.168.255.255",
	"198.18.0.0",
	"198.19.255.255",
	"224.0.0.0",
	"239.255.255.255",
	"240.0.0.0",
	"255.255.255.255",
	"::",
	"::1",
	"::10.0.0.1",
	"::ffff:0.0.0.0",
	"::ffff:127.0.0.1",
	"::ffff:192.168.1.1",
	"64:ff9b::10.0.0.1",
	"64:ff9b::127.0.0.1",
	"64:ff9b:1::",
	"64:ff9b:1::192.0.2.1",
	"64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
	"2001:2::",
	"2001:2:0:ffff:ffff:ffff:ffff:ffff",
	"2002:a00:1::1",
	"2002:7f00:1::",
	"2002:c0a8:101::1",
	"5f00::",
	"5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fc00::",
	"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fe80::",
	"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fec0::",
	"feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"ff00::",
	"ff02::1",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

/* Right beside the blocks, and what the header leaves out. */
static const char *const public[] = {
	"1.0.0.0",
	"9.255.255.255",
	"11.0.0.0",
	"100.63.255.255",
	"100.128.0.0",
	"126.255.255.255",
	"128.0.0.0",
	"169.253.255.255",
	"169.255.0.0",
	"172.15.255.255",
	"172.32.0.0",
	"191.255.255.255",
	"192.0.0.8",
	"192.0.0.9",
	"192.0.0.170",
	"192.0.2.1",
	"192.88.99.1",
	"192.167.255.255",
	"192.169.0.0",
	"198.17.255.255",
	"198.20.0.0",
	"198.51.100.1",
	"203.0.113.1",
	"223.255.255.255",
	"::192.0.2.1",
	"::ffff:192.0.2.1",
	"::fffe:10.0.0.1",
	"0:0:0:0:1:0:a00:1",
	"64:ff9b::192.0.2.1",
	"64:ff9b::192.0.0.170",
	"64:ff9b:0:1::a00:1",
	"64:ff9b:2::",
	"100::1",
	"2000::",
	"2001::1",
	"2001:1::1",
	"2001:1:ffff:ffff:ffff:ffff:ffff:ffff",
	"2001:2:1::",
	"2001:db8::1",
	"2001:4860:4860::8888",
	"2002:c000:201::1",
	"2003::",
	"3fff::1",
	"5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"5f01::",
	"fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fe00::",
	"fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

Test(rebind, addresses_inside_the_blocks_are_private)
{
	for (size_t i = 0; i < sizeof private / sizeof private[0]; i++)
		cr_expect(is_private(private[i]), "%s", private[i]);
}

Test(rebind, addresses_beside_the_blocks_are_not)
{
	for (size_t i = 0; i < sizeof public / sizeof public[0]; i++)
		cr_expect_not(is_private(public[i]), "%s", public[i]);
}

Test(rebind, sifting_keeps_the_others_and_their_order)
{
	static const unsigned char before[] = {192, 0, 2,   1, 10, 0, 0,   1, 192, 0,
					       2,   2, 127, 0, 0,  1, 192, 0, 2,   3};
	static const unsigned char after[] = {192, 0, 2, 1, 192, 0, 2, 2, 192, 0, 2, 3};
	unsigned char addrs[sizeof before];

	memcpy(addrs, before, sizeof before);
	cr_assert_eq(rebind_sift(addrs, 5, 4), 3);
	cr_expect_arr_eq(addrs, after, sizeof after);
}

Test(rebind, sifting_may_leave_nothing_and_may_take_nothing)
{
	unsigned char loopback[16] = {[15] = 1};
	unsigned char v4[4] = {192, 0, 2, 1};

	cr_expect_eq(rebind_sift(loopback, 1, 16), 0);
	cr_expect_eq(rebind_sift(v4, 1, 4), 1);
	cr_expect_eq(rebind_sift(v4, 0, 4), 0);
}

/* ---- names ---- */

static bool may(const char *text, const char *allow)
{
	struct name name;

	cr_assert_eq(name_fold(text, &name), 0);
	return rebind_may(&name, allow);
}

static const struct {
	const char *name, *allow;
	bool may;
} names[] = {
	{"www.example.com", NULL, false},
	{"www.example.com", "", false},
	{"printer", NULL, true},
	{"printer.", NULL, true},
	{"LOCALHOST", NULL, true},
	{"a.localhost", NULL, true},
	{"notlocalhost.com", NULL, false},
	{"localhost.example.com", NULL, false},
	{"host.local", NULL, true},
	{"web.default.svc.cluster.local", NULL, true},
	{"host.LOCAL.", NULL, true},
	{"host.notlocal", NULL, false},
	{"www.test", NULL, true},
	{"www.home.arpa", NULL, true},
	{"home.arpa", NULL, true},
	{"myhome.arpa", NULL, false},
	{"1.0.0.10.in-addr.arpa", NULL, false},
	{"ipv4only.arpa", NULL, true},
	{"www.internal", NULL, true},
	{"www.lan", NULL, false}, /* never reserved */
	{"www.lan", "lan", true},
	{"www.example", NULL, false},
	{"corp.example.com", "corp.example.com", true},
	{"a.b.corp.example.com", "corp.example.com", true},
	{"A.Corp.Example.COM.", "corp.example.com", true},
	{"xcorp.example.com", "corp.example.com", false},
	{"example.com", "corp.example.com", false},
	{"corp.example.com.evil.net", "corp.example.com", false},
	{"www.b.net", "a.net b.net c.net", true},
	{"www.c.net", "a.net b.net c.net", true},
	{"www.d.net", "a.net b.net c.net", false},
	{"net", "a.net", true}, /* no dot */
	{".net.x", "a.net", false},
};

Test(rebind, names_that_may_have_private_addresses)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		cr_expect_eq(may(names[i].name, names[i].allow), names[i].may, "%s under \"%s\"",
			     names[i].name, names[i].allow ? names[i].allow : "none");
}
