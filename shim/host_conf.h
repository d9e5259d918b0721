// SPDX-License-Identifier: MIT
/*
 * host_conf.h - host.conf(5) as glibc 2.36 reads it: of its options only `multi` and `reorder`
 * still change an answer.
 *
 * Pure; any thread.
 */
#ifndef NOBLOCKDNS_HOST_CONF_H
#define NOBLOCKDNS_HOST_CONF_H

#include <stdbool.h>
#include <stddef.h>

/* The environment variables that override the file. Each may be NULL: not set. */
struct host_conf_env {
	const char *multi;   /* RESOLV_MULTI */
	const char *reorder; /* RESOLV_REORDER */
};

struct host_conf {
	bool multi;   /* /etc/hosts: all lines of a name, not just the first */
	bool reorder; /* gethostbyname: addresses of local subnets first */
};

/* `text` NULL: no file. Malformed lines are skipped. Never fails. */
void host_conf_parse(const char *text, size_t len, const struct host_conf_env *env,
		     struct host_conf *ret);

#endif
