// SPDX-License-Identifier: MIT
/*
 * verb.h - what a verb of the command is (`noblockdns VERB ...`), and the list of them.
 *
 * Each verb is one file, verb_NAME.c, that defines one constant `verb_NAME`. The list, --help, the
 * shells' completion and the parser are all driven by it; nothing about a verb is written twice.
 */
#ifndef NOBLOCKDNS_TOOL_VERB_H
#define NOBLOCKDNS_TOOL_VERB_H

#include "shim/tool/options.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses. `run` also has those of CMD. */
enum tool_exit {
	TOOL_FINE = 0,
	TOOL_FINDING = 1,   /* what the verb looks for was found: it cannot be wrapped, it stalls */
	TOOL_USAGE = 2,	    /* the command line is wrong */
	TOOL_TROUBLE = 125, /* the command itself failed, as of env(1) and the two below */
	TOOL_CANNOT_EXEC = 126,
	TOOL_NOT_FOUND = 127,
};

struct verb {
	const char *name;
	const char *summary;		   /* one line, without a full stop */
	const char *synopsis;		   /* what follows the name: "[OPTION...] [--] CMD..." */
	const char *more;		   /* what --help says besides, paragraphs; or NULL */
	const struct option_spec *options; /* ends with a NULL name; or NULL */
	bool variables;			   /* an option for each NOBLOCKDNS_* variable, too */
	bool command;			   /* the operands are a command with options of its own */
	const char *const *operands;	   /* words that the first operand may be; or NULL */

	/* argv[0] is the verb's name. Returns an exit status. */
	int (*run)(const struct verb *verb, int argc, char **argv);
};

/* All verbs, in the order of --help; ends with NULL. Static storage. */
const struct verb *const *verbs(void);

/* What the first operand may be, NULL if anything: of `help`, the verbs. Ends with NULL. */
const char *const *verb_operands(const struct verb *verb);

/* NULL: there is none of that name. */
const struct verb *verb_find(const char *name);

/* Says so in one line, with the one that may be meant. TOOL_USAGE. */
int verb_unknown(const char *name);

/* Writes `noblockdns --help`, and `noblockdns VERB --help`, to stdout. */
void help_command(void);
void help_verb(const struct verb *verb);

#endif
