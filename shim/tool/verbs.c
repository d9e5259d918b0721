// SPDX-License-Identifier: MIT
/* verbs.c - see verb.h. */
#include "shim/tool/verb.h"

#include "shim/tool/nearest.h"
#include "shim/tool/say.h"

#include <string.h>

#define VERBS(each)                                                                                \
	each(run) each(doctor) each(cache) each(stats) each(query) each(compare) each(trace)       \
		each(completion) each(help)

/* Weak: a verb whose file is not linked is not there. */
#define DECLARE(name) extern const struct verb verb_##name __attribute__((weak));
#define ENTRY(name)   &verb_##name,

VERBS(DECLARE)

static const struct verb *const known[] = {VERBS(ENTRY)};

#define NKNOWN (sizeof(known) / sizeof(known[0]))

const struct verb *const *verbs(void)
{
	static const struct verb *linked[NKNOWN + 1];
	size_t n = 0;

	for (size_t i = 0; i < NKNOWN; i++)
		if (known[i] != NULL)
			linked[n++] = known[i];
	return linked;
}

const struct verb *verb_find(const char *name)
{
	for (const struct verb *const *v = verbs(); *v; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

static const char *const *names(void)
{
	static const char *of[NKNOWN + 1];
	const struct verb *const *v = verbs();

	for (size_t i = 0; v[i]; i++)
		of[i] = v[i]->name;
	return of;
}

const char *const *verb_operands(const struct verb *verb)
{
	return verb == &verb_help ? names() : verb->operands;
}

int verb_unknown(const char *name)
{
	const char *near;

	if (name[0] == '-') {
		near = nearest(name, (const char *const[]){"--help", "--version", NULL});
		return near ? say_usage("there is no option %s; did you mean %s?", name, near)
			    : say_usage("there is no option %s before a verb (see noblockdns "
					"--help)",
					name);
	}
	near = nearest(name, names());
	if (near == NULL)
		return say_usage("there is no verb %s (see noblockdns --help)", name);
	return say_usage("there is no verb %s; did you mean %s?", name, near);
}
