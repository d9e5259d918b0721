// SPDX-License-Identifier: MIT
/*
 * config.c - see config.h. Environment and file yield at most one text for each variable; the table
 * (config_table.h) turns it into a value; what depends on two variables is settled last.
 *
 * An empty value is the default, without a word: it is the way to undo a line of the file.
 */
#include "shim/config.h"

#include "shim/config_table.h"
#include "shim/config_upstream.h"
#include "shim/sys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE_MAX 64	      /* of a variable, with prefix and NUL */
#define TEXT_MAX     PATH_MAX /* no value that is allowed is longer */
#define SHOWN_MAX    80	      /* bytes of a bad value that a message repeats */

/* A piece of the file; text NULL: none. */
struct piece {
	const char *text;
	size_t len;
};

struct parser {
	struct config *config;
	config_report *report;
	void *report_ctx;
	struct piece in_file[CONFIG_NVARIABLES]; /* the last value that the file gives to each */
	bool guard_lost; /* a value that keeps lookups private could not be read */
};

__attribute__((format(printf, 2, 3))) static void complain(const struct parser *p, const char *fmt,
							   ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	p->report(p->report_ctx, line);
}

static struct piece trim(const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)text[0])) {
		text++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	return (struct piece){text, len};
}

/* Index in the table, or -1. Keys are the names in lower case; upper case is accepted as well. */
static int find_key(struct piece key)
{
	for (int i = 0; i < CONFIG_NVARIABLES; i++) {
		const char *name = config_variables[i].name;

		if (strlen(name) == key.len && strncasecmp(name, key.text, key.len) == 0)
			return i;
	}
	return -1;
}

static void parse_line(struct parser *p, unsigned number, struct piece line)
{
	const char *equals = line.len ? memchr(line.text, '=', line.len) : NULL;
	struct piece key;
	int i;

	if (line.len == 0 || line.text[0] == '#')
		return;
	if (!equals) {
		complain(p, CONFIG_FILE ": line %u is not `key = value`", number);
		return;
	}
	key = trim(line.text, (size_t)(equals - line.text));
	i = find_key(key);
	if (i < 0) {
		complain(p, CONFIG_FILE ": line %u: there is no key \"%.*s\"", number,
			 (int)(key.len < SHOWN_MAX ? key.len : SHOWN_MAX), key.text);
		return;
	}
	p->in_file[i] = trim(equals + 1, line.len - (size_t)(equals + 1 - line.text));
}

static void parse_file(struct parser *p, const char *text, size_t len)
{
	unsigned number = 0;

	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t used = newline ? (size_t)(newline - text) : len;

		parse_line(p, ++number, trim(text, used));
		used += newline ? 1 : 0;
		text += used;
		len -= used;
	}
}

/* True: the variable has this value now, or its default for an empty one. */
static bool set(struct parser *p, const struct config_variable *v, struct piece value)
{
	char text[TEXT_MAX];

	if (value.len == 0)
		return true;
	/* A NUL in the file must not hide what follows it. */
	if (value.len >= sizeof(text) || memchr(value.text, '\0', value.len))
		return false;
	memcpy(text, value.text, value.len);
	text[value.len] = '\0';
	return config_variable_set(v, text, p->config);
}

static void reject(const struct parser *p, const struct config_variable *v, struct piece value,
		   const char *where, const char *instead)
{
	char allowed[384];

	config_variable_allowed(v, allowed, sizeof(allowed));
	complain(p, "%s: \"%.*s%s\" is not allowed (%s)%s", where,
		 (int)(value.len < SHOWN_MAX ? value.len : SHOWN_MAX), value.text,
		 value.len > SHOWN_MAX ? "..." : "", allowed, instead);
}

/* Does a list that could not be read ask for encryption? Then its default, clear text, is wrong. */
static bool asks_for_tls(struct piece value)
{
	static const char *const signs[] = {"tls", "https", "quic"};

	for (size_t i = 0; i < value.len; i++)
		for (size_t k = 0; k < sizeof(signs) / sizeof(signs[0]); k++) {
			size_t len = strlen(signs[k]);

			if (len <= value.len - i && strncasecmp(value.text + i, signs[k], len) == 0)
				return true;
		}
	return false;
}

/* Without this value, would a server be believed that the user did not mean? */
static bool guards_tls(const struct config_variable *v)
{
	return v->offset == offsetof(struct config, tls_ca) ||
	       v->offset == offsetof(struct config, tls_pins);
}

