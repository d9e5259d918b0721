// SPDX-License-Identifier: MIT
/* test_config.c - values, sources and messages. */
#include "shim/config_table.h"
#include "tests/unit/config_rig.h"

#include <stdlib.h>

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
