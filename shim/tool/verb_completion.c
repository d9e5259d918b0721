// SPDX-License-Identifier: MIT
/*
 * verb_completion.c - `noblockdns completion bash|zsh`: a script for the shell, made of the tables
 * of verbs and options. What an option's value is comes from its words, or from what --help calls
 * it: FILE or DIR.
 */
#include "shim/tool/nearest.h"
#include "shim/tool/say.h"
#include "shim/tool/verb.h"

#include <stdio.h>
#include <string.h>

#define VALUE_IS(option, what) ((option)->argument && strcmp((option)->argument, what) == 0)

static void print_words(const char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		(void)printf("%s%s", i ? " " : "", words[i]);
}

static void bash_option(void *ctx, const struct option_spec *o)
{
	(void)ctx;
	(void)printf(" --%s", o->name);
}

static void bash_valued(void *ctx, const struct option_spec *o)
{
	if (option_takes_value(o))
		bash_option(ctx, o);
}

static void bash_value(void *ctx, const struct option_spec *o)
{
	const char *verb = ctx;

	if (!option_takes_value(o))
		return;
	(void)printf("\t%s/--%s) ", verb, o->name);
	if (o->words) {
		(void)fputs("COMPREPLY=($(compgen -W '", stdout);
		print_words(o->words);
		(void)fputs("' -- \"$cur\")); ", stdout);
	} else if (VALUE_IS(o, "FILE") || VALUE_IS(o, "DIR")) {
		(void)printf("COMPREPLY=($(compgen -%c -- \"$cur\")); ",
			     VALUE_IS(o, "FILE") ? 'f' : 'd');
	}
	(void)puts("return ;;");
}

static void bash_verb(const struct verb *v)
{
	(void)printf("\t%s)\n\t\toptions='", v->name);
	options_each(v, bash_option, NULL);
	(void)fputs("'\n\t\tvalued='", stdout);
	options_each(v, bash_valued, NULL);
	(void)fputs(" '\n\t\toperands='", stdout);
	print_words(verb_operands(v));
	(void)printf("'\n\t\tcommand=%s ;;\n", v->command ? "yes" : "");
}

