// SPDX-License-Identifier: MIT
/*
 * dnsrules.c - reading a query, and finding the rules that it meets.
 */
#include "dnsreply.h"

#include <errno.h>
#include <string.h>

/* Looks for the OPT record (RFC 6891 6.1.1) among the additional records. */
static void read_opt(const uint8_t *msg, size_t len, size_t pos, struct dns_query *query)
{
	unsigned n = dns_get16(msg + 6) + dns_get16(msg + 8) + dns_get16(msg + 10);
	struct dns_name owner;

	while (n-- > 0 && dns_name_read(msg, len, &pos, &owner) == 0 && pos + 10 <= len) {
		if (dns_get16(msg + pos) == LAB_OPT) {
			query->has_opt = true;
			query->edns_size = (uint16_t)dns_get16(msg + pos + 2);
			query->dnssec_ok = msg[pos + 6] & 0x80;
		}
		pos += 10 + dns_get16(msg + pos + 8);
	}
}

int dns_query_parse(const uint8_t *msg, size_t len, enum lab_dns_transport transport,
		    struct dns_query *ret)
{
	size_t pos = DNS_HEADER;

	*ret = (struct dns_query){.transport = transport};
	if (len < DNS_HEADER || dns_get16(msg + 4) != 1 || dns_get16(msg + 2) & DNS_QR)
		return -EINVAL;
	ret->id = (uint16_t)dns_get16(msg);
	ret->flags = (uint16_t)dns_get16(msg + 2);
	if (dns_name_read(msg, len, &pos, &ret->name) || pos + 4 > len)
		return -EINVAL;
	ret->type = (uint16_t)dns_get16(msg + pos);
	read_opt(msg, len, pos + 4, ret);
	return 0;
}

static bool name_matches(const char *pattern, const struct dns_name *name)
{
	struct dns_name parsed;

	if (!pattern || strcmp(pattern, "*") == 0)
		return true;
	if (strncmp(pattern, "*.", 2) == 0)
		return dns_name_parse(pattern + 2, &parsed) == 0 && dns_name_below(name, &parsed);
	return dns_name_parse(pattern, &parsed) == 0 && dns_name_equal(name, &parsed);
}

bool dns_rules_match(struct dns_rules *rules, unsigned i, const struct dns_query *query)
{
	const struct lab_dns_rule *rule = &rules->rules[i];
	unsigned hit;

	if ((rule->type != LAB_ANY_TYPE && rule->type != query->type) ||
	    (rule->transport != LAB_ANY_TRANSPORT && rule->transport != query->transport) ||
	    !name_matches(rule->name, &query->name))
		return false;
	hit = rules->hits[i]++;
	return hit >= rule->after && (rule->first == 0 || hit < rule->after + rule->first);
}

void dns_rules_apply(struct dns_rules *rules, const struct dns_query *query,
		     struct dns_verdict *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; rules->rules && rules->rules[i].action != LAB_DNS_ACTIONS; i++) {
		const struct lab_dns_rule *rule = &rules->rules[i];

		/* Connections are matched when they are accepted, not again by their queries. */
		if (rule->action == LAB_DNS_CLOSE_ACCEPT || !dns_rules_match(rules, i, query))
			continue;
		if (rule->action == LAB_DNS_DELAY)
			ret->value[LAB_DNS_DELAY] += rule->value;
		else
			ret->value[rule->action] = rule->value;
		ret->on[rule->action] = true;
	}
}
