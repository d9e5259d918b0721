// SPDX-License-Identifier: MIT
/* help.c - what --help prints, made of the tables of verb.h and options.h. */
#include "shim/tool/terminal.h"
#include "shim/tool/text.h"
#include "shim/tool/verb.h"

#include <stdio.h>
#include <string.h>

#define WIDTH_MAX     100 /* lines longer than this are hard to read on any terminal */
#define INDENT_VERB   14
#define INDENT_OPTION 30

static size_t width(void)
{
	size_t columns = terminal_width(stdout);

	return columns < WIDTH_MAX ? columns : WIDTH_MAX;
}

static void heading(const char *text)
{
	(void)fputc('\n', stdout);
	terminal_write(stdout, TERMINAL_BOLD, text);
	(void)fputc('\n', stdout);
}

/* "  left          right, wrapped" */
static void entry(const char *left, const char *right, size_t indent)
{
	size_t used = text_columns(left) + 2;

	(void)printf("  %s", left);
	if (used + 2 > indent) {
		(void)fputc('\n', stdout);
		used = 0;
	}
	(void)printf("%*s", (int)(indent - used), "");
	text_wrap(stdout, right, indent, width());
}

void help_command(void)
{
	(void)puts("Usage: noblockdns VERB [OPTION...] [OPERAND...]");
	text_wrap(stdout,
		  "Wraps programs in libnoblockdns, so that their name lookups and connects do not "
		  "block, and shows what that changes.",
		  0, width());
	heading("Verbs");
	for (const struct verb *const *v = verbs(); *v; v++)
		entry((*v)->name, (*v)->summary, INDENT_VERB);
	heading("Options");
	entry("-h, --help", "print this and exit", INDENT_VERB);
	entry("--version", "print the version and exit", INDENT_VERB);
	(void)puts("\n`noblockdns VERB --help` tells more of each; so does noblockdns(1).");
}

static void option(void *ctx, const struct option_spec *o)
{
	char argument[64], left[160], letter[8] = "";
	bool *in_variables = ctx;

	if (o->kind == OPTION_VARIABLE && !*in_variables)
		heading("Configuration (the variables of libnoblockdns(7))");
	if (o->kind != OPTION_VARIABLE && *in_variables)
		heading("Other options");
	*in_variables = o->kind == OPTION_VARIABLE;
	option_argument(o, argument, sizeof(argument));
	if (o->letter)
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name,
		       option_takes_value(o) ? " " : "", argument);
	entry(left, o->help, INDENT_OPTION);
}

void help_verb(const struct verb *verb)
{
	bool in_variables = false;

	(void)printf("Usage: noblockdns %s %s\n", verb->name, verb->synopsis);
	(void)printf("%c", text_capital(verb->summary[0]));
	(void)printf("%s.\n", verb->summary + 1);
	if (verb->more) {
		(void)fputc('\n', stdout);
		text_wrap(stdout, verb->more, 0, width());
	}
	heading("Options");
	options_each(verb, option, &in_variables);
}
