// SPDX-License-Identifier: MIT
/*
 * test_host_conf.c - the two options of host.conf that still matter.
 */
#include "shim/host_conf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(host_conf, options)
{
	static const struct {
		const char *text;
		struct host_conf_env env;
		bool multi, reorder;
	} cases[] = {
		{NULL, {0}, false, false},
		{"", {0}, false, false},
		{"multi on\n", {0}, true, false},
		{"multi on", {0}, true, false},
		{"multi off\n", {0}, false, false},
		{" \tMULTI\tOn # comment\n", {0}, true, false},
		{"multi ON,\n", {0}, true, false},
		{"multi onx\n", {0}, true, false},
		{"multi\n", {0}, false, false},
		{"multi yes\n", {0}, false, false},
		{"#multi on\n", {0}, false, false},
		{"multi# on\n", {0}, false, false},
		{"multi,on\n", {0}, false, false},
		{"multis on\nmult on\n", {0}, false, false},
		{"multi on\nmulti off\n", {0}, false, false},
		{"order hosts,bind\ntrim .example\nreorder on\nmulti on\n", {0}, true, true},
		{"multi on\n", {.multi = "off", .reorder = "on"}, false, true},
		{"multi on\n", {.multi = "what"}, true, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;
		struct host_conf conf;

		host_conf_parse(text, text ? strlen(text) : 0, &cases[i].env, &conf);
		cr_expect_eq(conf.multi, cases[i].multi, "case %zu", i);
		cr_expect_eq(conf.reorder, cases[i].reorder, "case %zu", i);
	}
}

/* glibc reads 255 bytes at a time: what follows is a line of its own. */
Test(host_conf, long_line_is_cut)
{
	struct host_conf conf;
	char text[512];

	sprintf(text, "%255s%s", "#", "multi on\n");
	host_conf_parse(text, strlen(text), NULL, &conf);
	cr_expect(conf.multi);
	sprintf(text, "%254s%s", "#", "multi on\n");
	host_conf_parse(text, strlen(text), NULL, &conf);
	cr_expect_not(conf.multi);
}
