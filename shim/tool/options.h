// SPDX-License-Identifier: MIT
/*
 * options.h - the options of a verb: one table says how each is named, what it takes, where its
 * value goes and what --help says of it. getopt_long(3), --help and the shells' completion are
 * driven by that table.
 *
 * How a verb uses it:
 *
 *	struct values { bool json; uint64_t runs; };
 *	static const struct option_spec options[] = {
 *		OPTION_JSON(struct values, json),
 *		{.name = "runs", .kind = OPTION_NUMBER, .argument = "N", .min = 1, .max = 1000,
 *		 .offset = offsetof(struct values, runs), .help = "how often, 5 by default"},
 *		{0},
 *	};
 *
 *	struct values values = {.runs = 5};
 *	int first, status = options_parse(verb, argc, argv, &values, &first);
 *
 *	if (status >= 0)
 *		return status;	      --help was printed, or what is wrong with the command line
 *	... argv[first] to argv[argc - 1] are the operands
 */
#ifndef NOBLOCKDNS_TOOL_OPTIONS_H
#define NOBLOCKDNS_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct verb;

enum option_kind {
	OPTION_SWITCH,	 /* takes nothing; bool */
	OPTION_TEXT,	 /* const char *, borrowed from argv */
	OPTION_NUMBER,	 /* whole, from min to max; uint64_t */
	OPTION_WORD,	 /* one of `words`; its index, as int */
	OPTION_VARIABLE, /* a NOBLOCKDNS_* variable (variables.h); goes into the environment */
};

struct option_spec {
	const char *name; /* without the two hyphens */
	char letter;	  /* a short form, or 0 */
	enum option_kind kind;
	const char *argument; /* what --help calls the value, "FILE" and "DIR" being completed as
			       * such; NULL: the words, or none is taken */
	const char *help;     /* what it does, without a full stop */
	const char *const
		*words;	   /* of OPTION_WORD, and what completion offers else; ends with NULL */
	uint64_t min, max; /* of OPTION_NUMBER */
	size_t offset;	   /* of the value; for OPTION_VARIABLE, of config_variables[] */
};

#define OPTION_JSON(type, member)                                                                  \
	{                                                                                          \
		.name = "json", .kind = OPTION_SWITCH, .offset = offsetof(type, member),           \
		.help = "print JSON"                                                               \
	}

#define OPTIONS_GO_ON (-1)

/*
 * Puts the values of options into `values`, leaving the others as they are, and permutes argv so
 * that operands come last (not with `command`: there the first operand ends the options).
 *
 * OPTIONS_GO_ON and the index of the first operand; or the exit status, everything having been
 * said: TOOL_FINE after --help, TOOL_USAGE for what is not allowed.
 */
int options_parse(const struct verb *verb, int argc, char **argv, void *values, int *ret_first);

/* Does the option take a value? */
bool option_takes_value(const struct option_spec *option);

/* What --help calls its value, "on|off", "N": NUL-terminated, cut to fit; "" where none is taken.
 */
void option_argument(const struct option_spec *option, char *buf, size_t size);

/* Calls `each` for every option of the verb, its own first, then the variables, --help last. */
void options_each(const struct verb *verb,
		  void (*each)(void *ctx, const struct option_spec *option), void *ctx);

#endif
