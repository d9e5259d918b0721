// SPDX-License-Identifier: MIT
/*
 * dnsaction.c - actions by name.
 */
#include "dnsaction.h"
#include "dnswire.h"

#include <errno.h>
#include <string.h>

/* Indexed by enum lab_dns_action. */
static const struct {
	const char *word;
	bool has_value;
} actions[LAB_DNS_ACTIONS] = {
	[LAB_DNS_DELAY] = {"delay", true},
	[LAB_DNS_DROP] = {"drop", false},
	[LAB_DNS_RCODE] = {"rcode", true},
	[LAB_DNS_FORMERR_EDNS] = {"formerr-edns", false},
	[LAB_DNS_DROP_EDNS] = {"drop-edns", false},
	[LAB_DNS_NO_OPT] = {"no-opt", false},
	[LAB_DNS_TRUNCATE] = {"truncate", false},
	[LAB_DNS_WRONG_ID] = {"wrong-id", false},
	[LAB_DNS_WRONG_QUESTION] = {"wrong-question", false},
	[LAB_DNS_NO_QUESTION] = {"no-question", false},
	[LAB_DNS_WRONG_PORT] = {"wrong-port", false},
	[LAB_DNS_NOT_RESPONSE] = {"not-response", false},
	[LAB_DNS_GARBAGE] = {"garbage", true},
	[LAB_DNS_GARBAGE_BODY] = {"garbage-body", false},
	[LAB_DNS_CUT] = {"cut", true},
	[LAB_DNS_BAD_RDLEN] = {"bad-rdlen", false},
	[LAB_DNS_BAD_POINTER] = {"bad-pointer", false},
	[LAB_DNS_BAD_COUNT] = {"bad-count", false},
	[LAB_DNS_POISON] = {"poison", false},
	[LAB_DNS_REVERSE] = {"reverse", false},
	[LAB_DNS_SHUFFLE] = {"shuffle", false},
	[LAB_DNS_NO_SOA] = {"no-soa", false},
	[LAB_DNS_EMPTY] = {"empty", false},
	[LAB_DNS_TTL] = {"ttl", true},
	[LAB_DNS_AD] = {"ad", false},
	[LAB_DNS_AD_ALWAYS] = {"ad-always", false},
	[LAB_DNS_TWICE] = {"twice", false},
	[LAB_DNS_THEN_RIGHT] = {"then-right", true},
	[LAB_DNS_CLOSE] = {"close", false},
	[LAB_DNS_CLOSE_AFTER] = {"close-after", false},
	[LAB_DNS_RESET] = {"reset", false},
	[LAB_DNS_CLOSE_ACCEPT] = {"close-accept", false},
	[LAB_DNS_RESET_AFTER] = {"reset-after", false},
	[LAB_DNS_CLOSE_LENGTH] = {"close-length", false},
	[LAB_DNS_CLOSE_HALF] = {"close-half", false},
	[LAB_DNS_DRIP] = {"drip", true},
	[LAB_DNS_RENEGOTIATE] = {"renegotiate", false},
	[LAB_DNS_TC] = {"tc", false},
	[LAB_DNS_KEEPALIVE] = {"keepalive", true},
};

static const struct {
	const char *word;
	enum dns_rcode rcode;
} rcodes[] = {
	{"noerror", DNS_NOERROR},   {"formerr", DNS_FORMERR}, {"servfail", DNS_SERVFAIL},
	{"nxdomain", DNS_NXDOMAIN}, {"notimp", DNS_NOTIMP},   {"refused", DNS_REFUSED},
};

const char *lab_dns_action_to_str(enum lab_dns_action action)
{
	return action < LAB_DNS_ACTIONS ? actions[action].word : "?";
}

int dns_action_parse(const char *word, enum lab_dns_action *ret, uint32_t *ret_value,
		     bool *ret_has_value)
{
	for (size_t i = 0; i < sizeof(rcodes) / sizeof(*rcodes); i++) {
		if (strcmp(word, rcodes[i].word) != 0)
			continue;
		*ret = LAB_DNS_RCODE;
		*ret_value = rcodes[i].rcode;
		*ret_has_value = false;
		return 0;
	}
	for (unsigned i = 0; i < LAB_DNS_ACTIONS; i++) {
		if (strcmp(word, actions[i].word) != 0)
			continue;
		*ret = (enum lab_dns_action)i;
		*ret_has_value = actions[i].has_value;
		return 0;
	}
	return -EINVAL;
}
