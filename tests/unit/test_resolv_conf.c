// SPDX-License-Identifier: MIT
/*
 * test_resolv_conf.c - what becomes of a resolv.conf. The expectations are what glibc 2.36's
 * res_init() made of the same files; what it reads from the environment is compared with it here.
 */
#include "shim/resolv_conf.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct resolv_conf parse(const char *text, const struct resolv_env *env)
{
	struct resolv_conf conf;

	cr_assert_eq(resolv_conf_parse(text, text ? strlen(text) : 0, env, &conf), 0);
	return conf;
}

/* "address[%scope] ..." */
static const char *servers_of(const struct resolv_conf *conf, char *buf)
{
	char *p = buf;

	*p = '\0';
	for (unsigned i = 0; i < conf->nservers; i++) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)&conf->servers[i];
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)in4;
		char addr[INET6_ADDRSTRLEN];
		bool is4 = in4->sin_family == AF_INET;

		cr_assert_eq(ntohs(in4->sin_port), 53);
		inet_ntop(in4->sin_family, is4 ? (const void *)&in4->sin_addr : &in6->sin6_addr,
			  addr, sizeof(addr));
		p += sprintf(p, i ? " %s" : "%s", addr);
		if (!is4 && in6->sin6_scope_id)
			p += sprintf(p, "%%%u", in6->sin6_scope_id);
	}
	return buf;
}

/* "[domain][domain]..." */
static const char *search_of(const struct resolv_conf *conf, char *buf)
{
	char *p = buf;

	*p = '\0';
	for (unsigned i = 0; i < conf->nsearch; i++)
		p += sprintf(p, "[%s]", conf->search[i]);
	return buf;
}

Test(resolv_conf, servers)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{NULL, "127.0.0.1"},
		{"", "127.0.0.1"},
		{"nameserver 1.2.3.4", "1.2.3.4"},
		{"nameserver\t1.2.3.5 junk\n", "1.2.3.5"},
		{" nameserver 1.2.3.4\n", "127.0.0.1"},
		{"nameservers 1.2.3.4\n", "127.0.0.1"},
		{"nameserver\n", "127.0.0.1"},
		{"#nameserver 1.2.3.4\n;nameserver 1.2.3.5\n", "127.0.0.1"},
		{"nameserver 1.2.3.4\r\n", "127.0.0.1"},
		{"nameserver 1.2.3.300\nnameserver 1.2.3.4#53\nnameserver [::1]\n", "127.0.0.1"},
		{"nameserver 1\nnameserver 0x7f000001\nnameserver 01.2.3.4\n",
		 "0.0.0.1 127.0.0.1 1.2.3.4"},
		{"nameserver ::1\nnameserver ::ffff:1.2.3.4\n", "::1 ::ffff:1.2.3.4"},
		{"nameserver fe80::1%lo\nnameserver fe80::1%3\nnameserver fe80::1%nosuch\n",
		 "fe80::1%1 fe80::1%3 fe80::1"},
		{"nameserver 2001:db8::1%5\nnameserver 2001:db8::2%5x\nnameserver 2001:db8::3%lo\n",
		 "2001:db8::1%5 2001:db8::2 2001:db8::3"},
		{"nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n",
		 "1.1.1.1 2.2.2.2 3.3.3.3"},
	};
	char got[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct resolv_conf conf = parse(cases[i].text, NULL);

		cr_expect_str_eq(servers_of(&conf, got), cases[i].want, "case %zu: got %s, want %s",
				 i, got, cases[i].want);
		resolv_conf_free(&conf);
	}
}

