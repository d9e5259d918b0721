// SPDX-License-Identifier: MIT
/* config_rig.h - a configuration out of an environment and a file of the test's, and its upstreams.
 */
#ifndef CONFIG_RIG_H
#define CONFIG_RIG_H

#include "shim/config.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* An environment of up to three variables, and what was reported. */
struct world {
	const char *name[3], *value[3];
	const char *file;
	struct config config;
	unsigned reports;
	char report[LOG_LINE_MAX]; /* the first */
};

static inline const char *get(void *ctx, const char *name)
{
	const struct world *w = ctx;

	for (int i = 0; i < 3; i++) {
		if (w->name[i] && strcmp(name, w->name[i]) == 0)
			return w->value[i];
	}
	return NULL;
}

static inline void report(void *ctx, const char *line)
{
	struct world *w = ctx;

	if (w->reports++ == 0)
		snprintf(w->report, sizeof(w->report), "%s", line);
}

static inline struct config *parse(struct world *w)
{
	memset(&w->config, 0xa5, sizeof(w->config));
	config_parse(get, w, w->file, w->file ? strlen(w->file) : 0, &w->config, report, w);
	return &w->config;
}

static inline struct config *parse_one(struct world *w, const char *name, const char *value)
{
	memset(w, 0, sizeof(*w));
	w->name[0] = name;
	w->value[0] = value;
	return parse(w);
}

static struct world world;

static inline const char *shown(const struct resolver_upstream *u)
{
	static char text[128];
	static const char *const transports[] = {"udp", "tcp", "tls"};
	char addr[INET6_ADDRSTRLEN];
	const struct sockaddr_in *in = (const struct sockaddr_in *)&u->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&u->addr;

	if (u->addr.ss_family == AF_UNSPEC)
		snprintf(text, sizeof(text), "%s ? %u", transports[u->transport], u->port);
	else if (u->addr.ss_family == AF_INET)
		snprintf(text, sizeof(text), "%s %s %u", transports[u->transport],
			 inet_ntop(AF_INET, &in->sin_addr, addr, sizeof(addr)),
			 ntohs(in->sin_port));
	else
		snprintf(text, sizeof(text), "%s %s%%%u %u", transports[u->transport],
			 inet_ntop(AF_INET6, &in6->sin6_addr, addr, sizeof(addr)),
			 in6->sin6_scope_id, ntohs(in6->sin6_port));
	return text;
}

#endif
