// SPDX-License-Identifier: MIT
/*
 * nsswitch.c - the grammar of nsswitch.conf(5), and what two foreign modules never answer.
 *
 *	database [:] ( source [ "[" ( ["!"] status = action )+ "]" ] )*
 *
 * There are no comments: a `#` after the database begins the name of a source. The last line of a
 * database counts. A line that breaks the grammar, of any database that glibc knows, makes glibc
 * refuse the whole file and fail every lookup; here it makes the plan FOREIGN, so that libc fails
 * in its own words.
 */
#include "shim/nsswitch.h"

#include "shim/lines.h"

#include <string.h>
#include <strings.h>

/* What is left of a line. The text is not NUL-terminated. */
struct cursor {
	const char *p;
	const char *end;
};

static const struct nsswitch_plan plan_default = {
	.n = 2,
	.entries = {{NSSWITCH_FILES, {[NSSWITCH_SUCCESS] = NSSWITCH_RETURN}},
		    {NSSWITCH_DNS, {[NSSWITCH_SUCCESS] = NSSWITCH_RETURN}}},
};

static const struct nsswitch_plan plan_foreign = {
	.n = 1,
	.entries = {{NSSWITCH_FOREIGN, {[NSSWITCH_SUCCESS] = NSSWITCH_RETURN}}},
};

/* Names without pointers, which the loader would have to relocate in every process. */
static const struct {
	char name[sizeof "mdns4_minimal"];
	enum nsswitch_module module;
} modules[] = {
	{"files", NSSWITCH_FILES},
	{"dns", NSSWITCH_DNS},
	{"mdns_minimal", NSSWITCH_MDNS_MINIMAL},
	{"mdns4_minimal", NSSWITCH_MDNS_MINIMAL},
	{"mdns6_minimal", NSSWITCH_MDNS_MINIMAL},
	{"myhostname", NSSWITCH_MYHOSTNAME},
};

static const char *const statuses[NSSWITCH_NSTATUS] = {
	[NSSWITCH_TRYAGAIN] = "TRYAGAIN",
	[NSSWITCH_UNAVAIL] = "UNAVAIL",
	[NSSWITCH_NOTFOUND] = "NOTFOUND",
	[NSSWITCH_SUCCESS] = "SUCCESS",
};

static const char *const actions[] = {
	[NSSWITCH_CONTINUE] = "CONTINUE",
	[NSSWITCH_RETURN] = "RETURN",
	[NSSWITCH_MERGE] = "MERGE",
};

/* glibc's databases: a bad line of another one is never looked at. */
static const char databases[][sizeof "passwd_compat"] = {
	"aliases",    "ethers",	  "group",    "group_compat", "gshadow",       "hosts",
	"initgroups", "netgroup", "networks", "passwd",	      "passwd_compat", "protocols",
	"publickey",  "rpc",	  "services", "shadow",	      "shadow_compat",
};

static bool at_end(const struct cursor *c)
{
	return c->p == c->end;
}

static bool at(const struct cursor *c, char what)
{
	return !at_end(c) && *c->p == what;
}

static void skip_space(struct cursor *c)
{
	while (!at_end(c) && lines_is_space(*c->p))
		c->p++;
}

/* The word up to white space or one of `stops`; may be empty. */
static struct cursor take_word(struct cursor *c, const char *stops)
{
	struct cursor word = {c->p, c->p};

	while (!at_end(c) && !lines_is_space(*c->p) && !strchr(stops, *c->p))
		c->p++;
	word.end = c->p;
	return word;
}

static bool word_is(const struct cursor *word, const char *text)
{
	size_t len = (size_t)(word->end - word->p);

	return len == strlen(text) && memcmp(word->p, text, len) == 0;
}

static int find_keyword(const struct cursor *word, const char *const *table, int n)
{
	size_t len = (size_t)(word->end - word->p);

	for (int i = 0; i < n; i++)
		if (len == strlen(table[i]) && strncasecmp(word->p, table[i], len) == 0)
			return i;
	return -1;
}

static enum nsswitch_module module_of(const struct cursor *word)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (word_is(word, modules[i].name))
			return modules[i].module;
	return NSSWITCH_FOREIGN;
}

/* `! status = action`, inside the brackets. False: bad grammar. */
static bool parse_criterion(struct cursor *c, struct nsswitch_entry *entry)
{
	bool others = at(c, '!');
	struct cursor word;
	int status, action;

	if (others)
		c->p++;
	word = take_word(c, "=]");
	status = find_keyword(&word, statuses, NSSWITCH_NSTATUS);
	skip_space(c);
	if (status < 0 || !at(c, '='))
		return false;
	c->p++;
	skip_space(c);
	word = take_word(c, "=]");
	action = find_keyword(&word, actions, sizeof(actions) / sizeof(actions[0]));
	if (action < 0)
		return false;
	for (int s = 0; s < NSSWITCH_NSTATUS; s++)
		if ((s == status) != others)
			entry->on[s] = (enum nsswitch_action)action;
	skip_space(c);
	return true;
}

