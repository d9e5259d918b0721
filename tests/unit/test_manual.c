// SPDX-License-Identifier: MIT
/*
 * test_manual.c - noblockdns.conf(5) says of each key what the configuration table says, and every
 * variable is in libnoblockdns(7) and in the README. Reads them in the current folder, which is the
 * repository's.
 */
#include "shim/config_table.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM	"\n.It Cm " /* of a key; no other list of the page has items like it */
#define KEY_MAX 64

/* Caller frees. */
static char *text_of(const char *path)
{
	char *text = calloc(1, 1 << 17);
	FILE *in = fopen(path, "r");

	cr_assert_not_null(in, "%s", path);
	cr_assert_not_null(text);
	cr_assert_lt(fread(text, 1, (1 << 17) - 1, in), (1 << 17) - 1, "%s", path);
	fclose(in);
	return text;
}

static void lower(const char *name, char ret[KEY_MAX])
{
	cr_assert_lt(strlen(name), KEY_MAX);
	for (size_t i = 0; i <= strlen(name); i++)
		ret[i] = (char)tolower((unsigned char)name[i]);
}

/* What the page says of this key, up to the next one or the end of the list. Caller frees. */
static char *section_of(const char *page, const char *key)
{
	char start[KEY_MAX + 16];
	const char *from, *to;

	snprintf(start, sizeof start, ITEM "%s\n", key);
	from = strstr(page, start);
	cr_assert_not_null(from, "noblockdns.conf(5) does not have %s", key);
	from += strlen(start) - 1;
	to = strstr(from, ITEM);
	if (to == NULL)
		to = strstr(from, "\n.El\n");
	cr_assert_not_null(to);
	return strndup(from, (size_t)(to - from + 1));
}

static void expect(const char *key, const char *section, const char *part)
{
	cr_expect_not_null(strstr(section, part), "%s: \"%s\" is not in \"%s\"", key, part,
			   section);
}

/* A word is `.Cm word`, the default has that said behind it. */
static void expect_word(const char *key, const char *section, const char *word, bool standard)
{
	char part[KEY_MAX];
	const char *at;

	snprintf(part, sizeof part, "\n.Cm %s", word);
	expect(key, section, part);
	at = strstr(section, "default");
	if (!standard || at == NULL)
		return;
	snprintf(part, sizeof part, ".Cm %s\n(default", word);
	expect(key, section, part);
}

static void expect_number(const char *key, const char *section, const struct config_variable *v)
{
	char part[128];

	snprintf(part, sizeof part, "whole number from %" PRIu64 " to %" PRIu64, v->min, v->max);
	expect(key, section, part);
	/* Zero outside of the range: the default is computed, and told in words. */
	if (v->value >= v->min)
		snprintf(part, sizeof part, "; %" PRIu64 " by default", v->value);
	else
		snprintf(part, sizeof part, "The default is");
	expect(key, section, part);
}

static void expect_values(const char *key, const char *section, const struct config_variable *v)
{
	switch (v->kind) {
	case CONFIG_KIND_WORD:
		for (size_t i = 0; v->words[i]; i++)
			expect_word(key, section, v->words[i], i == 0);
		return;
	case CONFIG_KIND_SWITCH:
		expect_word(key, section, "on", v->value);
		expect_word(key, section, "off", !v->value);
		return;
	case CONFIG_KIND_U32:
	case CONFIG_KIND_U64:
		expect_number(key, section, v);
		return;
	case CONFIG_KIND_FOLDER:
		expect_word(key, section, "off", true);
		/* fall through */
	case CONFIG_KIND_PATH:
		expect(key, section, "absolute path");
		expect(key, section, "default");
		return;
	case CONFIG_KIND_CACHE:
		expect(key, section, "absolute path");
		expect_word(key, section, "private", false);
		expect_word(key, section, "off", false);
		expect(key, section, "The default is");
		return;
	case CONFIG_KIND_DOMAINS:
		expect(key, section, "separated by spaces");
		expect(key, section, "None by default");
		return;
	case CONFIG_KIND_PINS:
		expect(key, section, "sha256/");
		expect(key, section, "None by default");
		return;
	case CONFIG_KIND_UPSTREAM:
		for (const char *const *s = (const char *const[]){"udp", "tcp", "tls", NULL}; *s;
		     s++) {
			char part[KEY_MAX];

			snprintf(part, sizeof part, ".Li %s:// Ns Ar address", *s);
			expect(key, section, part);
		}
		expect(key, section, "The default is");
		return;
	}
}

Test(manual, configuration_page_says_what_the_table_says)
{
	char *page = text_of("shim/noblockdns.conf.5");

	for (int i = 0; i < CONFIG_NVARIABLES; i++) {
		char key[KEY_MAX], *section;

		lower(config_variables[i].name, key);
		section = section_of(page, key);
		expect_values(key, section, &config_variables[i]);
		free(section);
	}
	free(page);
}

Test(manual, configuration_page_has_no_other_keys)
{
	char *page = text_of("shim/noblockdns.conf.5");
	int n = 0;

	for (const char *at = page; (at = strstr(at, ITEM)) != NULL; at++)
		n++;
	cr_assert_eq(n, CONFIG_NVARIABLES, "%d items", n);
	free(page);
}

/* What stands before and behind the name of a variable in that text. */
static void expect_variables(const char *path, const char *before, const char *behind)
{
	char *text = text_of(path);

	for (int i = 0; i < CONFIG_NVARIABLES; i++) {
		char part[2 * KEY_MAX];

		snprintf(part, sizeof part, "%s" CONFIG_PREFIX "%s%s", before,
			 config_variables[i].name, behind);
		cr_expect_not_null(strstr(text, part), "%s does not have %s", path, part);
	}
	free(text);
}

Test(manual, every_variable_is_in_the_librarys_page)
{
	expect_variables("shim/libnoblockdns.7", "Ev ", "");
}

Test(manual, every_variable_is_in_the_readme)
{
	expect_variables("README.md", "`", "`");
}
