// SPDX-License-Identifier: MIT
/*
 * test_config.c - values, sources, messages, and that what was to be private never becomes clear
 * text by a mistake.
 */
#include "shim/config.h"

#include "shim/config_table.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An environment of up to three variables, and what was reported. */
struct world {
	const char *name[3], *value[3];
	const char *file;
	struct config config;
	unsigned reports;
	char report[LOG_LINE_MAX]; /* the first */
};

static const char *get(void *ctx, const char *name)
{
	const struct world *w = ctx;

	for (int i = 0; i < 3; i++) {
		if (w->name[i] && strcmp(name, w->name[i]) == 0)
			return w->value[i];
	}
	return NULL;
}

static void report(void *ctx, const char *line)
{
	struct world *w = ctx;

	if (w->reports++ == 0)
		snprintf(w->report, sizeof(w->report), "%s", line);
}

static struct config *parse(struct world *w)
{
	memset(&w->config, 0xa5, sizeof(w->config));
	config_parse(get, w, w->file, w->file ? strlen(w->file) : 0, &w->config, report, w);
	return &w->config;
}

static struct config *parse_one(struct world *w, const char *name, const char *value)
{
	memset(w, 0, sizeof(*w));
	w->name[0] = name;
	w->value[0] = value;
	return parse(w);
}

static struct world world;

Test(config, nothing_set_gives_the_documented_defaults)
{
	const struct config *c = parse(&world);

	cr_assert_eq(world.reports, 0);
	cr_assert_eq(c->mode, CONFIG_MODE_ON);
	cr_assert_eq(c->nupstreams, 0);
	cr_assert_not(c->upstream_unusable);
	cr_assert_eq(c->tls, CONFIG_TLS_STRICT);
	cr_assert_null(c->tls_ca);
	cr_assert_eq(c->tls_pins.n, 0);
	cr_assert_not(c->private);
	cr_assert_eq(c->cache, CONFIG_CACHE_DEFAULT);
	cr_assert_eq(c->cache_size, 8u << 20);
	cr_assert_eq(c->deadline_ms, 0);
	cr_assert_eq(c->stale_after_ms, 300);
	cr_assert_eq(c->stale_max_s, 86400);
	cr_assert_eq(c->min_ttl_s, 0);
	cr_assert_eq(c->max_ttl_s, 86400);
	cr_assert_not(c->rebind_guard);
	cr_assert_null(c->rebind_allow);
	cr_assert(c->race);
	cr_assert_eq(c->race_delay_ms, 250);
	cr_assert_eq(c->resolution_delay_ms, 50);
	cr_assert_eq(c->log, LOG_ERROR);
	cr_assert_null(c->log_file);
	cr_assert_null(c->trace);
}

/* For each variable one value that is not the default, and one that is not allowed. */
static const struct {
	const char *name, *good, *bad;
} values[] = {
	{"NOBLOCKDNS_MODE", "observe", "On"},
	{"NOBLOCKDNS_UPSTREAM", "udp://192.0.2.1", "192.0.2.1"},
	{"NOBLOCKDNS_TLS", "opportunistic", "maybe"},
	{"NOBLOCKDNS_TLS_CA", "/etc/ca.pem", "ca.pem"},
	{"NOBLOCKDNS_TLS_PIN",
	 "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha256/AAA="},
	{"NOBLOCKDNS_CACHE", "/run/x", "run/x"},
	{"NOBLOCKDNS_CACHE_SIZE", "1048576", "8M"},
	{"NOBLOCKDNS_DEADLINE_MS", "600000", "600001"},
	{"NOBLOCKDNS_STALE_AFTER_MS", "0", "-1"},
	{"NOBLOCKDNS_STALE_MAX", "0", "604801"},
	{"NOBLOCKDNS_MIN_TTL", "5", "0x5"},
	{"NOBLOCKDNS_MAX_TTL", "604800", "99999999999999999999999"},
	{"NOBLOCKDNS_REBIND_GUARD", "on", "yes"},
	{"NOBLOCKDNS_REBIND_ALLOW", "corp.example lan", ".corp.example"},
	{"NOBLOCKDNS_RACE", "off", "0"},
	{"NOBLOCKDNS_RACE_DELAY_MS", "10", "9"},
	{"NOBLOCKDNS_RESOLUTION_DELAY_MS", "10000", "50ms"},
	{"NOBLOCKDNS_LOG", "debug", "trace"},
	{"NOBLOCKDNS_LOG_FILE", "/tmp/log", "log"},
	{"NOBLOCKDNS_TRACE", "/tmp/trace", "on"},
};

#define NVALUES (sizeof(values) / sizeof(values[0]))

Test(config, table_and_test_know_the_same_variables)
{
	cr_assert_eq(NVALUES, CONFIG_NVARIABLES);
	for (size_t i = 0; i < NVALUES; i++)
		cr_assert_str_eq(values[i].name + strlen("NOBLOCKDNS_"), config_variables[i].name);
}

