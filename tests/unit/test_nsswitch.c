// SPDX-License-Identifier: MIT
/*
 * test_nsswitch.c - plans from nsswitch.conf, and the names that a module never answers.
 */
#include "shim/nsswitch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* "module(TUNS) ...": the actions after TRYAGAIN, UNAVAIL, NOTFOUND, SUCCESS; '-' continue, 'r'
 * return, 'm' merge; the parentheses are left out for the default. */
static const char *plan_to_str(const struct nsswitch_plan *plan, char *buf)
{
	char *p = buf;

	*p = '\0';
	for (unsigned i = 0; i < plan->n; i++) {
		const struct nsswitch_entry *e = &plan->entries[i];
		char actions[NSSWITCH_NSTATUS + 1] = {0};

		for (int s = 0; s < NSSWITCH_NSTATUS; s++)
			actions[s] = "-rm"[e->on[s]];
		p += sprintf(p, i ? " %s" : "%s", nsswitch_module_to_str(e->module));
		if (strcmp(actions, "---r") != 0)
			p += sprintf(p, "(%s)", actions);
	}
	return buf;
}

Test(nsswitch, plans)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{NULL, "files dns"},
		{"", "files dns"},
		{"passwd: files\n", "files dns"},
		{"HOSTS: dns\n", "files dns"},
		{"#hosts: dns\n", "files dns"},
		{"hosts", "files dns"},
		{"hosts: dns files\n", "dns files"},
		{"hosts: files", "files"},
		{" \thosts \t:: files\tdns\r\n", "files dns"},
		{"hosts files\n", "files"},
		{"hosts: dns\nhosts: files\n", "files"},
		{"hosts: files mdns4_minimal [NOTFOUND=return] dns\n",
		 "files mdns_minimal(--rr) dns"},
		{"hosts: files myhostname resolve [!UNAVAIL=return] dns\n",
		 "files myhostname foreign(r-rr) dns"},
		{"hosts: files[notfound=RETURN]dns\n", "files(--rr) dns"},
		{"hosts: dns [ NOTFOUND = return  UNAVAIL=continue tryagain=merge ] files\n",
		 "dns(m-rr) files"},
		{"hosts: dns [!SUCCESS=return]\n", "dns(rrrr)"},
		{"hosts: files # dns\n", "files foreign dns"},
		{"hosts: files DNS sss\n", "files foreign foreign"},
		{"hosts: mdns6_minimal mdns_minimal mdns4\n", "mdns_minimal mdns_minimal foreign"},
		/* The source's meaning depends on another's answer: libc's. */
		{"hosts: files [SUCCESS=merge] dns\n", "foreign"},
		{"hosts: files [!NOTFOUND=continue] dns\n", "foreign"},
		/* Nothing to ask. */
		{"hosts:\n", ""},
		{"hosts\n", ""},
		{"hosts: [NOTFOUND=return] files\n", ""},
		/* A file that libc refuses. */
		{"hosts: files [FOO=return] dns\n", "foreign"},
		{"hosts: files [NOTFOUND=no] dns\n", "foreign"},
		{"hosts: files [NOTFOUND return] dns\n", "foreign"},
		{"hosts: files [NOTFOUND=return\n", "foreign"},
		{"hosts: files []\n", "foreign"},
		{"hosts: files\npasswd: files [x\n", "foreign"},
		{"sudoers: files [x\nhosts: files\n", "files"},
	};
	struct nsswitch_plan plan;
	char got[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;

		nsswitch_parse(text, text ? strlen(text) : 0, &plan);
		cr_expect_str_eq(plan_to_str(&plan, got), cases[i].want,
				 "case %zu: got %s, want %s", i, got, cases[i].want);
	}
}

Test(nsswitch, too_long_a_line_ends_foreign)
{
	char text[512] = "hosts:";
	struct nsswitch_plan plan;

	for (unsigned i = 0; i < NSSWITCH_MAX; i++)
		strcat(text, " files");
	nsswitch_parse(text, strlen(text), &plan);
	cr_expect_eq(plan.n, NSSWITCH_MAX);
	cr_expect_eq(plan.entries[NSSWITCH_MAX - 1].module, NSSWITCH_FILES);
	strcat(text, " files");
	nsswitch_parse(text, strlen(text), &plan);
	cr_expect_eq(plan.n, NSSWITCH_MAX);
	cr_expect_eq(plan.entries[NSSWITCH_MAX - 1].module, NSSWITCH_FOREIGN);
}

Test(nsswitch, nul_byte_ends_the_line)
{
	static const char text[] = "hosts: files\0 dns\nservices: db\n";
	struct nsswitch_plan plan;
	char got[512];

	nsswitch_parse(text, sizeof(text) - 1, &plan);
	cr_expect_str_eq(plan_to_str(&plan, got), "files");
}

Test(nsswitch, silent_modules)
{
	static const struct {
		enum nsswitch_module module;
		const char *name;
		const char *hostname;
		int want; /* a status, or -1: has to be asked */
	} cases[] = {
		{NSSWITCH_MDNS_MINIMAL, "example.com", "box", NSSWITCH_UNAVAIL},
		{NSSWITCH_MDNS_MINIMAL, "local", "box", NSSWITCH_UNAVAIL},
		{NSSWITCH_MDNS_MINIMAL, "localhost", "box", NSSWITCH_UNAVAIL},
		{NSSWITCH_MDNS_MINIMAL, "", "box", NSSWITCH_UNAVAIL},
		{NSSWITCH_MDNS_MINIMAL, "printer.local", "box", -1},
		{NSSWITCH_MDNS_MINIMAL, "Printer.LOCAL.", "box", -1},
		{NSSWITCH_MDNS_MINIMAL, "a.printer.local", "box", -1},
		{NSSWITCH_MYHOSTNAME, "example.com", "box", NSSWITCH_NOTFOUND},
		{NSSWITCH_MYHOSTNAME, "boxer", "box", NSSWITCH_NOTFOUND},
		{NSSWITCH_MYHOSTNAME, "xlocalhost", "box", NSSWITCH_NOTFOUND},
		{NSSWITCH_MYHOSTNAME, "localhost.com", "box", NSSWITCH_NOTFOUND},
		{NSSWITCH_MYHOSTNAME, "example.com", NULL, -1},
		{NSSWITCH_MYHOSTNAME, "Box", "box", -1},
		{NSSWITCH_MYHOSTNAME, "box.", "box", -1},
		{NSSWITCH_MYHOSTNAME, "localhost", "box", -1},
		{NSSWITCH_MYHOSTNAME, "a.localhost.", "box", -1},
		{NSSWITCH_MYHOSTNAME, "localhost.localdomain", "box", -1},
		{NSSWITCH_MYHOSTNAME, "a.localhost.localdomain", "box", -1},
		{NSSWITCH_MYHOSTNAME, "_gateway", "box", -1},
		{NSSWITCH_MYHOSTNAME, "_outbound", "box", -1},
		{NSSWITCH_FILES, "example.com", "box", -1},
		{NSSWITCH_DNS, "example.com", "box", -1},
		{NSSWITCH_FOREIGN, "example.com", "box", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum nsswitch_status status;
		bool silent =
			nsswitch_silent(cases[i].module, cases[i].name, cases[i].hostname, &status);

		cr_expect_eq(silent ? (int)status : -1, cases[i].want, "case %zu: %s", i,
			     cases[i].name);
	}
}