/* "NOBLOCKDNS_TLS_CA", or "/etc/noblockdns.conf: tls_ca" */
static void name_source(const struct config_variable *v, bool from_env, char *buf, size_t size)
{
	if (from_env) {
		(void)snprintf(buf, size, CONFIG_PREFIX "%s", v->name);
		return;
	}
	(void)snprintf(buf, size, CONFIG_FILE ": %s", v->name);
	for (char *c = buf + sizeof(CONFIG_FILE); *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

static struct piece value_of(const struct parser *p, int i, const char *env_value)
{
	return env_value ? (struct piece){env_value, strlen(env_value)} : p->in_file[i];
}

static void parse_variable(struct parser *p, int i, const char *env_value)
{
	const struct config_variable *v = &config_variables[i];
	struct piece value = value_of(p, i, env_value);
	char where[VARIABLE_MAX + sizeof(CONFIG_FILE) + 8];
	bool guards;

	if (set(p, v, value))
		return;
	name_source(v, env_value != NULL, where, sizeof(where));
	/* The default of these is less than what was asked for: settle_tls() says what follows. */
	guards = v->kind == CONFIG_KIND_UPSTREAM ? asks_for_tls(value) : guards_tls(v);
	reject(p, v, value, where, guards ? "" : "; using the default");
	p->guard_lost |= guards;
	p->config->private |= guards && v->kind == CONFIG_KIND_UPSTREAM;
}

static void settle_ttl(const struct parser *p)
{
	struct config *c = p->config;

	if (c->min_ttl_s <= c->max_ttl_s)
		return;
	complain(p,
		 CONFIG_PREFIX "MIN_TTL: %u is not allowed (at most " CONFIG_PREFIX
			       "MAX_TTL, %u); using 0",
		 c->min_ttl_s, c->max_ttl_s);
	c->min_ttl_s = 0;
}

static void settle_tls(const struct parser *p)
{
	struct config *c = p->config;

	for (unsigned i = 0; i < c->nupstreams; i++)
		c->private |= c->upstreams[i].transport == RESOLVER_TLS;
	if (c->tls == CONFIG_TLS_OPPORTUNISTIC || c->mode != CONFIG_MODE_ON)
		c->private = false;
	c->upstream_unusable = c->private && p->guard_lost;
	if (!c->upstream_unusable)
		return;
	c->nupstreams = 0;
	complain(p, CONFIG_PREFIX "UPSTREAM asks for tls://, but not as it can be had: no name is "
				  "looked up over the network");
}

/* The value of the variable in the environment, or NULL. snprintf() would cost the first lookup of
 * a process five microseconds, most of them in page faults. */
static const char *from_env(config_getter *get, void *get_ctx, const struct config_variable *v)
{
	char name[VARIABLE_MAX] = CONFIG_PREFIX;

	strncat(name, v->name, sizeof(name) - sizeof(CONFIG_PREFIX));
	return get(get_ctx, name);
}

void config_parse(config_getter *get, void *get_ctx, const char *conf, size_t len,
		  struct config *ret, config_report *report, void *report_ctx)
{
	struct parser p = {.config = ret, .report = report, .report_ctx = report_ctx};

	config_set_defaults(ret);
	if (conf)
		parse_file(&p, conf, len);
	for (int i = 0; i < CONFIG_NVARIABLES; i++)
		parse_variable(&p, i, from_env(get, get_ctx, &config_variables[i]));
	settle_ttl(&p);
	settle_tls(&p);
}

static void keep_quiet(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

bool config_asks_private(config_getter *get, void *get_ctx, const char *conf, size_t len)
{
	struct config config;
	struct parser p = {.config = &config, .report = keep_quiet};
	bool asks = false;

	config_set_defaults(&config);
	if (conf)
		parse_file(&p, conf, len);
	for (int i = 0; i < CONFIG_NVARIABLES; i++) {
		const struct config_variable *v = &config_variables[i];
		struct piece value = value_of(&p, i, from_env(get, get_ctx, v));

		if (v->kind == CONFIG_KIND_UPSTREAM)
			asks = asks_for_tls(value);
		else if (v->kind == CONFIG_KIND_WORD)
			(void)set(&p, v, value);
	}
	return asks && config.tls == CONFIG_TLS_STRICT && config.mode == CONFIG_MODE_ON;
}
