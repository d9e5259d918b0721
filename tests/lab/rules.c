// SPDX-License-Identifier: MIT
/*
 * rules.c - the text form of a forwarder's rule (grammar in forwarder.h).
 */
#include "packet.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words without an argument. Returns false for any other word. */
static bool plain_word(const char *w, struct lab_rule *rule)
{
	if (strcmp(w, "out") == 0)
		rule->match.direction = LAB_OUT;
	else if (strcmp(w, "in") == 0)
		rule->match.direction = LAB_IN;
	else if (strcmp(w, "ipv4") == 0)
		rule->match.family = AF_INET;
	else if (strcmp(w, "ipv6") == 0)
		rule->match.family = AF_INET6;
	else if (strcmp(w, "tcp") == 0)
		rule->match.protocol = IPPROTO_TCP;
	else if (strcmp(w, "udp") == 0)
		rule->match.protocol = IPPROTO_UDP;
	else if (strcmp(w, "icmp") == 0)
		rule->match.protocol = IPPROTO_ICMP;
	else if (strcmp(w, "syn") == 0)
		rule->match.syn = true;
	else if (strcmp(w, "pass") == 0)
		rule->action = LAB_PASS;
	else if (strcmp(w, "drop") == 0)
		rule->action = LAB_BLACKHOLE;
	else if (strcmp(w, "refuse") == 0)
		rule->action = LAB_REFUSE;
	else if (strcmp(w, "unreachable") == 0)
		rule->action = LAB_UNREACHABLE;
	else
		return false;
	return true;
}

/* Words with a number. 0; -EINVAL: bad number; -ENOENT: not such a word. */
static int number_word(const char *w, const char *argument, struct lab_rule *rule)
{
	char *end = NULL;
	double n = argument ? strtod(argument, &end) : 0;
	bool ok = argument && end != argument && !*end && n >= 0 && n < 4e6;

	if (strcmp(w, "port") == 0 && (ok = ok && n < 65536))
		rule->match.port = (uint16_t)n;
	else if (strcmp(w, "delay") == 0 && ok)
		rule->delay_us = (uint32_t)(n * 1000);
	else if (strcmp(w, "jitter") == 0 && ok)
		rule->jitter_us = (uint32_t)(n * 1000);
	else if (strcmp(w, "loss") == 0 && ok)
		rule->loss_permille = (uint32_t)n;
	else if (strcmp(w, "reorder") == 0 && ok)
		rule->reorder_permille = (uint32_t)n;
	else if (strcmp(w, "first") == 0 && ok)
		rule->first = (uint32_t)n;
	else
		return -EINVAL;
	return 0;
}

static int parse_word(const char *w, char **rest, struct lab_rule *rule)
{
	struct lab_packet_match compiled;
	const char *argument;

	if (plain_word(w, rule))
		return 0;
	do
		argument = strsep(rest, " \t\n");
	while (argument && !*argument);
	if (strcmp(w, "to") != 0)
		return number_word(w, argument, rule);
	if (!argument || strlen(argument) >= sizeof(rule->match.remote))
		return -EINVAL;
	strcpy(rule->match.remote, argument);
	return lab_packet_match_compile(&rule->match, &compiled);
}

int lab_rule_parse(const char *line, char *error, size_t error_size, struct lab_rule *ret)
{
	struct lab_rule rule = {0};
	char text[512];
	char *rest = text;
	const char *w;

	if ((size_t)snprintf(text, sizeof(text), "%s", line) >= sizeof(text)) {
		snprintf(error, error_size, "line too long");
		return -EINVAL;
	}
	while ((w = strsep(&rest, " \t\n"))) {
		if (!*w || parse_word(w, &rest, &rule) == 0)
			continue;
		snprintf(error, error_size, "`%s`: unknown, or its argument is bad", w);
		return -EINVAL;
	}
	*ret = rule;
	return 0;
}