Test(config, good_value_is_taken_without_a_word)
{
	static struct world standard, worlds[NVALUES]; /* each keeps its texts for ever */

	parse(&standard);
	for (size_t i = 0; i < NVALUES; i++) {
		struct world *w = &worlds[i];

		parse_one(w, values[i].name, values[i].good);
		cr_assert_eq(w->reports, 0, "%s", w->report);
		cr_assert_neq(memcmp(&w->config, &standard.config, sizeof(w->config)), 0,
			      "%s=%s changed nothing", values[i].name, values[i].good);
	}
}

Test(config, bad_value_is_reported_once_and_the_default_is_used)
{
	static struct world standard;
	char quoted[64];

	parse(&standard);
	for (size_t i = 0; i < NVALUES; i++) {
		parse_one(&world, values[i].name, values[i].bad);
		snprintf(quoted, sizeof(quoted), "\"%s\"", values[i].bad);
		cr_assert_eq(world.reports, 1, "%s: %u reports", values[i].name, world.reports);
		cr_assert_eq(memcmp(&world.config, &standard.config, sizeof(world.config)), 0,
			     "%s=%s changed something", values[i].name, values[i].bad);
		cr_assert_not_null(strstr(world.report, values[i].name), "%s", world.report);
		cr_assert_not_null(strstr(world.report, quoted), "%s", world.report);
	}
}

Test(config, message_says_what_is_allowed)
{
	parse_one(&world, "NOBLOCKDNS_MODE", "x");
	cr_assert_str_eq(world.report,
			 "NOBLOCKDNS_MODE: \"x\" is not allowed (on, observe or off); "
			 "using the default");
	parse_one(&world, "NOBLOCKDNS_RACE_DELAY_MS", "1");
	cr_assert_not_null(strstr(world.report, "(a whole number from 10 to 2000)"), "%s",
			   world.report);
}

Test(config, long_bad_value_is_cut_in_the_message)
{
	static char value[10000];

	memset(value, 'x', sizeof(value) - 1);
	parse_one(&world, "NOBLOCKDNS_LOG_FILE", value);
	cr_assert_eq(world.reports, 1);
	cr_assert_lt(strlen(world.report), 300);
	cr_assert_not_null(strstr(world.report, "xxx...\""));
}

Test(config, empty_value_is_the_default)
{
	for (size_t i = 0; i < NVALUES; i++) {
		parse_one(&world, values[i].name, "");
		cr_assert_eq(world.reports, 0, "%s", world.report);
	}
}

Test(config, min_ttl_above_max_ttl_is_reported)
{
	world.name[0] = "NOBLOCKDNS_MIN_TTL";
	world.value[0] = "500";
	world.name[1] = "NOBLOCKDNS_MAX_TTL";
	world.value[1] = "100";
	parse(&world);
	cr_assert_eq(world.reports, 1);
	cr_assert_eq(world.config.min_ttl_s, 0);
	cr_assert_eq(world.config.max_ttl_s, 100);
}

Test(config, cache_words)
{
	cr_assert_eq(parse_one(&world, "NOBLOCKDNS_CACHE", "private")->cache, CONFIG_CACHE_PRIVATE);
	cr_assert_eq(parse_one(&world, "NOBLOCKDNS_CACHE", "off")->cache, CONFIG_CACHE_OFF);
	cr_assert_eq(parse_one(&world, "NOBLOCKDNS_CACHE", "/a/b")->cache, CONFIG_CACHE_FILE);
	cr_assert_str_eq(world.config.cache_path, "/a/b");
}

Test(config, domains_are_folded_and_separated_by_one_space)
{
	parse_one(&world, "NOBLOCKDNS_REBIND_ALLOW", " Corp.EXAMPLE \t lan  _x-1.y ");
	cr_assert_eq(world.reports, 0, "%s", world.report);
	cr_assert_str_eq(world.config.rebind_allow, "corp.example lan _x-1.y");
}

Test(config, what_is_no_domain_is_not_allowed)
{
	static const char label63[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char *const bad[] = {".",	 "a.",	 ".a",	      "a..b", "*.a",
					  "a,b", "a b.", "b\xc3\xa4", "a/b",  "a\nb"};
	char text[300];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		parse_one(&world, "NOBLOCKDNS_REBIND_ALLOW", bad[i]);
		cr_expect_eq(world.reports, 1, "\"%s\"", bad[i]);
		cr_expect_null(world.config.rebind_allow, "\"%s\"", bad[i]);
	}
	snprintf(text, sizeof(text), "%s.%s.%s.%.61s", label63, label63, label63, label63);
	cr_expect_str_eq(parse_one(&world, "NOBLOCKDNS_REBIND_ALLOW", text)->rebind_allow, text);
	free((void *)(uintptr_t)world.config.rebind_allow); /* or the next one would lose it */
	snprintf(text, sizeof(text), "%s.%s.%s.%.62s", label63, label63, label63, label63);
	cr_expect_null(parse_one(&world, "NOBLOCKDNS_REBIND_ALLOW", text)->rebind_allow);
	snprintf(text, sizeof(text), "a%s", label63);
	cr_expect_null(parse_one(&world, "NOBLOCKDNS_REBIND_ALLOW", text)->rebind_allow);
}

