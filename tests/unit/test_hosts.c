// SPDX-License-Identifier: MIT
/*
 * test_hosts.c - the index against a table of what glibc 2.36 answers from the same lines, and
 * against a line-by-line model on generated files.
 */
#include "shim/hosts.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char file[] = "127.0.0.1 localhost\n"
			   "::1 localhost ip6-lo\n"
			   "1.2.3.4 A.Example alias1 Multi\n"
			   "2001:db8::1 multi v6a multi\n"
			   "5.6.7.8 multi other\n"
			   "::ffff:9.9.9.9 multi mapped\n"
			   "10.0.0.1 dot.\n"
			   "10.0.0.2\tcr\r\n"
			   "fe80::1%lo scoped\n"
			   "01.2.3.4 octal\n"
			   "1.2.3 short\n"
			   "0.0.0.0 zero\n"
			   "# 10.0.0.9 comment\n"
			   "\n"
			   "10.9.9.9\n"
			   "  10.0.0.3 lead # c alias\n"
			   "10.0.0.5 hash#tag\n"
			   "10.0.0.6 a-name-of-more-than-eight-bytes\n"
			   "10.0.0.4 nonl";

static struct hosts *build(const char *text, size_t len)
{
	struct hosts *hosts;

	cr_assert_eq(hosts_build(text, len, &hosts), 0);
	return hosts;
}

/* "name=address ..." of every line of the walk. */
static const char *walk_to_str(const struct hosts *hosts, const char *name, int family, char *buf)
{
	struct hosts_walk walk;
	struct hosts_line line;
	char addr[INET6_ADDRSTRLEN];
	char *p = buf;

	*p = '\0';
	hosts_walk_start(hosts, name, family, &walk);
	while (hosts_walk_next(&walk, &line)) {
		inet_ntop(line.family, line.addr, addr, sizeof(addr));
		p += sprintf(p, p == buf ? "%s=%s" : " %s=%s", line.name, addr);
	}
	return buf;
}

Test(hosts, walks)
{
	static const struct {
		const char *name;
		int family;
		const char *want;
	} cases[] = {
		{"localhost", AF_UNSPEC, "localhost=127.0.0.1 localhost=::1"},
		{"localhost", AF_INET, "localhost=127.0.0.1 localhost=127.0.0.1"},
		{"LOCALHOST", AF_INET6, "localhost=::1"},
		{"multi", AF_UNSPEC,
		 "A.Example=1.2.3.4 multi=2001:db8::1 multi=5.6.7.8 multi=::ffff:9.9.9.9"},
		{"multi", AF_INET, "A.Example=1.2.3.4 multi=5.6.7.8 multi=9.9.9.9"},
		{"multi", AF_INET6, "multi=2001:db8::1 multi=::ffff:9.9.9.9"},
		{"v6a", AF_INET, ""},
		{"dot", AF_UNSPEC, ""},
		{"dot.", AF_UNSPEC, "dot.=10.0.0.1"},
		{"cr", AF_UNSPEC, "cr=10.0.0.2"},
		{"scoped", AF_UNSPEC, ""},
		{"octal", AF_UNSPEC, ""},
		{"short", AF_UNSPEC, ""},
		{"zero", AF_UNSPEC, "zero=0.0.0.0"},
		{"comment", AF_UNSPEC, ""},
		{"", AF_UNSPEC, "=10.9.9.9"},
		{"lead", AF_UNSPEC, "lead=10.0.0.3"},
		{"alias", AF_UNSPEC, ""},
		{"hash", AF_UNSPEC, "hash=10.0.0.5"},
		{"hash#tag", AF_UNSPEC, ""},
		{"a-NAME-of-more-than-eight-BYTES", AF_UNSPEC,
		 "a-name-of-more-than-eight-bytes=10.0.0.6"},
		{"nonl", AF_UNSPEC, "nonl=10.0.0.4"},
		{"127.0.0.1", AF_UNSPEC, ""},
		{"nosuch", AF_UNSPEC, ""},
	};
	struct hosts *hosts = build(file, sizeof(file) - 1);
	char got[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		walk_to_str(hosts, cases[i].name, cases[i].family, got);
		cr_expect_str_eq(got, cases[i].want, "case %zu, %s: got %s, want %s", i,
				 cases[i].name, got, cases[i].want);
		if (*got)
			cr_expect(hosts_may_have(hosts, cases[i].name), "%s", cases[i].name);
	}
	cr_expect_not(hosts_may_have(hosts, "nosuch"));
	hosts_free(hosts);
}

