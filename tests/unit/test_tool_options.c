// SPDX-License-Identifier: MIT
/*
 * test_tool_options.c - tables of options and what command lines make of them, and LD_PRELOAD.
 */
#include "shim/config_table.h"
#include "shim/tool/options.h"
#include "shim/tool/preload.h"
#include "shim/tool/shebang.h"
#include "shim/tool/variables.h"
#include "shim/tool/verb.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values {
	bool json;
	uint64_t runs;
	const char *file;
	int shell;
};

static const struct option_spec options[] = {
	OPTION_JSON(struct values, json),
	{.name = "runs",
	 .letter = 'n',
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = 9,
	 .offset = offsetof(struct values, runs),
	 .help = "how often"},
	{.name = "html",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .offset = offsetof(struct values, file),
	 .help = "write a page"},
	{.name = "shell",
	 .kind = OPTION_WORD,
	 .words = (const char *const[]){"bash", "zsh", NULL},
	 .offset = offsetof(struct values, shell),
	 .help = "which"},
	{0},
};

static const struct verb verb = {.name = "try", .summary = "x", .synopsis = "", .options = options};
static const struct verb command = {.name = "try",
				    .summary = "x",
				    .synopsis = "",
				    .options = options,
				    .variables = true,
				    .command = true};

static struct values values;
static int first;

#define PARSE(verb, ...) parse(verb, (const char *const[]){__VA_ARGS__, NULL})

static int parse(const struct verb *v, const char *const *argv)
{
	static char *copy[16]; /* getopt_long(3) permutes it */
	int argc = 0;

	for (; argv[argc]; argc++)
		copy[argc] = strdup(argv[argc]);
	copy[argc] = NULL;
	return options_parse(v, argc, copy, &values, &first);
}

static void complains(const char *line)
{
	char got[1024] = "";
	FILE *err = cr_get_redirected_stderr();

	fflush(stderr);
	cr_assert_not_null(fgets(got, sizeof(got), err));
	got[strcspn(got, "\n")] = '\0';
	cr_assert_str_eq(got, line);
}

/* A test: this command line is wrong, for that reason. */
#define REFUSES(suite, name, verb, line, ...)                                                      \
	Test(suite, name, .init = cr_redirect_stderr)                                              \
	{                                                                                          \
		cr_assert_eq(PARSE(verb, __VA_ARGS__), TOOL_USAGE);                                \
		complains(line);                                                                   \
	}

Test(tool_options, values_go_where_they_belong)
{
	cr_assert_eq(
		PARSE(&verb, "try", "x", "--json", "--runs=3", "--html", "f", "--shell", "zsh"),
		OPTIONS_GO_ON);
	cr_assert(values.json);
	cr_assert_eq(values.runs, 3);
	cr_assert_str_eq(values.file, "f");
	cr_assert_eq(values.shell, 1);
	cr_assert_eq(first, 7, "got %d", first);
}

Test(tool_options, letter_is_the_same)
{
	cr_assert_eq(PARSE(&verb, "try", "-n", "4"), OPTIONS_GO_ON);
	cr_assert_eq(values.runs, 4);
}

Test(tool_options, command_keeps_its_own)
{
	cr_assert_eq(PARSE(&command, "try", "--runs", "3", "ls", "--json"), OPTIONS_GO_ON);
	cr_assert_not(values.json);
	cr_assert_eq(first, 3);
}

Test(tool_options, hyphens_end_options)
{
	cr_assert_eq(PARSE(&command, "try", "--", "--json"), OPTIONS_GO_ON);
	cr_assert_not(values.json);
	cr_assert_eq(first, 2);
}

REFUSES(tool_options, unknown_one_gets_the_nearest, &verb,
	"noblockdns: try: there is no option --jsn; did you mean --json?", "try", "--jsn")

REFUSES(tool_options, unknown_one_with_value_gets_the_nearest, &command,
	"noblockdns: try: there is no option --stale-mx; did you mean --stale-max?", "try",
	"--stale-mx=7", "ls")

REFUSES(tool_options, unknown_letter_is_named, &verb,
	"noblockdns: try: there is no option -x (see noblockdns try --help)", "try", "-x")

REFUSES(tool_options, unknown_letter_among_others_is_named, &verb,
	"noblockdns: try: there is no option -x (see noblockdns try --help)", "try", "--json",
	"-xh")

REFUSES(tool_options, missing_value_is_named, &verb, "noblockdns: try: --runs needs a value", "try",
	"--runs")

REFUSES(tool_options, switch_takes_no_value, &verb, "noblockdns: try: --json takes no value", "try",
	"--json=1")

REFUSES(tool_options, number_outside_is_refused, &verb,
	"noblockdns: try: --runs: \"10\" is not allowed (a whole number from 1 to 9)", "try",
	"--runs", "10")

REFUSES(tool_options, nearest_word_is_offered, &verb,
	"noblockdns: try: --shell: \"bsh\" is not allowed (bash|zsh); did you mean bash?", "try",
	"--shell", "bsh")

