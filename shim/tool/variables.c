// SPDX-License-Identifier: MIT
/* variables.c - see variables.h. One thread. */
#include "shim/tool/variables.h"

#include "shim/config_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What --help says of each, which the shim does not need to know. */
static const struct {
	const char *name, *argument, *help;
} texts[] = {
	{"MODE", NULL, "on; observe: measure and change nothing; off"},
	{"UPSTREAM", "LIST",
	 "DNS servers instead of resolv.conf's: tls://ADDRESS#NAME, "
	 "udp://ADDRESS, tcp://ADDRESS, separated by spaces"},
	{"TLS", NULL,
	 "strict: only authenticated servers over TLS; opportunistic: as well as can "
	 "be"},
	{"TLS_CA", "FILE", "authorities to trust (PEM) instead of the system's"},
	{"TLS_PIN", "LIST", "sha256/BASE64 of the servers' keys"},
	{"CACHE", "FILE", "the shared cache; private: memory of the process; off: none"},
	{"CACHE_SIZE", "BYTES", "size of the cache"},
	{"DEADLINE_MS", "MS", "one lookup's longest wait"},
	{"STALE_AFTER_MS", "MS", "wait for a fresh answer before a stale one is given"},
	{"STALE_MAX", "SECONDS", "how long past its expiry an answer may be given; 0: never"},
	{"MIN_TTL", "SECONDS", "keep answers at least so long"},
	{"MAX_TTL", "SECONDS", "keep answers at most so long"},
	{"REBIND_GUARD", NULL, "refuse private addresses of public names"},
	{"REBIND_ALLOW", "LIST", "domains whose private addresses are not refused"},
	{"RACE", NULL, "whether connect() tries a name's other addresses, too"},
	{"RACE_DELAY_MS", "MS", "how long an attempt to connect goes on alone"},
	{"RESOLUTION_DELAY_MS", "MS", "how long A waits for AAAA once it is there"},
	{"LOG", NULL, "what is logged"},
	{"LOG_FILE", "FILE", "where to, instead of stderr"},
	{"TRACE", "DIR", "write a trace file for each process there"},
};

static const char *const on_off[] = {"on", "off", NULL};
static bool was_set[CONFIG_NVARIABLES];

static void make(struct option_spec *ret, size_t i)
{
	static char names[CONFIG_NVARIABLES][VARIABLES_NAME_MAX];
	const struct config_variable *v = &config_variables[i];
	char *name = names[i];

	for (size_t k = 0; v->name[k] && k + 1 < VARIABLES_NAME_MAX; k++)
		name[k] = v->name[k] == '_' ? '-' : (char)tolower((unsigned char)v->name[k]);
	*ret = (struct option_spec){.name = name,
				    .kind = OPTION_VARIABLE,
				    .argument = "VALUE",
				    .help = "",
				    .offset = i};
	if (v->kind == CONFIG_KIND_WORD)
		ret->words = v->words;
	if (v->kind == CONFIG_KIND_SWITCH)
		ret->words = on_off;
	for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
		if (strcmp(texts[k].name, v->name) == 0) {
			ret->argument = texts[k].argument;
			ret->help = texts[k].help;
		}
}

const struct option_spec *variables_options(void)
{
	static struct option_spec options[CONFIG_NVARIABLES + 1];

	if (options[0].name != NULL)
		return options;
	for (size_t i = 0; i < CONFIG_NVARIABLES; i++)
		make(&options[i], i);
	return options;
}

void variables_name(const struct option_spec *option, char ret[VARIABLES_NAME_MAX])
{
	(void)snprintf(ret, VARIABLES_NAME_MAX, CONFIG_PREFIX "%s",
		       config_variables[option->offset].name);
}

bool variables_is_set(const struct option_spec *option)
{
	return was_set[option->offset];
}

int variables_set(const struct option_spec *option, const char *value)
{
	char name[VARIABLES_NAME_MAX];

	variables_name(option, name);
	was_set[option->offset] = true;
	return setenv(name, value, 1) < 0 ? -errno : 0;
}

static const char *get(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < CONFIG_NVARIABLES; i++)
		if (strcmp(name + strlen(CONFIG_PREFIX), config_variables[i].name) == 0)
			return was_set[i] ? getenv(name) : NULL;
	return NULL;
}

struct complaint {
	char *buf;
	size_t size;
};

/* The first is kept, without what the shim would do about it. */
static void keep(void *ctx, const char *line)
{
	struct complaint *c = ctx;
	const char *end = strstr(line, "; using ");

	if (c->buf[0] == '\0')
		(void)snprintf(c->buf, c->size, "%.*s", end ? (int)(end - line) : -1, line);
}

bool variables_check(char *why, size_t size)
{
	static struct config config;
	struct complaint complaint = {why, size};

	why[0] = '\0';
	config_parse(get, NULL, NULL, 0, &config, keep, &complaint);
	return why[0] == '\0';
}