/* "name: aliases: addresses" */
static const char *hostent_to_str(const struct hostent *h, char *buf)
{
	char *p = buf + sprintf(buf, "%s:", h->h_name);
	char addr[INET6_ADDRSTRLEN];

	for (char **alias = h->h_aliases; *alias; alias++)
		p += sprintf(p, " %s", *alias);
	p += sprintf(p, ":");
	for (char **a = h->h_addr_list; *a; a++)
		p += sprintf(p, " %s", inet_ntop(h->h_addrtype, *a, addr, sizeof(addr)));
	return buf;
}

Test(hosts, hostents)
{
	static const struct {
		const char *name;
		int family;
		bool multi;
		const char *want; /* NULL: -ENOENT */
	} cases[] = {
		{"localhost", AF_INET, true, "localhost: ip6-lo: 127.0.0.1 127.0.0.1"},
		{"localhost", AF_INET, false, "localhost:: 127.0.0.1"},
		{"localhost", AF_INET6, true, "localhost: ip6-lo: ::1"},
		{"multi", AF_INET, true,
		 "A.Example: alias1 Multi other multi mapped multi: 1.2.3.4 5.6.7.8 9.9.9.9"},
		{"multi", AF_INET, false, "A.Example: alias1 Multi: 1.2.3.4"},
		{"multi", AF_INET6, true, "multi: v6a multi mapped: 2001:db8::1 ::ffff:9.9.9.9"},
		{"", AF_INET, true, ":: 10.9.9.9"},
		{"zero", AF_INET6, true, NULL},
		{"nosuch", AF_INET, true, NULL},
	};
	struct hosts *hosts = build(file, sizeof(file) - 1);
	char buf[1024], got[1024];
	struct hostent h;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = hosts_hostent(hosts, cases[i].name, cases[i].family, cases[i].multi, &h,
					buf, sizeof(buf));

		cr_expect_eq(err, cases[i].want ? 0 : -ENOENT, "case %zu", i);
		if (err || !cases[i].want)
			continue;
		cr_expect_str_eq(hostent_to_str(&h, got), cases[i].want,
				 "case %zu: got %s, want %s", i, got, cases[i].want);
		cr_expect_eq(h.h_length, cases[i].family == AF_INET ? 4 : 16);
	}
	hosts_free(hosts);
}

Test(hosts, hostent_fits_exactly_or_says_erange)
{
	struct hosts *hosts = build(file, sizeof(file) - 1);
	char want[1024], got[1024];
	struct hostent h;
	size_t size;
	int err = -ERANGE;

	/* A buffer of its own for each size and misalignment: a checker sees the byte after it. */
	for (size_t shift = 0; shift < 8; shift++) {
		for (size = 0, err = -ERANGE; err == -ERANGE; size++) {
			char *buf = malloc(shift + size);

			err = hosts_hostent(hosts, "multi", AF_INET, true, &h, buf + shift, size);
			if (!err)
				hostent_to_str(&h, got);
			free(buf);
		}
		cr_assert_eq(err, 0);
		if (shift == 0)
			strcpy(want, got);
		cr_expect_str_eq(got, want);
		cr_expect_gt(size, 100);
	}
	hosts_free(hosts);
}

