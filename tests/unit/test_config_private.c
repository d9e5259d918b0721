// SPDX-License-Identifier: MIT
/* test_config_private.c - what was to be private never becomes clear text by a mistake. */
#include "tests/unit/config_rig.h"

/* What was meant to be secret is never asked in clear text. */
static const char *const misspelt[] = {
	"tls:/192.0.2.1",
	"tls//192.0.2.1",
	"https://dns.example/dns-query",
	"tls://",
	"tls://192.0.2.1#",
	"tls://192.0.2.1#dns..example",
	"tls://192.0.2.1#dns.example.",
	"tls://192.0.2.1#192.0.2.1",
	"tls://192.0.2.1:0",
	"tls://192.0.2.300",
	"tls://192.0.2",
	"tls://dns.example:",
	"tls://dns.example:853x",
	"tls://dns.example#dns.example",
	"tls://.example",
	"tls://dns_\xc3\xa4.example",
	"tls://[dns.example]",
	"udp://192.0.2.1 TLS://192.0.2.2#",
	"tls://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
};

Test(config, misspelt_tls_upstream_fails_closed)
{
	for (size_t i = 0; i < sizeof(misspelt) / sizeof(misspelt[0]); i++) {
		const struct config *c = parse_one(&world, "NOBLOCKDNS_UPSTREAM", misspelt[i]);

		cr_assert(c->upstream_unusable, "%s", misspelt[i]);
		cr_assert(c->private, "%s", misspelt[i]);
		cr_assert_eq(c->nupstreams, 0, "%s", misspelt[i]);
		cr_assert_eq(world.reports, 2, "%s", misspelt[i]);
		cr_assert_null(strstr(world.report, "default"), "%s", world.report);
	}
}

Test(config, tls_upstream_keeps_names_from_libc)
{
	static const struct {
		const char *upstream, *tls;
		bool private;
	} cases[] = {
		{"tls://192.0.2.1", NULL, true},
		{"tls://dns.example", "strict", true},
		{"udp://192.0.2.1 tls://192.0.2.1", NULL, true},
		{"tls://192.0.2.1", "maybe", true}, /* the default is strict */
		{"tls://192.0.2.1", "opportunistic", false},
		{"udp://192.0.2.1", "strict", false},
		{NULL, "strict", false},
	};

	world.name[0] = "NOBLOCKDNS_UPSTREAM";
	world.name[1] = "NOBLOCKDNS_TLS";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world.value[0] = cases[i].upstream;
		world.value[1] = cases[i].tls;
		cr_assert_eq(parse(&world)->private, cases[i].private, "row %zu", i);
		cr_assert_not(world.config.upstream_unusable, "row %zu", i);
		cr_assert_eq(config_asks_private(get, &world, NULL, 0), cases[i].private, "row %zu",
			     i);
	}
}

Test(config, whoever_may_not_load_it_knows_whether_it_is_private)
{
	static const struct {
		const char *file, *upstream;
		bool private;
	} cases[] = {
		{"upstream = tls://192.0.2.1\n", NULL, true},
		{"upstream = tls://192.0.2.1#\n", NULL, true},
		{"upstream = tls://192.0.2.1\n", "udp://192.0.2.1", false},
		{"upstream = tls://192.0.2.1\n", "", false},
		{"upstream = tls://192.0.2.1\ntls = opportunistic\n", NULL, false},
		{"upstream = tls://192.0.2.1\ntls = lax\n", NULL, true},
		{"upstream = tls://192.0.2.1\nmode = off\n", NULL, false},
		{"mode = observe\n", "tls://192.0.2.1", false},
		{"upstream = udp://192.0.2.1\n", "tls://192.0.2.1", true},
		{"# upstream = tls://192.0.2.1\n", NULL, false},
		{NULL, NULL, false},
	};

	world.name[0] = "NOBLOCKDNS_UPSTREAM";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = cases[i].file ? strlen(cases[i].file) : 0;

		world.file = cases[i].file;
		world.value[0] = cases[i].upstream;
		cr_assert_eq(parse(&world)->private, cases[i].private, "row %zu", i);
		cr_assert_eq(config_asks_private(get, &world, world.file, len), cases[i].private,
			     "row %zu", i);
	}
}

