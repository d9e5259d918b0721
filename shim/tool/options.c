// SPDX-License-Identifier: MIT
/*
 * options.c - see options.h. getopt_long(3) gets a table made of ours; what it reports is put into
 * words here, with the option that is meant most likely. Uses getopt's global state: one thread.
 */
#include "shim/tool/options.h"

#include "shim/config_number.h"
#include "shim/tool/nearest.h"
#include "shim/tool/say.h"
#include "shim/tool/variables.h"
#include "shim/tool/verb.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 64	 /* of one verb, with the variables */
#define FIRST_VALUE 1000 /* what getopt_long() returns for the option of index 0: no character */

static const struct option_spec help_option = {
	.name = "help", .letter = 'h', .kind = OPTION_SWITCH, .help = "print this and exit"};

bool option_takes_value(const struct option_spec *option)
{
	return option->kind != OPTION_SWITCH;
}

void option_argument(const struct option_spec *option, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	if (option->argument != NULL || !option_takes_value(option)) {
		(void)snprintf(buf, size, "%s", option->argument ? option->argument : "");
		return;
	}
	for (size_t i = 0; option->words && option->words[i] && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? "|" : "",
					option->words[i]);
}

void options_each(const struct verb *verb,
		  void (*each)(void *ctx, const struct option_spec *option), void *ctx)
{
	for (const struct option_spec *o = verb->options; o && o->name; o++)
		each(ctx, o);
	for (const struct option_spec *o = verb->variables ? variables_options() : NULL;
	     o && o->name; o++)
		each(ctx, o);
	each(ctx, &help_option);
}

struct parser {
	const struct verb *verb;
	const struct option_spec *specs[OPTIONS_MAX];
	size_t n;
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 3];
};

static void add(void *ctx, const struct option_spec *spec)
{
	struct parser *p = ctx;
	char *letter = p->letters + strlen(p->letters);

	if (p->n == OPTIONS_MAX)
		return;
	p->longs[p->n] = (struct option){
		.name = spec->name,
		.has_arg = option_takes_value(spec) ? required_argument : no_argument,
		.val = FIRST_VALUE + (int)p->n,
	};
	p->specs[p->n++] = spec;
	if (spec->letter != 0) {
		*letter++ = spec->letter;
		if (option_takes_value(spec))
			*letter = ':';
	}
}

/* "+": the first operand ends the options. ":": a missing value is told apart. */
static void prepare(struct parser *p, const struct verb *verb)
{
	memset(p, 0, sizeof(*p));
	p->verb = verb;
	(void)snprintf(p->letters, sizeof(p->letters), "%s", verb->command ? "+:" : ":");
	options_each(verb, add, p);
	optind = 0; /* GNU: start anew, also with "+" */
	opterr = 0;
}

static const struct option_spec *find(const struct parser *p, int got)
{
	if (got >= FIRST_VALUE)
		return p->specs[got - FIRST_VALUE];
	for (size_t i = 0; i < p->n; i++)
		if (p->specs[i]->letter == got)
			return p->specs[i];
	return NULL;
}

/* One line: the option is not there, or does not go like this. */
static int explain_unknown(const struct parser *p, const char *word)
{
	const char *names[OPTIONS_MAX + 1];
	const char *near;
	size_t len = strcspn(word, "=");
	char name[64];

	/* A letter among others: `word` may be the one before it. */
	if ((optopt > 0 && optopt < FIRST_VALUE) || strncmp(word, "--", 2) != 0)
		return say_usage("%s: there is no option -%c (see noblockdns %s --help)",
				 p->verb->name, optopt ? optopt : '?', p->verb->name);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len - 2 < 60 ? len - 2 : 60), word + 2);
	for (size_t i = 0; i < p->n; i++) {
		names[i] = p->specs[i]->name;
		if (strcmp(names[i], name) == 0)
			return say_usage("%s: --%s takes no value", p->verb->name, name);
	}
	names[p->n] = NULL;
	near = nearest(name, names);
	if (near == NULL)
		return say_usage("%s: there is no option --%s (see noblockdns %s --help)",
				 p->verb->name, name, p->verb->name);
	return say_usage("%s: there is no option --%s; did you mean --%s?", p->verb->name, name,
			 near);
}

static int set_word(const struct parser *p, const struct option_spec *o, const char *value,
		    void *ret)
{
	const char *near = nearest(value, o->words);
	char allowed[128];

	for (int i = 0; o->words[i]; i++)
		if (strcmp(value, o->words[i]) == 0) {
			memcpy(ret, &i, sizeof(i));
			return OPTIONS_GO_ON;
		}
	option_argument(&(struct option_spec){.kind = OPTION_WORD, .words = o->words}, allowed,
			sizeof(allowed));
	return say_usage("%s: --%s: \"%s\" is not allowed (%s)%s%s%s", p->verb->name, o->name,
			 value, allowed, near ? "; did you mean " : "", near ? near : "",
			 near ? "?" : "");
}

static int set_number(const struct parser *p, const struct option_spec *o, const char *value,
		      void *ret)
{
	uint64_t n;

	if (!config_number_parse(value, o->min, o->max, &n))
		return say_usage("%s: --%s: \"%s\" is not allowed (a whole number from %llu to "
				 "%llu)",
				 p->verb->name, o->name, value, (unsigned long long)o->min,
				 (unsigned long long)o->max);
	memcpy(ret, &n, sizeof(n));
	return OPTIONS_GO_ON;
}

/* Checked at the end: what one may be depends on another. */
static int set_variable(const struct option_spec *o, const char *value)
{
	if (variables_set(o, value) < 0)
		return say_trouble("no memory for --%s", o->name);
	return OPTIONS_GO_ON;
}

static int check_variables(const struct verb *verb)
{
	char why[512];

	if (!verb->variables || variables_check(why, sizeof(why)))
		return OPTIONS_GO_ON;
	return say_usage("%s: %s", verb->name, why);
}

static int set(const struct parser *p, const struct option_spec *o, const char *value, void *values)
{
	void *ret;

	if (o == &help_option) {
		help_verb(p->verb);
		return TOOL_FINE;
	}
	if (o->kind == OPTION_VARIABLE)
		return set_variable(o, value);
	ret = (char *)values + o->offset;
	switch (o->kind) {
	case OPTION_SWITCH:
		*(bool *)ret = true;
		return OPTIONS_GO_ON;
	case OPTION_TEXT:
		*(const char **)ret = value;
		return OPTIONS_GO_ON;
	case OPTION_NUMBER:
		return set_number(p, o, value, ret);
	case OPTION_WORD:
		return set_word(p, o, value, ret);
	case OPTION_VARIABLE:
		break;
	}
	return TOOL_USAGE;
}

int options_parse(const struct verb *verb, int argc, char **argv, void *values, int *ret_first)
{
	struct parser p;
	int got, status;

	prepare(&p, verb);
	while ((got = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1) {
		if (got == ':')
			return say_usage("%s: %s needs a value", verb->name, argv[optind - 1]);
		if (got == '?')
			return explain_unknown(&p, argv[optind - 1]);
		status = set(&p, find(&p, got), optarg, values);
		if (status != OPTIONS_GO_ON)
			return status;
	}
	*ret_first = optind;
	return check_variables(verb);
}
