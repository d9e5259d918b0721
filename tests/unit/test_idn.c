// SPDX-License-Identifier: MIT
/*
 * test_idn.c - encoding and decoding in a UTF-8 locale, against the C library where it can be asked
 * without a lookup (a numeric host keeps its name).
 */
#include "shim/idn.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <locale.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void need_utf8(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		cr_skip_test("no C.UTF-8 locale");
}

static void need_libidn2(void)
{
	void *handle = dlopen("libidn2.so.0", RTLD_NOW);

	if (!handle)
		cr_skip_test("no libidn2");
	dlclose(handle);
}

/* Is libidn2 in the process? */
static bool is_loaded(void)
{
	void *handle = dlopen("libidn2.so.0", RTLD_NOW | RTLD_NOLOAD);

	if (handle)
		dlclose(handle);
	return handle != NULL;
}

Test(idn, ascii_is_copied_and_loads_nothing)
{
	static const char *const names[] = {"", "example.com", "A_b-\\ c", "xn--bcher-kva.example"};
	bool before = is_loaded();

	need_utf8();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *got = NULL;

		cr_assert_eq(idn_to_dns(names[i], &got), 0);
		cr_expect_str_eq(got, names[i]);
		cr_expect_neq(got, names[i]);
		free(got);
	}
	cr_expect_eq(is_loaded(), before);
}

Test(idn, to_dns)
{
	static const struct {
		const char *name;
		const char *want; /* NULL: EAI_IDN_ENCODE */
	} cases[] = {
		{"b\xc3\xbc"
		 "cher.example",
		 "xn--bcher-kva.example"},
		{"B\xc3\x9c"
		 "CHER.example",
		 "xn--bcher-kva.example"},
		{"stra\xc3\x9f"
		 "e.example",
		 "xn--strae-oqa.example"},
		{"\xe6\x97\xa5\xe6\x9c\xac.example", "xn--wgv71a.example"},
		{"b\xc3\xbc\\cher.example", NULL}, /* a backslash beside other letters */
		{"b\xfc"
		 "cher.example",
		 NULL}, /* no UTF-8 */
		{"b\xc3", NULL},
		{"\xe2\x98\x83\xef\xbf\xbf.example", NULL}, /* U+FFFF */
	};

	need_utf8();
	need_libidn2();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = NULL;
		int err = idn_to_dns(cases[i].name, &got);

		cr_expect_eq(err, cases[i].want ? 0 : EAI_IDN_ENCODE, "case %zu: %d %s", i, err,
			     got ? got : "");
		if (!err && cases[i].want)
			cr_expect_str_eq(got, cases[i].want, "case %zu: got %s", i, got);
		free(got);
	}
}

Test(idn, from_dns)
{
	static const struct {
		const char *name;
		const char *want;
	} cases[] = {
		{"example.com", "example.com"},
		{"xn--bcher-kva.example", "b\xc3\xbc"
					  "cher.example"},
		{"xn--wgv71a.example", "\xe6\x97\xa5\xe6\x9c\xac.example"},
		{"xn--\x80.example", "xn--\x80.example"},
		{"", ""},
	};

	need_utf8();
	need_libidn2();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = NULL;

		cr_assert_eq(idn_from_dns(cases[i].name, &got), 0, "case %zu", i);
		cr_expect_str_eq(got, cases[i].want, "case %zu: got %s", i, got);
		free(got);
	}
}

/* Where the locale has no such character, decoding gives the name back. */
Test(idn, from_dns_in_another_locale)
{
	char *got = NULL;

	need_libidn2();
	setlocale(LC_CTYPE, "C");
	cr_assert_eq(idn_from_dns("xn--wgv71a.example", &got), 0);
	cr_expect_str_eq(got, "xn--wgv71a.example");
	free(got);
}

/* A numeric host is encoded before it is recognised: the C library says what it thinks of a name
 * without looking it up. */
Test(idn, errors_equal_libc)
{
	static const char *const names[] = {"b\xc3\xbc\\cher",
					    "b\xfc",
					    "b\xc3",
					    "\xe2\x98\x83\xef\xbf\xbf",
					    "example",
					    "b\xc3\xbc"
					    "cher"};

	need_utf8();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_IDN};
		struct addrinfo *list = NULL;
		int want = getaddrinfo(names[i], NULL, &hints, &list);
		char *got = NULL;
		int err = idn_to_dns(names[i], &got);

		cr_expect_eq(err ? err : EAI_NONAME, want, "case %zu: got %d, want %d", i, err,
			     want);
		free(got);
	}
}