/*
 * File --------------------------------------------------------------------------------------------
 */

Test(config, file_is_read)
{
	world.file = "# comment = 1\n\n  mode=off\r\nrace_delay_ms =\t300 \n\tlog = info";
	parse(&world);
	cr_assert_eq(world.reports, 0, "%s", world.report);
	cr_assert_eq(world.config.mode, CONFIG_MODE_OFF);
	cr_assert_eq(world.config.race_delay_ms, 300);
	cr_assert_eq(world.config.log, LOG_INFO);
}

Test(config, environment_beats_file)
{
	world.file = "mode = off\n";
	world.name[0] = "NOBLOCKDNS_MODE";
	world.value[0] = "observe";
	cr_assert_eq(parse(&world)->mode, CONFIG_MODE_OBSERVE);
	world.value[0] = "";
	cr_assert_eq(parse(&world)->mode, CONFIG_MODE_ON);
}

Test(config, last_line_of_a_key_wins)
{
	world.file = "mode = bad\nmode = off\n";
	cr_assert_eq(parse(&world)->mode, CONFIG_MODE_OFF);
	cr_assert_eq(world.reports, 0);
}

Test(config, unknown_key_is_reported_with_its_line)
{
	world.file = "mode = off\nmodus = on\n";
	parse(&world);
	cr_assert_eq(world.reports, 1);
	cr_assert_str_eq(world.report, "/etc/noblockdns.conf: line 2: there is no key \"modus\"");
}

Test(config, line_without_equals_is_reported)
{
	world.file = "mode off\n";
	parse(&world);
	cr_assert_eq(world.reports, 1);
	cr_assert_not_null(strstr(world.report, "line 1"));
}

Test(config, bad_value_in_the_file_names_file_and_key)
{
	world.file = "mode = x\n";
	parse(&world);
	cr_assert_eq(world.reports, 1);
	cr_assert_eq(strncmp(world.report, "/etc/noblockdns.conf: mode: \"x\"", 31), 0, "%s",
		     world.report);
}

Test(config, nul_byte_in_the_file_hides_nothing)
{
	static const char text[] = "mode = off\0ly\nlog = info\n";

	config_parse(get, &world, text, sizeof(text) - 1, &world.config, report, &world);
	cr_assert_eq(world.reports, 1);
	cr_assert_eq(world.config.mode, CONFIG_MODE_ON);
	cr_assert_eq(world.config.log, LOG_INFO);
}

/* Whatever the file holds, it is parsed to something that is allowed. */
Test(config, random_files_give_values_within_range)
{
	static const char alphabet[] = "modelg_cahesiztrpu=on \n#0123456789:/[]\t\r%.";
	char text[512] = "";
	unsigned seed = 1;

	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand_r(&seed) % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		config_parse(get, &world, text, len, &world.config, report, &world);
		cr_assert_leq(world.config.mode, CONFIG_MODE_OFF);
		cr_assert_leq(world.config.nupstreams, RESOLVER_MAX_UPSTREAMS);
		cr_assert_geq(world.config.race_delay_ms, 10);
		cr_assert(!world.config.private || config_asks_private(get, &world, text, len));
	}
}

/*
 * Upstreams ---------------------------------------------------------------------------------------
 */

static const char *shown(const struct resolver_upstream *u)
{
	static char text[128];
	static const char *const transports[] = {"udp", "tcp", "tls"};
	char addr[INET6_ADDRSTRLEN];
	const struct sockaddr_in *in = (const struct sockaddr_in *)&u->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&u->addr;

	if (u->addr.ss_family == AF_UNSPEC)
		snprintf(text, sizeof(text), "%s ? %u", transports[u->transport], u->port);
	else if (u->addr.ss_family == AF_INET)
		snprintf(text, sizeof(text), "%s %s %u", transports[u->transport],
			 inet_ntop(AF_INET, &in->sin_addr, addr, sizeof(addr)),
			 ntohs(in->sin_port));
	else
		snprintf(text, sizeof(text), "%s %s%%%u %u", transports[u->transport],
			 inet_ntop(AF_INET6, &in6->sin6_addr, addr, sizeof(addr)),
			 in6->sin6_scope_id, ntohs(in6->sin6_port));
	return text;
}

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

/*
 * Private -----------------------------------------------------------------------------------------
 */

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
