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
	enum lab_dns_transport transport;
};

/* The rules that match one query. */
struct dns_verdict {
	bool on[LAB_DNS_ACTIONS];
	uint32_t value[LAB_DNS_ACTIONS]; /* of the last rule; of DELAY the sum */
};

/* Rules with their counters. `hits` counts matches before `after` and `first` are applied. */
struct dns_rules {
	const struct lab_dns_rule *rules; /* borrowed */
	unsigned *hits;			  /* owned, one a rule */
};

/* 0, or -EINVAL: not a query with one question. */
int dns_query_parse(const uint8_t *msg, size_t len, enum lab_dns_transport transport,
		    struct dns_query *ret);

/* Does rule i take this query? Counts it. */
bool dns_rules_match(struct dns_rules *rules, unsigned i, const struct dns_query *query);

/* All rules but close-accept. */
void dns_rules_apply(struct dns_rules *rules, const struct dns_query *query,
		     struct dns_verdict *ret);

/* Builds the answer that the verdict asks for. `seed` is advanced where chance is used. */
void dns_reply_build(const struct dns_zone *zone, const struct dns_query *query,
		     const struct dns_verdict *verdict, uint64_t *seed, struct dns_packet *ret);

#endif
