// SPDX-License-Identifier: MIT
/*
 * verb_run.c - `noblockdns run`: becomes CMD, with the shim preloaded and configured. As env(1):
 * 125 where that fails here, 126 and 127 where CMD cannot be executed or found, else CMD's status.
 */
#include "shim/config.h"
#include "shim/tool/json.h"
#include "shim/tool/preload.h"
#include "shim/tool/say.h"
#include "shim/tool/variables.h"
#include "shim/tool/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct values {
	bool print, json;
};

static const struct option_spec options[] = {
	{.name = "print",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, print),
	 .help = "print the variables that would be set, and run nothing"},
	{.name = "json",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, json),
	 .help = "print them as JSON, and run nothing"},
	{0},
};

/* Calls `each` for LD_PRELOAD, then for all that options have set. */
static void each_variable(void (*each)(void *ctx, const char *name, const char *value), void *ctx)
{
	const char *value = getenv("LD_PRELOAD");

	each(ctx, "LD_PRELOAD", value ? value : "");
	for (const struct option_spec *o = variables_options(); o->name; o++) {
		char name[VARIABLES_NAME_MAX];

		variables_name(o, name);
		value = variables_is_set(o) ? getenv(name) : NULL;
		if (value)
			each(ctx, name, value);
	}
}

/* A line that sh(1) understands. */
static void print_line(void *ctx, const char *name, const char *value)
{
	(void)ctx;
	(void)printf("%s='", name);
	for (; *value; value++)
		(void)fputs(*value == '\'' ? "'\\''" : (char[]){*value, '\0'}, stdout);
	(void)puts("'");
}

static void print_member(void *ctx, const char *name, const char *value)
{
	json_text(ctx, name, value);
}

static int print(bool as_json)
{
	struct json j;

	if (!as_json) {
		each_variable(print_line, NULL);
		return TOOL_FINE;
	}
	json_open(&j, stdout);
	json_object(&j, NULL);
	each_variable(print_member, &j);
	json_end(&j);
	return TOOL_FINE;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct values values = {0};
	int first, status = options_parse(verb, argc, argv, &values, &first);
	int error;

	if (status >= 0)
		return status;
	if (first == argc && !values.print && !values.json)
		return say_usage("run: which command? (noblockdns run [OPTION...] [--] CMD...)");
	status = preload_install("run");
	if (status != TOOL_FINE)
		return status;
	if (values.print || values.json)
		return print(values.json);
	(void)execvp(argv[first], argv + first);
	error = errno;
	say("run: cannot execute %s: %s", argv[first], strerror(error));
	return error == ENOENT ? TOOL_NOT_FOUND : TOOL_CANNOT_EXEC;
}

const struct verb verb_run = {
	.name = "run",
	.summary = "run a command with the shim",
	.synopsis = "[OPTION...] [--] CMD [ARGUMENT...]",
	.more = "Sets LD_PRELOAD, keeping what is there, and the variables that options give, then "
		"becomes CMD. The exit status is CMD's; 125 if noblockdns failed, 126 if CMD "
		"cannot be executed, 127 if there is none.",
	.options = options,
	.variables = true,
	.command = true,
	.run = run,
};