/* One source with its criteria. False: bad grammar. */
static bool parse_source(struct cursor *c, struct nsswitch_entry *ret)
{
	struct cursor word = take_word(c, "[");

	*ret = (struct nsswitch_entry){
		.module = module_of(&word),
		.on[NSSWITCH_SUCCESS] = NSSWITCH_RETURN,
	};
	skip_space(c);
	if (!at(c, '['))
		return true;
	c->p++;
	skip_space(c);
	do {
		if (!parse_criterion(c, ret))
			return false;
	} while (!at(c, ']'));
	c->p++;
	return true;
}

/* The sources of one line. False: bad grammar. */
static bool parse_sources(struct cursor *c, struct nsswitch_plan *ret)
{
	struct nsswitch_entry entry;
	bool ours = true;

	ret->n = 0;
	for (skip_space(c); !at_end(c) && !at(c, '['); skip_space(c)) {
		if (!parse_source(c, &entry))
			return false;
		if (entry.on[NSSWITCH_SUCCESS] != NSSWITCH_RETURN)
			ours = false;
		if (ret->n == NSSWITCH_MAX)
			ret->entries[NSSWITCH_MAX - 1] = plan_foreign.entries[0];
		else
			ret->entries[ret->n++] = entry;
	}
	if (!ours)
		*ret = plan_foreign;
	return true;
}

/* One line; *ret changes where it is that of `hosts`. False: glibc refuses the file. */
static bool parse_line(struct cursor *c, struct nsswitch_plan *ret)
{
	struct nsswitch_plan other;
	struct cursor name;

	skip_space(c);
	name = take_word(c, ":");
	if (at_end(c) || name.p == name.end)
		return true;
	while (!at_end(c) && (lines_is_space(*c->p) || *c->p == ':'))
		c->p++;
	if (word_is(&name, "hosts"))
		return parse_sources(c, ret);
	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++)
		if (word_is(&name, databases[i]))
			return parse_sources(c, &other);
	return true;
}

void nsswitch_parse(const char *text, size_t len, struct nsswitch_plan *ret)
{
	const char *end = text ? text + len : NULL;

	*ret = plan_default;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		/* The newline belongs to the line: a database name before it is no bad line. */
		const char *line_end = newline ? newline + 1 : end;
		const char *nul = memchr(text, '\0', (size_t)(line_end - text));
		struct cursor c = {text, nul ? nul : line_end};

		if (!parse_line(&c, ret)) {
			*ret = plan_foreign;
			return;
		}
		text = line_end;
	}
}

/* Does `name`, less one trailing dot, end in `suffix`? */
static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name);
	size_t suffix_len = strlen(suffix);

	if (len > 0 && name[len - 1] == '.')
		len--;
	return len >= suffix_len && strncasecmp(name + len - suffix_len, suffix, suffix_len) == 0;
}

static bool equals(const char *name, const char *other)
{
	size_t len = strlen(other);

	return strncasecmp(name, other, len) == 0 &&
	       (!name[len] || (name[len] == '.' && !name[len + 1]));
}

/*
 * systemd's nss-myhostname answers for the own host name, for localhost in its spellings, and for a
 * few names that its versions do not agree upon: all of them begin with an underscore and have no
 * dot, but for `gateway` of old.
 */
static bool is_for_myhostname(const char *name, const char *hostname)
{
	return equals(name, hostname) || equals(name, "localhost") ||
	       equals(name, "localhost.localdomain") || ends_with(name, ".localhost") ||
	       ends_with(name, ".localhost.localdomain") || equals(name, "gateway") ||
	       name[0] == '_';
}

bool nsswitch_silent(enum nsswitch_module module, const char *name, const char *hostname,
		     enum nsswitch_status *ret_status)
{
	switch (module) {
	case NSSWITCH_MDNS_MINIMAL:
		/* Which names in .local it takes depends on its version and on a DNS query. */
		if (ends_with(name, ".local"))
			return false;
		*ret_status = NSSWITCH_UNAVAIL;
		return true;
	case NSSWITCH_MYHOSTNAME:
		if (!hostname || is_for_myhostname(name, hostname))
			return false;
		*ret_status = NSSWITCH_NOTFOUND;
		return true;
	case NSSWITCH_FILES:
	case NSSWITCH_DNS:
	case NSSWITCH_FOREIGN:
		break;
	}
	return false;
}

const char *nsswitch_module_to_str(enum nsswitch_module module)
{
	switch (module) {
	case NSSWITCH_FILES:
		return "files";
	case NSSWITCH_DNS:
		return "dns";
	case NSSWITCH_MDNS_MINIMAL:
		return "mdns_minimal";
	case NSSWITCH_MYHOSTNAME:
		return "myhostname";
	case NSSWITCH_FOREIGN:
		return "foreign";
	}
	return "?";
}