static const char bash_begin[] =
	"# bash completion for noblockdns, printed by `noblockdns completion bash`\n"
	"_noblockdns()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i\n"
	"\tlocal verb=${COMP_WORDS[1]} options= valued= operands= command=\n"
	"\tCOMPREPLY=()\n"
	"\t[ \"$cur\" = = ] && cur=\n"
	"\t[ \"$prev\" = = ] && prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	"\t\tCOMPREPLY=($(compgen -W '";

static const char bash_middle[] = "--help --version' -- \"$cur\"))\n"
				  "\t\treturn\n"
				  "\tfi\n"
				  "\tcase $verb in\n";

/* With a command's own options the shell's idea of completing that command helps. */
static const char bash_commands[] = "\tesac\n"
				    "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
				    "\t\t[ -n \"$command\" ] || break\n"
				    "\t\tcase ${COMP_WORDS[i]} in\n"
				    "\t\t--) i=$((i + 1)) ;;\n"
				    "\t\t-*)\n"
				    "\t\t\tif [[ $valued == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
				    "\t\t\t\t[ \"${COMP_WORDS[i + 1]}\" = = ] && i=$((i + 1))\n"
				    "\t\t\t\ti=$((i + 1))\n"
				    "\t\t\tfi\n"
				    "\t\t\tcontinue ;;\n"
				    "\t\tesac\n"
				    "\t\tif declare -F _command_offset >/dev/null; then\n"
				    "\t\t\t_command_offset \"$i\"\n"
				    "\t\telif [ \"$i\" -eq \"$COMP_CWORD\" ]; then\n"
				    "\t\t\tCOMPREPLY=($(compgen -c -- \"$cur\"))\n"
				    "\t\telse\n"
				    "\t\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
				    "\t\tfi\n"
				    "\t\treturn\n"
				    "\tdone\n"
				    "\tcase $verb/$prev in\n";

static const char bash_end[] = "\tesac\n"
			       "\tif [ \"${cur:0:1}\" = - ]; then\n"
			       "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
			       "\telif [ -n \"$operands\" ]; then\n"
			       "\t\tCOMPREPLY=($(compgen -W \"$operands\" -- \"$cur\"))\n"
			       "\telif [ -n \"$command\" ]; then\n"
			       "\t\tCOMPREPLY=($(compgen -c -- \"$cur\"))\n"
			       "\telse\n"
			       "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
			       "\tfi\n"
			       "}\n"
			       "complete -o filenames -F _noblockdns noblockdns\n";

static void print_bash(void)
{
	(void)fputs(bash_begin, stdout);
	for (const struct verb *const *v = verbs(); *v; v++)
		(void)printf("%s ", (*v)->name);
	(void)fputs(bash_middle, stdout);
	for (const struct verb *const *v = verbs(); *v; v++)
		bash_verb(*v);
	(void)fputs(bash_commands, stdout);
	for (const struct verb *const *v = verbs(); *v; v++)
		options_each(*v, bash_value, (void *)(*v)->name);
	(void)fputs(bash_end, stdout);
}

/* In a spec of _arguments, within single quotes. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			(void)fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			(void)printf("\\%c", *text);
		else
			(void)fputc(*text, stdout);
	}
}

static void zsh_option(void *ctx, const struct option_spec *o)
{
	(void)ctx;
	(void)printf(" \\\n\t\t\t'--%s%s[", o->name, option_takes_value(o) ? "=" : "");
	zsh_text(o->help);
	(void)fputc(']', stdout);
	if (option_takes_value(o)) {
		(void)fputs(":", stdout);
		zsh_text(o->argument ? o->argument : "value");
		(void)fputs(":", stdout);
		if (o->words) {
			(void)fputc('(', stdout);
			print_words(o->words);
			(void)fputc(')', stdout);
		} else if (VALUE_IS(o, "FILE") || VALUE_IS(o, "DIR")) {
			(void)fputs(VALUE_IS(o, "FILE") ? "_files" : "_files -/", stdout);
		}
	}
	(void)fputc('\'', stdout);
}

static void zsh_verb(const struct verb *v)
{
	(void)printf("\t%s)\n\t\t_arguments -S", v->name);
	options_each(v, zsh_option, NULL);
	if (v->command)
		(void)fputs(" \\\n\t\t\t'(-)1:command:_command_names -e'"
			    " \\\n\t\t\t'*::arguments:_normal'",
			    stdout);
	if (verb_operands(v)) {
		(void)fputs(" \\\n\t\t\t'1:operand:(", stdout);
		print_words(verb_operands(v));
		(void)fputs(")'", stdout);
	}
	if (!v->command)
		(void)fputs(" \\\n\t\t\t'*:operand:_files'", stdout);
	(void)puts(" ;;");
}

static void print_zsh(void)
{
	(void)puts("#compdef noblockdns\n"
		   "# zsh completion for noblockdns, printed by `noblockdns completion zsh`\n"
		   "_noblockdns()\n"
		   "{\n"
		   "\tlocal curcontext=$curcontext state line verb\n"
		   "\tlocal -a verbs=(");
	for (const struct verb *const *v = verbs(); *v; v++) {
		(void)printf("\t\t'%s:", (*v)->name);
		zsh_text((*v)->summary);
		(void)puts("'");
	}
	(void)puts("\t)\n"
		   "\tif ((CURRENT == 2)); then\n"
		   "\t\t_describe verb verbs\n"
		   "\t\t_arguments '--help[print help]' '--version[print the version]'\n"
		   "\t\treturn\n"
		   "\tfi\n"
		   "\tverb=$words[2]\n"
		   "\tshift words\n"
		   "\t((CURRENT--))\n"
		   "\tcase $verb in");
	for (const struct verb *const *v = verbs(); *v; v++)
		zsh_verb(*v);
	(void)puts("\tesac\n"
		   "}\n"
		   "if [ \"$funcstack[1]\" = _noblockdns ]; then\n"
		   "\t_noblockdns \"$@\"\n"
		   "else\n"
		   "\tcompdef _noblockdns noblockdns\n"
		   "fi");
}

static const char *const shells[] = {"bash", "zsh", NULL};

static int run(const struct verb *verb, int argc, char **argv)
{
	int first, status = options_parse(verb, argc, argv, NULL, &first);
	const char *near;

	if (status >= 0)
		return status;
	if (argc - first != 1)
		return say_usage("completion: for which shell? (%s)", verb->synopsis);
	if (strcmp(argv[first], "bash") == 0) {
		print_bash();
		return TOOL_FINE;
	}
	if (strcmp(argv[first], "zsh") == 0) {
		print_zsh();
		return TOOL_FINE;
	}
	near = nearest(argv[first], shells);
	return near ? say_usage("completion: there is none for %s; did you mean %s?", argv[first],
				near)
		    : say_usage("completion: there is none for %s (%s)", argv[first],
				verb->synopsis);
}

const struct verb verb_completion = {
	.name = "completion",
	.summary = "print a completion script for a shell",
	.synopsis = "bash|zsh",
	.more = "In a shell, for this session: source <(noblockdns completion bash)",
	.operands = shells,
	.run = run,
};
