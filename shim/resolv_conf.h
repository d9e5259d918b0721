// SPDX-License-Identifier: MIT
/*
 * resolv_conf.h - the text of resolv.conf, with the environment that overrides it, becomes the
 * options of a stub resolver, exactly as glibc 2.36 reads them (resolv.conf(5)).
 *
 * Pure: text in, structure out; any thread. `settings` reads the file and keeps the result.
 */
#ifndef NOBLOCKDNS_RESOLV_CONF_H
#define NOBLOCKDNS_RESOLV_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define RESOLV_CONF_MAX_SERVERS	 3  /* glibc's MAXNS: later `nameserver` lines are ignored */
#define RESOLV_CONF_NDOTS_MAX	 15 /* glibc's RES_MAXNDOTS */
#define RESOLV_CONF_TIMEOUT_MAX	 30 /* seconds, glibc's RES_MAXRETRANS */
#define RESOLV_CONF_ATTEMPTS_MAX 5  /* glibc's RES_MAXRETRY */

/* What besides the file has a say. Each may be NULL: not set. */
struct resolv_env {
	const char *localdomain; /* LOCALDOMAIN: replaces `domain` and `search` */
	const char *res_options; /* RES_OPTIONS: applied after the file's `options` */
	const char *hostname; /* gethostname(): its domain is the search list where none is set */
};

struct resolv_conf {
	struct sockaddr_storage servers[RESOLV_CONF_MAX_SERVERS]; /* port 53, IPv6 with scope */
	unsigned nservers; /* at least 1: 127.0.0.1 where the file names none */
	char **search; /* owned; [nsearch] non-empty or ""; as spelt, no limit on their number */
	unsigned nsearch;
	unsigned ndots;	    /* 0 to 15 */
	unsigned timeout_s; /* 0 to 30; 0 is taken as 1 by the resolver */
	unsigned attempts;  /* 0 to 5; 0 means that nothing is asked at all */
	bool rotate;
	bool use_vc;
	bool edns0;
	bool no_aaaa;
	bool trust_ad;
	bool single_request;
	bool single_request_reopen;
	bool no_tld_query;
	bool no_reload;	   /* glibc never reads the file again */
	bool has_sortlist; /* a valid `sortlist`: glibc reorders IPv4 answers of gethostbyname */
};

/*
 * Parses `len` bytes of `text` (NULL: there is no file). Malformed lines are skipped as in glibc,
 * so the only failure is -ENOMEM. `env` may be NULL. Release with resolv_conf_free().
 */
int resolv_conf_parse(const char *text, size_t len, const struct resolv_env *env,
		      struct resolv_conf *ret);

void resolv_conf_free(struct resolv_conf *conf);

#endif
