// SPDX-License-Identifier: MIT
/*
 * diff_config.h - one generated surrounding for lookups: configuration files, environment,
 * interfaces, and what the DNS server says. Made from (seed, number) alone.
 */
#ifndef TESTS_DIFF_CONFIG_H
#define TESTS_DIFF_CONFIG_H

#include "tests/e2e/diff_case.h"
#include "tests/e2e/diff_text.h"

#include <stdint.h>

#define DIFF_ENV_MAX 12

struct diff_config {
	struct diff_text resolv_conf, hosts, nsswitch, host_conf, gai_conf;
	struct diff_text host_aliases; /* used where the environment names it */
	bool has_gai_conf;
	const char *hostname;
	struct diff_text links;	  /* lines for `ip -batch`; may be empty */
	struct diff_text server;  /* script of the server that knows the names */
	struct diff_text server2; /* of the one that is asked before it; may be empty */
	const char
		*failure; /* where there are two servers: how they fail; libc knows the last only */
	bool first_failure_is_final; /* to libc: see deviations.md on use-vc, single-request */
	unsigned nnames;	     /* what servers and hosts file know something of */
	char names[160][128];
	unsigned nenv;
	char env[DIFF_ENV_MAX][256];
	const char *env_list[DIFF_ENV_MAX + 1];
};

#define DIFF_ALIASES_PATH "/etc/host.aliases"
#define DIFF_SERVER	  "127.0.0.1"
#define DIFF_SERVER2	  "127.0.0.2" /* where there are two servers, asked before the other */
#define DIFF_SERVER_DEAD  "127.0.0.9" /* refuses: nobody listens */

void diff_config_make(uint64_t seed, unsigned number, struct diff_config *ret);

/* diff_server.c: the scripts, and the names in them. */
void diff_server_make(uint64_t *rng, struct diff_config *config);

/* diff_cases.c: case number `item` in that surrounding. */
void diff_case_make(uint64_t seed, unsigned number, unsigned item, const struct diff_config *config,
		    struct diff_case *ret);

extern const char *const diff_labels[];
extern const char *const diff_domains[]; /* "" is one: labels alone */
extern const unsigned diff_nlabels, diff_ndomains;

/* A random address as text: of the interfaces' networks and of every special range. */
const char *diff_address_v4(uint64_t *rng);
const char *diff_address_v6(uint64_t *rng);

#endif