Test(config, clear_text_that_is_listed_beside_tls_is_kept)
{
	const struct config *c =
		parse_one(&world, "NOBLOCKDNS_UPSTREAM", "tls://192.0.2.1 udp://192.0.2.2");

	cr_assert_eq(c->nupstreams, 2);
	cr_assert_str_eq(shown(&c->upstreams[0]), "tls 192.0.2.1 853");
	cr_assert_str_eq(shown(&c->upstreams[1]), "udp 192.0.2.2 53");
	cr_assert_eq(world.reports, 0);
}

Test(config, opportunistic_does_without_what_is_misspelt)
{
	world.name[0] = "NOBLOCKDNS_UPSTREAM";
	world.value[0] = "tls://192.0.2.1#";
	world.name[1] = "NOBLOCKDNS_TLS";
	world.value[1] = "opportunistic";
	cr_assert_not(parse(&world)->upstream_unusable);
	cr_assert_eq(world.reports, 1);
}

/* Its default, none, would let in whom the user wanted to keep out. */
Test(config, bad_pin_or_ca_fails_closed_where_it_matters)
{
	static const struct {
		const char *name, *value;
	} bad[] = {
		{"NOBLOCKDNS_TLS_PIN", "sha256/AAA="},
		{"NOBLOCKDNS_TLS_CA", "ca.pem"},
	};

	world.name[0] = "NOBLOCKDNS_UPSTREAM";
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		world.name[1] = bad[i].name;
		world.value[1] = bad[i].value;
		world.value[0] = "tls://192.0.2.1";
		cr_assert(parse(&world)->upstream_unusable, "%s", bad[i].name);
		cr_assert_eq(world.config.nupstreams, 0);
		world.value[0] = "udp://192.0.2.1";
		cr_assert_not(parse(&world)->upstream_unusable, "%s", bad[i].name);
		cr_assert_eq(world.config.nupstreams, 1);
	}
}

/* The SHA-256 of nothing, and of "abc" (FIPS 180-2 appendix B.1). */
#define PIN_EMPTY "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define PIN_ABC	  "sha256/ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="

Test(config, pins_are_decoded)
{
	const struct config *c =
		parse_one(&world, "NOBLOCKDNS_TLS_PIN", PIN_EMPTY " \t" PIN_ABC " ");

	cr_assert_eq(c->tls_pins.n, 2, "%s", world.report);
	cr_assert_eq(c->tls_pins.sha256[0][0], 0xe3);
	cr_assert_eq(c->tls_pins.sha256[0][1], 0xb0);
	cr_assert_eq(c->tls_pins.sha256[0][31], 0x55);
	cr_assert_eq(c->tls_pins.sha256[1][0], 0xba);
	cr_assert_eq(c->tls_pins.sha256[1][31], 0xad);
}

Test(config, pin_errors)
{
	static const char *const cases[] = {
		" ",
		"sha256/",
		"sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF=",
		"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUU",
		"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", /* more than 256 bits */
		"sha256/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
		PIN_ABC PIN_ABC,
		PIN_ABC "," PIN_ABC,
		PIN_ABC " x",
		PIN_ABC " " PIN_ABC " " PIN_ABC " " PIN_ABC " " PIN_ABC " " PIN_ABC " " PIN_ABC
			" " PIN_ABC " " PIN_ABC,
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config *c = parse_one(&world, "NOBLOCKDNS_TLS_PIN", cases[i]);

		cr_assert_eq(world.reports, 1, "%s", cases[i]);
		cr_assert_eq(c->tls_pins.n, 0, "%s", cases[i]);
	}
}
