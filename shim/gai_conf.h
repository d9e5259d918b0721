// SPDX-License-Identifier: MIT
/*
 * gai_conf.h - gai.conf(5): the tables by which RFC 6724 / RFC 3484 orders addresses, with glibc
 * 2.36's defaults, which are those of RFC 3484 with a few additions.
 *
 * Pure; any thread; immutable once parsed.
 */
#ifndef NOBLOCKDNS_GAI_CONF_H
#define NOBLOCKDNS_GAI_CONF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 4291 section 2.7; of IPv4 addresses, RFC 6724 section 3.2. */
#define SCOPE_LINK   2
#define SCOPE_SITE   5
#define SCOPE_GLOBAL 14

/* A row of the label or the precedence table; longest prefix first. */
struct gai_prefix {
	struct in6_addr prefix; /* what stands past `bits` does not count */
	unsigned bits;		/* 0 to 128 */
	int value;
};

/* A row of the scope table of IPv4 addresses; longest prefix first. */
struct gai_scope {
	uint32_t addr; /* network order, masked */
	uint32_t mask; /* network order */
	int scope;
};

struct gai_conf {
	const struct gai_prefix *labels;      /* [nlabels], the last row matches everything */
	const struct gai_prefix *precedences; /* [nprecedences], likewise */
	const struct gai_scope *scopes;	      /* [nscopes], likewise */
	unsigned nlabels, nprecedences, nscopes;
	void *storage; /* owned; NULL where the tables are the built-in ones */
};

/* glibc's tables when there is no file. Static: needs no gai_conf_free(). */
extern const struct gai_conf gai_conf_default;

/*
 * `text` NULL: no file. Malformed lines are skipped as in glibc, and so is `reload`: a file that
 * has changed is always read again (settings.h). 0 or -ENOMEM.
 */
int gai_conf_parse(const char *text, size_t len, struct gai_conf *ret);

void gai_conf_free(struct gai_conf *conf);

/* Of the three tables: differs where they do. 0 for the built-in ones. */
uint64_t gai_conf_hash(const struct gai_conf *conf);

/* Lookup by longest prefix. IPv4 addresses are given v4-mapped. */
int gai_conf_label(const struct gai_conf *conf, const struct in6_addr *addr);
int gai_conf_precedence(const struct gai_conf *conf, const struct in6_addr *addr);

/* Scope of an IPv4 address (network order) by the `scopev4` table. */
int gai_conf_scope4(const struct gai_conf *conf, uint32_t addr);

#endif
