// SPDX-License-Identifier: MIT
/*
 * test_gai_conf.c - the built-in tables, and what lines of gai.conf do to them. Generated files
 * were compared with glibc 2.36 by the order of its answers.
 */
#include "shim/gai_conf.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static struct in6_addr in6(const char *text)
{
	struct in6_addr addr;

	cr_assert_eq(inet_pton(AF_INET6, text, &addr), 1, "%s", text);
	return addr;
}

static int label(const struct gai_conf *conf, const char *text)
{
	struct in6_addr addr = in6(text);

	return gai_conf_label(conf, &addr);
}

static int precedence(const struct gai_conf *conf, const char *text)
{
	struct in6_addr addr = in6(text);

	return gai_conf_precedence(conf, &addr);
}

static int scope4(const struct gai_conf *conf, const char *text)
{
	return gai_conf_scope4(conf, inet_addr(text));
}

Test(gai_conf, default_tables)
{
	static const struct {
		const char *addr;
		int label, precedence;
	} cases[] = {
		{"::1", 0, 50},		{"::", 3, 20},
		{"::8.8.8.8", 3, 20},	{"::ffff:8.8.8.8", 4, 10},
		{"2002:808::1", 2, 30}, {"2001:0:1::1", 7, 40},
		{"2001:db8::1", 1, 40}, {"fec0::1", 5, 40},
		{"feff::1", 5, 40},	{"fc00::1", 6, 40},
		{"fdff::1", 6, 40},	{"fe80::1", 1, 40},
		{"2a00::1", 1, 40},	{"::1:0:0:0", 1, 40},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(label(&gai_conf_default, cases[i].addr), cases[i].label, "%s",
			     cases[i].addr);
		cr_expect_eq(precedence(&gai_conf_default, cases[i].addr), cases[i].precedence,
			     "%s", cases[i].addr);
	}
	cr_expect_eq(scope4(&gai_conf_default, "169.254.1.1"), 2);
	cr_expect_eq(scope4(&gai_conf_default, "127.9.9.9"), 2);
	cr_expect_eq(scope4(&gai_conf_default, "10.0.0.1"), 14);
}

Test(gai_conf, precedence_lines)
{
	static const struct {
		const char *text;
		int want; /* of 2001:db8::5 */
	} cases[] = {
		{"", 40},
		{"precedence 2001:db8::/32 77\n", 77},
		{"precedence 2001:db8::/32 77", 77},
		{" \tprecedence\t2001:db8::/32   77 junk # c\r\n", 77},
		{"precedence 2001:db8::/32 77 # c\n", 77},
		{"#precedence 2001:db8::/32 77\n", 40},
		{"precedence 2001:db8::/32#77\n", 0},
		{"precedence 2001:db8::/32\n", 0},
		{"Precedence 2001:db8::/32 77\n", 40},
		{"precedence 2001:db8::5 77\n", 40},
		{"precedence 2001:db8::5/128 77\n", 77},
		{"precedence 2001:db8::6/128 77\n", 40},
		{"precedence 2001:db8::4/127 77\n", 77},
		{"precedence 2001:db8::5/129 77\n", 40},
		{"precedence 2001:db8::/-1 77\n", 40},
		{"precedence 2001:db8::/32x 77\n", 40},
		{"precedence 2001:db8::/+32 +77\n", 77},
		{"precedence 9999::/ 77\n", 77},
		{"precedence 2001:db8::/32 -1\n", 40},
		{"precedence 2001:db8::/32 2147483647\n", 2147483647},
		{"precedence 2001:db8::/32 2147483648\n", 40},
		{"precedence 2001:db8::/32 99999999999999999999999\n", 40},
		{"precedence 2001:db8::/32 0x20\n", 40},
		{"precedence 10.0.0.0/8 77\n", 40},
		/* The longest prefix counts, and of equal ones the first. */
		{"precedence ::/0 1\nprecedence 2001:db8::/32 2\nprecedence 2001:db8::/48 3\n"
		 "precedence 2001::/16 4\n",
		 3},
		{"precedence 2001:db8::/32 2\nprecedence 2001:db8::/32 3\n", 2},
		{"precedence ::/0 1\nprecedence ::/0 2\n", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gai_conf conf;
		int got;

		cr_assert_eq(gai_conf_parse(cases[i].text, strlen(cases[i].text), &conf), 0);
		got = precedence(&conf, "2001:db8::5");
		cr_expect_eq(got, cases[i].want, "case %zu: got %d, want %d", i, got,
			     cases[i].want);
		gai_conf_free(&conf);
	}
}

Test(gai_conf, scope_lines)
{
	static const struct {
		const char *text;
		int want; /* of 10.1.2.3 */
	} cases[] = {
		{"scopev4 10.0.0.0/8 5\n", 5},
		{"scopev4 10.255.255.255/8 5\n", 5},
		{"scopev4 ::ffff:10.0.0.0/104 5\n", 5},
		{"scopev4 ::ffff:10.0.0.0/96 5\n", 5},
		{"scopev4 ::ffff:10.0.0.0/95 5\n", 14},
		{"scopev4 ::10.0.0.0/104 5\n", 14},
		{"scopev4 10.1.2.3/32 5\n", 5},
		{"scopev4 10.1.2.3/33 5\n", 14},
		{"scopev4 10.1.2.3 5\n", 14},
		{"scopev4 10.0.0.0/8 5\nscopev4 10.1.0.0/16 6\nscopev4 0.0.0.0/0 7\n", 6},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gai_conf conf;
		int got;

		cr_assert_eq(gai_conf_parse(cases[i].text, strlen(cases[i].text), &conf), 0);
		got = scope4(&conf, "10.1.2.3");
		cr_expect_eq(got, cases[i].want, "case %zu: got %d, want %d", i, got,
			     cases[i].want);
		gai_conf_free(&conf);
	}
}

Test(gai_conf, one_line_replaces_its_table_alone)
{
	static const char text[] = "precedence ::1/128 7\n";
	struct gai_conf conf;

	cr_assert_eq(gai_conf_parse(text, strlen(text), &conf), 0);
	cr_expect_eq(precedence(&conf, "::1"), 7);
	cr_expect_eq(precedence(&conf, "::ffff:1.2.3.4"), 40);
	cr_expect_eq(label(&conf, "::ffff:1.2.3.4"), 4);
	cr_expect_eq(scope4(&conf, "127.0.0.1"), 2);
	gai_conf_free(&conf);

	static const char labels[] = "label 2001:db8::/32 9\nscopev4 10.0.0.0/8 3\n";

	cr_assert_eq(gai_conf_parse(labels, strlen(labels), &conf), 0);
	cr_expect_eq(label(&conf, "2001:db8::1"), 9);
	cr_expect_eq(label(&conf, "::1"), 1);
	cr_expect_eq(scope4(&conf, "127.0.0.1"), 14);
	cr_expect_eq(precedence(&conf, "::1"), 50);
	gai_conf_free(&conf);
}

Test(gai_conf, no_file_is_the_default)
{
	struct gai_conf conf;

	cr_assert_eq(gai_conf_parse(NULL, 0, &conf), 0);
	cr_expect_eq(conf.labels, gai_conf_default.labels);
	cr_expect_null(conf.storage);
	gai_conf_free(&conf);
}
