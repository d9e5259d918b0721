// SPDX-License-Identifier: MIT
/*
 * dnsreply.h - what the scripted server sends to one query: the pure part, without sockets.
 */
#ifndef LAB_DNSREPLY_H
#define LAB_DNSREPLY_H

#include "dnsscript.h"
#include "dnswire.h"
#include "dnszone.h"

/* A query as the server understood it. */
struct dns_query {
	uint16_t id;
	uint16_t flags;
	struct dns_name name;
	uint16_t type;
	bool has_opt;
	bool dnssec_ok; /* DO, RFC 3225 */
	uint16_t edns_size;
	uint16_t options; /* enum lab_dns_option */
	uint16_t size;
	enum lab_dns_transport transport;
};

/* The rules that match one query. */
struct dns_verdict {
	bool on[LAB_DNS_ACTIONS];
	uint32_t value[LAB_DNS_ACTIONS]; /* of the last rule; of DELAY the sum */
};

/* The rules of a script, made ready for matching. */
struct dns_rules;

/* 0, or -EINVAL: not a query with one question. */
int dns_query_parse(const uint8_t *msg, size_t len, enum lab_dns_transport transport,
		    struct dns_query *ret);

/* Ends the process on a rule whose name is no name. Borrows `rules`. */
struct dns_rules *dns_rules_new(const struct lab_dns_rule *rules);

/* All rules but close-accept. Counts the matches. */
void dns_rules_apply(struct dns_rules *rules, const struct dns_query *query,
		     struct dns_verdict *ret);

/* Does a close-accept rule take the connection that was just accepted? Counts likewise. */
bool dns_rules_close_accept(struct dns_rules *rules);

/* Builds the answer that the verdict asks for. `seed` is advanced where chance is used. */
void dns_reply_build(const struct dns_zone *zone, const struct dns_query *query,
		     const struct dns_verdict *verdict, uint64_t *seed, struct dns_packet *ret);

#endif
