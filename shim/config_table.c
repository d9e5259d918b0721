// SPDX-License-Identifier: MIT
/*
 * config_table.c - the variables, and one function for each kind of value.
 */
#include "shim/config_table.h"

#include "shim/cache.h"
#include "shim/config_base64.h"
#include "shim/config_domains.h"
#include "shim/config_number.h"
#include "shim/config_upstream.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PLAIN(text, value_kind, member)                                                            \
	{                                                                                          \
		.name = (text), .kind = CONFIG_KIND_##value_kind,                                  \
		.offset = offsetof(struct config, member)                                          \
	}
#define WORDS(text, member, ...)                                                                   \
	{                                                                                          \
		.name = (text), .kind = CONFIG_KIND_WORD,                                          \
		.offset = offsetof(struct config, member), .words = LIST(__VA_ARGS__)              \
	}
#define NUMBER(text, value_kind, member, least, most, standard)                                    \
	{                                                                                          \
		.name = (text), .kind = CONFIG_KIND_##value_kind,                                  \
		.offset = offsetof(struct config, member), .min = (least), .max = (most),          \
		.value = (standard)                                                                \
	}

/* clang-format off */
const struct config_variable config_variables[CONFIG_NVARIABLES] = {
	WORDS("MODE", mode, "on", "observe", "off"),
	PLAIN("UPSTREAM", UPSTREAM, upstreams),
	WORDS("TLS", tls, "strict", "opportunistic"),
	PLAIN("TLS_CA", PATH, tls_ca),
	PLAIN("TLS_PIN", PINS, tls_pins),
	PLAIN("CACHE", CACHE, cache),
	NUMBER("CACHE_SIZE", U64, cache_size, CACHE_SIZE_MIN, CACHE_SIZE_MAX, CACHE_SIZE_DEFAULT),
	NUMBER("DEADLINE_MS", U32, deadline_ms, 1, 600000, 0),
	NUMBER("STALE_AFTER_MS", U32, stale_after_ms, 0, 60000, 300),
	/* RFC 8767 section 4: a week at most, for what is stale and as the cap of a TTL. */
	NUMBER("STALE_MAX", U32, stale_max_s, 0, 604800, 86400),
	NUMBER("MIN_TTL", U32, min_ttl_s, 0, 604800, 0),
	NUMBER("MAX_TTL", U32, max_ttl_s, 0, 604800, 86400),
	NUMBER("REBIND_GUARD", SWITCH, rebind_guard, 0, 0, false),
	PLAIN("REBIND_ALLOW", DOMAINS, rebind_allow),
	NUMBER("RACE", SWITCH, race, 0, 0, true),
	/* RFC 8305 section 8: never under 10 ms, 2 s at most. */
	NUMBER("RACE_DELAY_MS", U32, race_delay_ms, 10, 2000, 250),
	NUMBER("RESOLUTION_DELAY_MS", U32, resolution_delay_ms, 0, 10000, 50),
	WORDS("LOG", log, "error", "warn", "info", "debug"),
	PLAIN("LOG_FILE", PATH, log_file),
	PLAIN("TRACE", FOLDER, trace),
};
/* clang-format on */

/* Adds to the text in `buf`, cut to fit. */
__attribute__((format(printf, 3, 4))) static void append(char *buf, size_t size, const char *fmt,
							 ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf + len, size - len, fmt, ap);
	va_end(ap);
}