Test(resolv_conf, search_list)
{
	static const struct {
		const char *text;
		struct resolv_env env;
		const char *want;
	} cases[] = {
		{"", {0}, ""},
		{"", {.hostname = "box"}, ""},
		{"", {.hostname = "box.example.org"}, "[example.org]"},
		{"search a\n", {.hostname = "box.example.org"}, "[a]"},
		{"search a b\tc  d \n", {0}, "[a][b][c][d]"},
		{"search a b", {0}, "[a][b]"},
		{"search a b c d e f g h\n", {0}, "[a][b][c][d][e][f][g][h]"},
		{"search x\r\n", {0}, "[x\r]"},
		{"search .\n", {0}, "[.]"},
		{"search a\nsearch\nsearch \nsearchb\n", {0}, "[a]"},
		{"domain a b\n", {0}, "[a]"},
		{"search a b\ndomain c\n", {0}, "[c]"},
		{"domain c\nsearch a b\n", {0}, "[a][b]"},
		{"search a\ndomain b\n", {.localdomain = "x y  z "}, "[x][y][z]"},
		{"search a\n", {.localdomain = ""}, "[]"},
		{"search a\n", {.localdomain = " x"}, "[][x]"},
		{"", {.localdomain = "a\nb"}, "[a]"},
		{"", {.localdomain = "", .hostname = "box.example.org"}, "[]"},
	};
	char got[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct resolv_conf conf = parse(cases[i].text, &cases[i].env);

		cr_expect_str_eq(search_of(&conf, got), cases[i].want, "case %zu: got %s, want %s",
				 i, got, cases[i].want);
		resolv_conf_free(&conf);
	}
}

Test(resolv_conf, search_list_has_no_limit)
{
	static char text[80000] = "search";
	struct resolv_conf conf;
	char *p = text + strlen(text);

	for (unsigned i = 0; i < 5000; i++)
		p += sprintf(p, " d%u.example", i);
	conf = parse(text, NULL);
	cr_expect_eq(conf.nsearch, 5000);
	cr_expect_str_eq(conf.search[4999], "d4999.example");
	resolv_conf_free(&conf);
}

Test(resolv_conf, numeric_options)
{
	static const struct {
		const char *text;
		unsigned ndots, timeout_s, attempts;
	} cases[] = {
		{"", 1, 5, 2},
		{"options ndots:3 timeout:7 attempts:4\n", 3, 7, 4},
		{"options ndots:20 timeout:99 attempts:9\n", 15, 30, 5},
		{"options ndots:0 timeout:0 attempts:0\n", 0, 0, 0},
		{"options ndots:-1 timeout:-5 attempts:-3\n", 15, 0, 0},
		{"options ndots:3x timeout:abc\toptions attempts:1\n", 3, 0, 1},
		{"options ndots:2\noptions timeout:3\n", 2, 3, 2},
		{"options  \tndots:2,timeout:3\n", 2, 5, 2},
		{"optionsndots:2\n options ndots:2\n", 1, 5, 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct resolv_conf conf = parse(cases[i].text, NULL);

		cr_expect_eq(conf.ndots, cases[i].ndots, "case %zu: ndots %u", i, conf.ndots);
		cr_expect_eq(conf.timeout_s, cases[i].timeout_s, "case %zu: timeout %u", i,
			     conf.timeout_s);
		cr_expect_eq(conf.attempts, cases[i].attempts, "case %zu: attempts %u", i,
			     conf.attempts);
		resolv_conf_free(&conf);
	}
}

/* One letter a flag. */
static const char *flags_of(const struct resolv_conf *conf, char *p)
{
	char *start = p;

	if (conf->rotate)
		*p++ = 'r';
	if (conf->use_vc)
		*p++ = 'v';
	if (conf->edns0)
		*p++ = 'e';
	if (conf->no_aaaa)
		*p++ = '4';
	if (conf->trust_ad)
		*p++ = 'a';
	if (conf->single_request)
		*p++ = 's';
	if (conf->single_request_reopen)
		*p++ = 'o';
	if (conf->no_tld_query)
		*p++ = 't';
	if (conf->no_reload)
		*p++ = 'n';
	if (conf->has_sortlist)
		*p++ = 'l';
	*p = '\0';
	return start;
}

Test(resolv_conf, flags)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{"", ""},
		{"options rotate use-vc edns0 no-aaaa trust-ad no-reload\n", "rve4an"},
		{"options single-request\n", "s"},
		{"options single-request-reopen\n", "o"},
		{"options no_tld_query\n", "t"},
		{"options no-tld-query\n", "t"},
		{"options rotatefoo edns\n", "r"},
		{"options Rotate xrotate\n", ""},
		{"sortlist 1.2.3.4\n", "l"},
		{"sortlist bogus 130.155.160.0/255.255.240.0\n", "l"},
		{"sortlist bogus ; 1.2.3.4\n", ""},
		{"sortlist /1.2.3.4\n", ""},
	};
	char got[16];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct resolv_conf conf = parse(cases[i].text, NULL);

		cr_expect_str_eq(flags_of(&conf, got), cases[i].want, "case %zu: got %s, want %s",
				 i, got, cases[i].want);
		resolv_conf_free(&conf);
	}
}

