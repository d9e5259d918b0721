// SPDX-License-Identifier: MIT
/* test_config_upstream.c - the forms of an upstream. */
#include "tests/unit/config_rig.h"

Test(config, upstream_forms)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"udp://192.0.2.1", "udp 192.0.2.1 53"},
		{"tcp://192.0.2.1", "tcp 192.0.2.1 53"},
		{"UDP://192.0.2.1:5353", "udp 192.0.2.1 5353"},
		{"udp://[2001:db8::1]", "udp 2001:db8::1%0 53"},
		{"udp://2001:db8::1", "udp 2001:db8::1%0 53"},
		{"tcp://[2001:db8::1]:65535", "tcp 2001:db8::1%0 65535"},
		{"udp://[fe80::1%7]", "udp fe80::1%7 53"},
		{"udp://fe80::1%lo", "udp fe80::1%1 53"},
		{"tls://192.0.2.1", "tls 192.0.2.1 853"},
		{"tls://[2001:db8::1]:8853#dns.example", "tls 2001:db8::1%0 8853"},
		{"tls://2001:db8::1", "tls 2001:db8::1%0 853"},
		{"tls://dns.example", "tls ? 853"},
		{"TLS://Dns.Example:8853", "tls ? 8853"},
		{"tls://1.1.1.one", "tls ? 853"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config *c = parse_one(&world, "NOBLOCKDNS_UPSTREAM", cases[i].text);

		cr_assert_eq(c->nupstreams, 1, "%s: %s", cases[i].text, world.report);
		cr_assert_str_eq(shown(&c->upstreams[0]), cases[i].expected);
	}
}

Test(config, upstream_errors)
{
	static const char *const cases[] = {
		"udp://",
		"udp://example.com",
		"udp://192.0.2.1:0",
		"udp://192.0.2.1:65536",
		"udp://192.0.2.1:",
		"udp://192.0.2.1:53x",
		"udp://[2001:db8::1",
		"udp://[2001:db8::1]x",
		"udp://[192.0.2.1]",
		"udp://192.0.2.1#name",
		"tcp://dns.example",
		"udp://fe80::1%nosuchlink",
		"http://192.0.2.1",
		"udp://192.0.2.1,udp://192.0.2.2",
		"udp://192.0.2.1 x",
		"udp://1.1.1.1 udp://1.1.1.2 udp://1.1.1.3 udp://1.1.1.4 udp://1.1.1.5 "
		"udp://1.1.1.6 udp://1.1.1.7 udp://1.1.1.8 udp://1.1.1.9",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config *c = parse_one(&world, "NOBLOCKDNS_UPSTREAM", cases[i]);

		cr_assert_eq(world.reports, 1, "%s", cases[i]);
		cr_assert_eq(c->nupstreams, 0, "%s", cases[i]);
		cr_assert_not(c->upstream_unusable, "%s", cases[i]);
	}
}

Test(config, upstreams_keep_their_order)
{
	const struct config *c =
		parse_one(&world, "NOBLOCKDNS_UPSTREAM", "  tcp://192.0.2.9 \t udp://192.0.2.3 ");

	cr_assert_eq(c->nupstreams, 2);
	cr_assert_str_eq(shown(&c->upstreams[0]), "tcp 192.0.2.9 53");
	cr_assert_str_eq(shown(&c->upstreams[1]), "udp 192.0.2.3 53");
}

Test(config, name_to_be_authenticated_is_in_lower_case)
{
	static const struct {
		const char *text, *host;
	} cases[] = {
		{"tls://192.0.2.1#Dns.Example", "dns.example"},
		{"tls://Dns.Example:8853", "dns.example"},
		{"tls://192.0.2.1", ""},
		{"tls://[2001:db8::1]#xn--dns-cua.example", "xn--dns-cua.example"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config *c = parse_one(&world, "NOBLOCKDNS_UPSTREAM", cases[i].text);

		cr_assert_eq(c->nupstreams, 1, "%s: %s", cases[i].text, world.report);
		cr_assert_str_eq(c->upstreams[0].host, cases[i].host);
	}
}