/* "on, observe or off" */
static void append_words(char *buf, size_t size, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		append(buf, size, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
}

void config_variable_allowed(const struct config_variable *v, char *buf, size_t size)
{
	buf[0] = '\0';
	switch (v->kind) {
	case CONFIG_KIND_WORD:
		append_words(buf, size, v->words);
		return;
	case CONFIG_KIND_SWITCH:
		append(buf, size, "on or off");
		return;
	case CONFIG_KIND_U32:
	case CONFIG_KIND_U64:
		append(buf, size, "a whole number from %llu to %llu", (unsigned long long)v->min,
		       (unsigned long long)v->max);
		return;
	case CONFIG_KIND_PATH:
		append(buf, size, "an absolute path");
		return;
	case CONFIG_KIND_FOLDER:
		append(buf, size, "an absolute path or off");
		return;
	case CONFIG_KIND_DOMAINS:
		append(buf, size, "domains like corp.example, separated by spaces");
		return;
	case CONFIG_KIND_PINS:
		append(buf, size, "sha256/BASE64 of a key, up to 8 separated by spaces");
		return;
	case CONFIG_KIND_CACHE:
		append(buf, size, "an absolute path, private or off");
		return;
	case CONFIG_KIND_UPSTREAM:
		append(buf, size, CONFIG_UPSTREAM_ALLOWED);
		return;
	}
}

static void *member(struct config *config, const struct config_variable *v)
{
	return (char *)config + v->offset;
}

static void set_number(const struct config_variable *v, uint64_t n, struct config *ret)
{
	uint32_t small = (uint32_t)n;

	if (v->kind == CONFIG_KIND_U64)
		memcpy(member(ret, v), &n, sizeof(n));
	else
		memcpy(member(ret, v), &small, sizeof(small));
}

/* Texts, lists and words start at zero, which is their default. */
void config_set_defaults(struct config *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < CONFIG_NVARIABLES; i++) {
		const struct config_variable *v = &config_variables[i];

		if (v->kind == CONFIG_KIND_SWITCH)
			*(bool *)member(ret, v) = v->value;
		else if (v->kind == CONFIG_KIND_U32 || v->kind == CONFIG_KIND_U64)
			set_number(v, v->value, ret);
	}
}

static bool parse_word(const struct config_variable *v, const char *value, struct config *ret)
{
	for (int i = 0; v->words[i]; i++) {
		if (strcmp(value, v->words[i]) == 0) {
			memcpy(member(ret, v), &i, sizeof(i));
			return true;
		}
	}
	return false;
}

static bool parse_switch(const struct config_variable *v, const char *value, struct config *ret)
{
	bool on = strcmp(value, "on") == 0;

	if (!on && strcmp(value, "off") != 0)
		return false;
	*(bool *)member(ret, v) = on;
	return true;
}

static bool parse_number(const struct config_variable *v, const char *value, struct config *ret)
{
	uint64_t n;

	if (!config_number_parse(value, v->min, v->max, &n))
		return false;
	set_number(v, n, ret);
	return true;
}

/* Without memory: as a value that is not allowed. */
static bool keep(const char *value, const char **ret)
{
	char *copy = strdup(value);

	if (copy)
		*ret = copy;
	return copy != NULL;
}

static bool parse_path(const char *value, const char **ret)
{
	return value[0] == '/' && strlen(value) < PATH_MAX && keep(value, ret);
}

static bool parse_pins(const char *value, struct config_pins *ret)
{
	struct config_pins pins = {0};

	for (const char *p = value; *p; p += strspn(p, " \t")) {
		if (pins.n == RESOLVER_MAX_PINS || strncmp(p, "sha256/", 7) != 0 ||
		    !config_base64_sha256(p + 7, pins.sha256[pins.n]))
			return false;
		pins.n++;
		p += 7 + CONFIG_BASE64_SHA256_LEN;
		if (*p && !isblank((unsigned char)*p))
			return false;
	}
	*ret = pins;
	return pins.n > 0;
}

static bool parse_cache(const char *value, struct config *ret)
{
	if (strcmp(value, "private") == 0) {
		ret->cache = CONFIG_CACHE_PRIVATE;
		return true;
	}
	if (strcmp(value, "off") == 0) {
		ret->cache = CONFIG_CACHE_OFF;
		return true;
	}
	if (!parse_path(value, &ret->cache_path))
		return false;
	ret->cache = CONFIG_CACHE_FILE;
	return true;
}

bool config_variable_set(const struct config_variable *v, const char *value, struct config *ret)
{
	switch (v->kind) {
	case CONFIG_KIND_WORD:
		return parse_word(v, value, ret);
	case CONFIG_KIND_SWITCH:
		return parse_switch(v, value, ret);
	case CONFIG_KIND_U32:
	case CONFIG_KIND_U64:
		return parse_number(v, value, ret);
	case CONFIG_KIND_PATH:
		return parse_path(value, member(ret, v));
	case CONFIG_KIND_FOLDER:
		return strcmp(value, "off") == 0 || parse_path(value, member(ret, v));
	case CONFIG_KIND_DOMAINS:
		return config_domains_parse(value, member(ret, v));
	case CONFIG_KIND_PINS:
		return parse_pins(value, &ret->tls_pins);
	case CONFIG_KIND_CACHE:
		return parse_cache(value, ret);
	case CONFIG_KIND_UPSTREAM:
		return config_upstream_parse(value, ret->upstreams, &ret->nupstreams) == 0;
	}
	return false;
}