Test(resolv_conf, nul_byte_hides_the_rest_of_its_line_only)
{
	static const char text[] = "nameserver 1.1.1.1\0x\nsearch a\0b\nnameserver 2.2.2.2\n";
	struct resolv_conf conf;
	char got[256];

	cr_assert_eq(resolv_conf_parse(text, sizeof(text) - 1, NULL, &conf), 0);
	cr_expect_str_eq(servers_of(&conf, got), "1.1.1.1 2.2.2.2");
	cr_expect_str_eq(search_of(&conf, got), "[a]");
	resolv_conf_free(&conf);
}

/* libc reads the machine's own file; so do we. */
static size_t read_machine_file(char *buf, size_t size)
{
	FILE *f = fopen("/etc/resolv.conf", "re");
	size_t len = f ? fread(buf, 1, size, f) : 0;

	if (f)
		fclose(f);
	return len;
}

/* A non-default value beforehand makes libc parse again instead of taking what it has cached. */
static void init_libc(void)
{
	memset(&_res, 0, sizeof(_res));
	_res.retrans = 29;
	_res.retry = 2;
	cr_assert_eq(res_init(), 0);
}

Test(resolv_conf, environment_overrides_options_like_libc)
{
	static const char *const values[] = {
		"timeout:4 ndots:4 no-aaaa",	"timeout:3 ndots:-2",
		"attempts:3 timeout:-1 rotate", "ndots:9\nuse-vc timeout:0",
		"\tsingle-request timeout:6",	"ndots:16 attempts:5 timeout:30 trust-ad edns0",
	};
	static char text[65536];
	size_t len = read_machine_file(text, sizeof(text));

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct resolv_env env = {.res_options = values[i]};
		struct resolv_conf conf;

		setenv("RES_OPTIONS", values[i], 1);
		init_libc();
		cr_assert_eq(resolv_conf_parse(text, len, &env, &conf), 0);
		cr_expect_eq(conf.nservers, (unsigned)_res.nscount, "%s", values[i]);
		cr_expect_eq(conf.ndots, _res.ndots, "%s", values[i]);
		cr_expect_eq(conf.attempts, (unsigned)_res.retry, "%s", values[i]);
		cr_expect_eq((int)conf.timeout_s, _res.retrans < 0 ? 0 : _res.retrans, "%s",
			     values[i]);
		cr_expect_eq(conf.rotate, (_res.options & RES_ROTATE) != 0, "%s", values[i]);
		cr_expect_eq(conf.use_vc, (_res.options & RES_USEVC) != 0, "%s", values[i]);
		cr_expect_eq(conf.edns0, (_res.options & RES_USE_EDNS0) != 0, "%s", values[i]);
		cr_expect_eq(conf.single_request, (_res.options & RES_SNGLKUP) != 0, "%s",
			     values[i]);
		cr_expect_eq(conf.trust_ad, (_res.options & RES_TRUSTAD) != 0, "%s", values[i]);
		cr_expect_eq(conf.no_aaaa, (_res.options & RES_NOAAAA) != 0, "%s", values[i]);
		resolv_conf_free(&conf);
	}
}
