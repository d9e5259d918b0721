// SPDX-License-Identifier: MIT
/*
 * config_table.h - all that is to be known of each NOBLOCKDNS_* variable, as one table: how it is
 * named, what it may be, what it is by default, where it goes in struct config, and, made of that,
 * the text that tells a user what is allowed. Pure.
 */
#ifndef NOBLOCKDNS_CONFIG_TABLE_H
#define NOBLOCKDNS_CONFIG_TABLE_H

#include "shim/config.h"

enum config_kind {
	CONFIG_KIND_WORD,   /* one of `words`; its index, as an enum */
	CONFIG_KIND_SWITCH, /* off or on; bool */
	CONFIG_KIND_U32,    /* a number from min to max */
	CONFIG_KIND_U64,
	CONFIG_KIND_PATH,     /* absolute; const char * */
	CONFIG_KIND_FOLDER,   /* the same, or off for NULL */
	CONFIG_KIND_DOMAINS,  /* a list; const char *, see config_domains.h */
	CONFIG_KIND_PINS,     /* tls_pins */
	CONFIG_KIND_CACHE,    /* cache, cache_path */
	CONFIG_KIND_UPSTREAM, /* upstreams, nupstreams */
};

struct config_variable {
	const char *name; /* without the prefix */
	enum config_kind kind;
	size_t offset;		  /* in struct config */
	const char *const *words; /* of CONFIG_KIND_WORD, NULL-terminated */
	uint64_t min, max;
	uint64_t value; /* the default of a number or a switch; of all else it is zero or NULL */
};

#define CONFIG_NVARIABLES 20

extern const struct config_variable config_variables[CONFIG_NVARIABLES];

void config_set_defaults(struct config *ret);

/* Parses `value` into its place. False: it is not allowed, and nothing was written. */
bool config_variable_set(const struct config_variable *v, const char *value, struct config *ret);

/* "on, observe or off", "a whole number from 1 to 600000", ... NUL-terminated, cut to fit. */
void config_variable_allowed(const struct config_variable *v, char *buf, size_t size);

#endif