Test(hosts, empty_files)
{
	static const char *const texts[] = {"", "\n", "#\n", "bad line\n", "   ", "1.2.3.4x y\n"};
	char got[64];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct hosts *hosts = build(texts[i], strlen(texts[i]));

		cr_expect_not(hosts_may_have(hosts, "y"));
		cr_expect_str_empty(walk_to_str(hosts, "y", AF_UNSPEC, got));
		hosts_free(hosts);
	}
	struct hosts *none = build(NULL, 0);

	cr_expect_not(hosts_may_have(none, ""));
	hosts_free(none);
	cr_expect_not(hosts_may_have(NULL, "y"));
	cr_expect_str_empty(walk_to_str(NULL, "y", AF_UNSPEC, got));
	hosts_free(NULL);
}

/* What AF_UNSPEC must find: the file read from its start, line by line. */
static const char *model(const char *text, const char *name, char *buf)
{
	char *copy = strdup(text), *lines = copy, *p = buf, *line;

	*p = '\0';
	while ((line = strsep(&lines, "\n"))) {
		char *addr = strtok(line, " "), *first = strtok(NULL, " ");
		bool match = false;

		for (char *word = first; word; word = strtok(NULL, " "))
			match |= strcasecmp(word, name) == 0;
		if (match)
			p += sprintf(p, p == buf ? "%s=%s" : " %s=%s", first, addr);
	}
	free(copy);
	return buf;
}

Test(hosts, index_equals_a_linear_search)
{
	static char text[60000], got[60000], want[60000];
	char name[32];

	for (unsigned seed = 1; seed <= 20; seed++) {
		unsigned lines = 1 + seed * 25;
		char *p = text;

		srand(seed);
		for (unsigned i = 0; i < lines; i++) {
			p += sprintf(p, "10.0.%d.%u", rand() % 256, i % 256);
			for (int n = 1 + rand() % 4; n > 0; n--)
				p += sprintf(p, " %c%d.example", "nN"[rand() % 2], rand() % 40);
			*p++ = '\n';
		}
		*p = '\0';

		struct hosts *hosts = build(text, strlen(text));

		for (int i = 0; i < 45; i++) {
			sprintf(name, "n%d.EXAMPLE", i);
			walk_to_str(hosts, name, AF_UNSPEC, got);
			model(text, name, want);
			cr_assert_str_eq(got, want, "seed %u, %s", seed, name);
			cr_assert_eq(hosts_may_have(hosts, name), *want != '\0');
		}
		hosts_free(hosts);
	}
}

Test(hosts, large_file)
{
	enum { LINES = 100000 };
	char *text = malloc(LINES * 40u);
	char *p = text;
	char name[32], got[64];
	struct hosts *hosts;

	for (int i = 0; i < LINES; i++)
		p += sprintf(p, "0.0.0.0 ad%d.example.net\n", i);
	hosts = build(text, (size_t)(p - text));
	free(text);
	for (int i = 0; i < LINES; i += 997) {
		sprintf(name, "ad%d.example.net", i);
		walk_to_str(hosts, name, AF_INET, got);
		cr_expect(strstr(got, name) == got, "%s: got %s", name, got);
	}
	for (int i = 0; i < LINES; i += 997) {
		sprintf(name, "ad%d.example.org", i);
		cr_expect_str_empty(walk_to_str(hosts, name, AF_INET, got));
	}
	hosts_free(hosts);
}

Test(hosts, line_with_many_names)
{
	enum { NAMES = 20000 };
	char *text = malloc(NAMES * 16u);
	char *p = text + sprintf(text, "1.2.3.4");
	struct hosts_walk walk;
	struct hosts_line line;
	struct hosts *hosts;

	for (int i = 0; i < NAMES; i++)
		p += sprintf(p, " x%d", i);
	hosts = build(text, (size_t)(p - text));
	free(text);
	hosts_walk_start(hosts, "x19999", AF_UNSPEC, &walk);
	cr_assert(hosts_walk_next(&walk, &line));
	cr_expect_eq(line.naliases, NAMES - 1);
	cr_expect_str_eq(line.name, "x0");
	cr_expect_str_eq(line.aliases, "x1");
	cr_expect_not(hosts_walk_next(&walk, &line));
	hosts_free(hosts);
}
