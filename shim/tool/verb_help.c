// SPDX-License-Identifier: MIT
/* verb_help.c - `noblockdns help [VERB]`; with --json, all verbs and their options. */
#include "shim/tool/json.h"
#include "shim/tool/say.h"
#include "shim/tool/verb.h"

struct values {
	bool json;
};

static const struct option_spec options[] = {OPTION_JSON(struct values, json), {0}};

static void option(void *ctx, const struct option_spec *o)
{
	struct json *j = ctx;
	char argument[64];

	option_argument(o, argument, sizeof(argument));
	json_object(j, NULL);
	json_text(j, "name", o->name);
	json_text(j, "argument", option_takes_value(o) ? argument : NULL);
	json_text(j, "help", o->help);
	json_end(j);
}

static void print_verb(struct json *j, const struct verb *verb)
{
	json_object(j, NULL);
	json_text(j, "verb", verb->name);
	json_text(j, "synopsis", verb->synopsis);
	json_text(j, "summary", verb->summary);
	json_array(j, "options");
	options_each(verb, option, j);
	json_end(j);
	json_end(j);
}

static void print(const struct verb *verb)
{
	struct json j;

	json_open(&j, stdout);
	if (verb) {
		print_verb(&j, verb);
		return;
	}
	json_array(&j, NULL);
	for (const struct verb *const *v = verbs(); *v; v++)
		print_verb(&j, *v);
	json_end(&j);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct values values = {0};
	int first, status = options_parse(verb, argc, argv, &values, &first);
	const struct verb *about = NULL;

	if (status >= 0)
		return status;
	if (argc - first > 1)
		return say_usage("help: one verb at a time");
	if (first < argc) {
		about = verb_find(argv[first]);
		if (about == NULL)
			return verb_unknown(argv[first]);
	}
	if (values.json)
		print(about);
	else if (about)
		help_verb(about);
	else
		help_command();
	return TOOL_FINE;
}

const struct verb verb_help = {
	.name = "help",
	.summary = "tell what a verb does",
	.synopsis = "[OPTION...] [VERB]",
	.options = options,
	.run = run,
};
