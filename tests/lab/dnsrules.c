// SPDX-License-Identifier: MIT
/*
 * dnsrules.c - reading a query, and finding the rules that it meets.
 */
#include "dnsreply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum name_kind {
	NAME_ANY,
	NAME_EXACT,
	NAME_BELOW, /* the name itself is not meant */
};

struct ready_rule {
	const struct lab_dns_rule *rule; /* borrowed */
	enum name_kind kind;
	struct dns_name name;
	unsigned hits; /* matches before `after` and `first` are applied */
};

struct dns_rules {
	unsigned nrules;
	struct ready_rule rules[];
};

/* The options of an OPT record's data, as bits. */
static uint16_t read_options(const uint8_t *data, size_t len)
{
	unsigned options = 0;

	while (len >= 4) {
		unsigned code = dns_get16(data);
		size_t size = 4u + dns_get16(data + 2);

		if (size > len)
			break;
		if (code < 16)
			options |= 1u << code;
		data += size;
		len -= size;
	}
	return (uint16_t)options;
}

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
			if (pos + 10 + dns_get16(msg + pos + 8) <= len)
				query->options =
					read_options(msg + pos + 10, dns_get16(msg + pos + 8));
		}
		pos += 10 + dns_get16(msg + pos + 8);
	}
}

int dns_query_parse(const uint8_t *msg, size_t len, enum lab_dns_transport transport,
		    struct dns_query *ret)
{
	size_t pos = DNS_HEADER;

	*ret = (struct dns_query){.transport = transport, .size = (uint16_t)len};
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

static enum name_kind name_kind(const char *pattern)
{
	if (!pattern || strcmp(pattern, "*") == 0)
		return NAME_ANY;
	return strncmp(pattern, "*.", 2) == 0 ? NAME_BELOW : NAME_EXACT;
}

struct dns_rules *dns_rules_new(const struct lab_dns_rule *rules)
{
	struct dns_rules *ready;
	unsigned n = 0;

	while (rules && rules[n].action != LAB_DNS_ACTIONS)
		n++;
	ready = calloc(1, sizeof(*ready) + n * sizeof(*ready->rules));
	if (!ready)
		lab_fail("scripted server: no memory");
	ready->nrules = n;
	for (unsigned i = 0; i < n; i++) {
		struct ready_rule *r = &ready->rules[i];
		const char *name = rules[i].name;

		r->rule = &rules[i];
		r->kind = name_kind(name);
		if (r->kind != NAME_ANY &&
		    dns_name_parse(r->kind == NAME_BELOW ? name + 2 : name, &r->name))
			lab_fail("scripted server: rule %u: bad name `%s`", i, name);
	}
	return ready;
}

static bool name_matches(const struct ready_rule *r, const struct dns_name *name)
{
	switch (r->kind) {
	case NAME_ANY:
		return true;
	case NAME_EXACT:
		return dns_name_equal(name, &r->name);
	case NAME_BELOW:
		return dns_name_below(name, &r->name);
	}
	return false;
}

/* Counts the match, and says whether `after` and `first` let it act. */
static bool hit(struct ready_rule *r)
{
	unsigned n = r->hits++;

	return n >= r->rule->after && (r->rule->first == 0 || n < r->rule->after + r->rule->first);
}

static bool matches(const struct ready_rule *r, const struct dns_query *query)
{
	return (r->rule->type == LAB_ANY_TYPE || r->rule->type == query->type) &&
	       (r->rule->transport == LAB_ANY_TRANSPORT ||
		r->rule->transport == query->transport) &&
	       name_matches(r, &query->name);
}

void dns_rules_apply(struct dns_rules *rules, const struct dns_query *query,
		     struct dns_verdict *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < rules->nrules; i++) {
		struct ready_rule *r = &rules->rules[i];
		enum lab_dns_action action = r->rule->action;

		if (action == LAB_DNS_CLOSE_ACCEPT || !matches(r, query) || !hit(r))
			continue;
		if (action == LAB_DNS_DELAY)
			ret->value[action] += r->rule->value;
		else
			ret->value[action] = r->rule->value;
		ret->on[action] = true;
	}
}

bool dns_rules_close_accept(struct dns_rules *rules)
{
	bool close = false;

	for (unsigned i = 0; i < rules->nrules; i++)
		if (rules->rules[i].rule->action == LAB_DNS_CLOSE_ACCEPT && hit(&rules->rules[i]))
			close = true;
	return close;
}