REFUSES(tool_options, escape_sequence_is_not_repeated, &verb,
	"noblockdns: try: --shell: \"\\x1b[2J\" is not allowed (bash|zsh)", "try", "--shell",
	"\033[2J")

/* ---- variables ---- */

Test(tool_variables, each_has_an_option_that_explains_it)
{
	const struct option_spec *o = variables_options();
	char argument[64];

	for (size_t i = 0; i < CONFIG_NVARIABLES; i++, o++) {
		cr_assert_not_null(o->name);
		cr_assert_str_not_empty(o->help, "--%s has no help", o->name);
		option_argument(o, argument, sizeof(argument));
		cr_assert_str_not_empty(argument, "--%s", o->name);
	}
	cr_assert_null(o->name);
}

Test(tool_variables, value_goes_into_the_environment)
{
	cr_assert_eq(PARSE(&command, "try", "--stale-max", "7", "ls"), OPTIONS_GO_ON);
	cr_assert_str_eq(getenv("NOBLOCKDNS_STALE_MAX"), "7");
}

REFUSES(tool_variables, bad_value_is_refused_in_the_shims_words, &command,
	"noblockdns: try: NOBLOCKDNS_MODE: \"maybe\" is not allowed (on, observe or "
	"off)",
	"try", "--mode", "maybe", "ls")

REFUSES(tool_variables, two_that_contradict_are_refused_in_any_order, &command,
	"noblockdns: try: NOBLOCKDNS_MIN_TTL: 9 is not allowed (at most "
	"NOBLOCKDNS_MAX_TTL, 3)",
	"try", "--min-ttl", "9", "--max-ttl", "3", "ls")

Test(tool_variables, bad_one_of_the_environment_is_left_to_the_shim)
{
	setenv("NOBLOCKDNS_LOG", "loud", 1);
	cr_assert_eq(PARSE(&command, "try", "--mode", "off", "ls"), OPTIONS_GO_ON);
}

/* ---- LD_PRELOAD ---- */

static void becomes(const char *old, const char *expected)
{
	char *got = preload_value(old, "/a/libnoblockdns.so");

	cr_assert_str_eq(got, expected);
	free(got);
}

Test(tool_preload, what_is_there_comes_first)
{
	becomes(NULL, "/a/libnoblockdns.so");
	becomes("", "/a/libnoblockdns.so");
	becomes("/x.so /y.so", "/x.so:/y.so:/a/libnoblockdns.so");
	becomes(":/x.so::", "/x.so:/a/libnoblockdns.so");
}

Test(tool_preload, library_is_there_once)
{
	becomes("/a/libnoblockdns.so", "/a/libnoblockdns.so");
	becomes("/b/libnoblockdns.so:/x.so libnoblockdns.so", "/x.so:/a/libnoblockdns.so");
	becomes("/b/mylibnoblockdns.so", "/b/mylibnoblockdns.so:/a/libnoblockdns.so");
}

/* ---- first lines of scripts ---- */

static struct shebang script(const char *text)
{
	struct shebang got;

	if (!shebang_parse(text, strlen(text), &got))
		strcpy(got.program, "(none)");
	return got;
}

Test(tool_shebang, interpreter_is_found)
{
	cr_assert_str_eq(script("#!/bin/sh -e\nls\n").program, "/bin/sh");
	cr_assert_str_eq(script("#!  \t/bin/sh").program, "/bin/sh");
	cr_assert_str_eq(script("#!/usr/bin/env python3\n").program, "python3");
	cr_assert_str_eq(script("#!/usr/bin/env -S -v A=1 node --x\n").program, "node");
	cr_assert_str_eq(script("#!/usr/bin/env -Snode --x\n").program, "node");
	cr_assert_str_eq(script("#!/usr/bin/env -S -u HOME -C / perl\n").program, "perl");
}

Test(tool_shebang, what_is_none_is_none)
{
	cr_assert_str_eq(script("").program, "(none)");
	cr_assert_str_eq(script("#").program, "(none)");
	cr_assert_str_eq(script("#!\n/bin/sh").program, "(none)");
	cr_assert_str_eq(script("#!/usr/bin/env\n").program, "(none)");
	cr_assert_str_eq(script("# !/bin/sh").program, "(none)");
}

Test(tool_shebang, env_that_takes_the_library_out_is_seen)
{
	cr_assert(script("#!/usr/bin/env -iS sh\n").env_clears);
	cr_assert(script("#!/usr/bin/env -S -i sh\n").env_clears);
	cr_assert(script("#!/usr/bin/env -S -u LD_PRELOAD sh\n").env_clears);
	cr_assert(script("#!/usr/bin/env -S LD_PRELOAD= sh\n").env_clears);
	cr_assert_not(script("#!/usr/bin/env -S -u HOME sh\n").env_clears);
	cr_assert_not(script("#!/usr/bin/env python3\n").env_clears);
}

Test(tool_shebang, long_line_is_cut_as_linux_cuts_it)
{
	char text[1000];

	memset(text, 'a', sizeof(text));
	memcpy(text, "#!/", 3);
	text[sizeof(text) - 1] = '\0';
	cr_assert_lt(strlen(script(text).program), SHEBANG_MAX);
}
