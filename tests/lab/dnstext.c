// SPDX-License-Identifier: MIT
/*
 * dnstext.c - the text form of a scripted server (grammar in dnsscript.h) to its arrays.
 *
 * The text is copied once and cut into words in place; the arrays point into the copy.
 */
#include "dnsaction.h"
#include "dnslisten.h"
#include "dnsscript.h"
#include "dnswire.h"
#include "dnszone.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTEN 32

struct parser {
	struct lab_dns_script script; /* first: what the caller holds and frees */
	char *text;		      /* owned */
	const char *listen[MAX_LISTEN + 1];
	unsigned nlisten;
	struct lab_dns_rr *rrs; /* owned; counted before parsing, so it never moves */
	unsigned nrrs;
	struct lab_dns_rule *rules; /* owned; likewise */
	unsigned nrules;
	unsigned line;
	char *error;
	size_t error_size;
};

static int __attribute__((format(printf, 2, 3))) complain(struct parser *p, const char *fmt, ...)
{
	size_t used = (size_t)snprintf(p->error, p->error_size, "line %u: ", p->line);
	va_list ap;

	va_start(ap, fmt);
	if (used < p->error_size)
		vsnprintf(p->error + used, p->error_size - used, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Cuts the next word off *rest; "" at the end of the line. */
static char *word(char **rest)
{
	char *w;

	while (isspace((unsigned char)**rest))
		(*rest)++;
	w = *rest;
	while (**rest && !isspace((unsigned char)**rest))
		(*rest)++;
	if (**rest)
		*(*rest)++ = '\0';
	return w;
}

/* What is left of the line, without the spaces around it. */
static char *tail(char **rest)
{
	char *end;

	while (isspace((unsigned char)**rest))
		(*rest)++;
	end = *rest + strlen(*rest);
	while (end > *rest && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return *rest;
}

static int parse_u32(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	n = strtoul(text, &end, 10);
	if (*end || n > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}

static int parse_rr(struct parser *p, char *rest)
{
	struct lab_dns_rr *rr = &p->rrs[p->nrrs++];
	uint8_t rdata[1024];
	struct dns_name owner;
	uint16_t rdlen;
	unsigned n;
	const char *ttl;
	int type;

	rr->owner = word(&rest);
	ttl = word(&rest);
	type = dns_type_parse(word(&rest));
	rr->data = tail(&rest);
	if (dns_name_parse(rr->owner, &owner))
		return complain(p, "bad name `%s`", rr->owner);
	if (parse_u32(ttl, &rr->ttl_s))
		return complain(p, "bad TTL `%s`", ttl);
	if (type <= 0)
		return complain(p, "bad record type");
	rr->type = (uint16_t)type;
	if (dns_rdata_parse(rr->type, rr->data, &owner, rdata, sizeof(rdata), &rdlen, &n))
		return complain(p, "bad data `%s`", rr->data);
	return 0;
}

static int parse_action(struct parser *p, const char *w, char **rest, struct lab_dns_rule *rule)
{
	bool has_value;

	if (dns_action_parse(w, &rule->action, &rule->value, &has_value))
		return complain(p, "unknown action `%s`", w);
	if (has_value && parse_u32(word(rest), &rule->value))
		return complain(p, "`%s` wants a number", w);
	return 0;
}

static int parse_rule(struct parser *p, char *rest)
{
	struct lab_dns_rule *rule = &p->rules[p->nrules++];
	char *w;
	int type;

	rule->name = word(&rest);
	w = word(&rest);
	type = dns_type_parse(w);
	if (type < 0)
		return complain(p, "bad type `%s`", w);
	rule->type = (uint16_t)type;
	for (w = word(&rest);; w = word(&rest)) {
		if (strcmp(w, "udp") == 0)
			rule->transport = LAB_UDP;
		else if (strcmp(w, "tcp") == 0)
			rule->transport = LAB_TCP;
		else if (strcmp(w, "tls") == 0)
			rule->transport = LAB_TLS;
		else if (strcmp(w, "first") == 0 || strcmp(w, "after") == 0) {
			if (parse_u32(word(&rest), *w == 'f' ? &rule->first : &rule->after))
				return complain(p, "`%s` wants a number", w);
		} else
			break;
	}
	if (parse_action(p, w, &rest, rule))
		return -EINVAL;
	return *tail(&rest) ? complain(p, "what is `%s`?", rest) : 0;
}

static int parse_listen(struct parser *p, char *rest)
{
	struct lab_listen listen;
	char error[128];

	if (p->nlisten == MAX_LISTEN)
		return complain(p, "more than %d addresses", MAX_LISTEN);
	p->listen[p->nlisten] = tail(&rest);
	if (lab_listen_parse(p->listen[p->nlisten++], error, sizeof(error), &listen))
		return complain(p, "%s", error);
	return 0;
}

static int parse_side(struct parser *p, char *rest)
{
	const char *w = tail(&rest);

	if (strcmp(w, "near") != 0 && strcmp(w, "far") != 0)
		return complain(p, "`side` is `near` or `far`");
	p->script.side = *w == 'f' ? LAB_FAR : LAB_NEAR;
	return 0;
}

static int parse_seed(struct parser *p, char *rest)
{
	uint32_t seed;

	if (parse_u32(tail(&rest), &seed))
		return complain(p, "`seed` wants a number");
	p->script.seed = seed;
	return 0;
}

static int parse_line(struct parser *p, char *line)
{
	char *comment = strchr(line, '#');
	const char *w;

	if (comment)
		*comment = '\0';
	w = word(&line);
	if (strcmp(w, "listen") == 0)
		return parse_listen(p, line);
	if (strcmp(w, "side") == 0)
		return parse_side(p, line);
	if (strcmp(w, "seed") == 0)
		return parse_seed(p, line);
	if (strcmp(w, "rr") == 0)
		return parse_rr(p, line);
	if (strcmp(w, "on") == 0)
		return parse_rule(p, line);
	return *w ? complain(p, "`%s` is none of listen, side, seed, rr, on", w) : 0;
}

static int parse_text(struct parser *p)
{
	char *line = p->text;

	while (line) {
		char *next = strchr(line, '\n');

		if (next)
			*next++ = '\0';
		p->line++;
		if (parse_line(p, line))
			return -EINVAL;
		line = next;
	}
	if (p->nlisten == 0)
		return complain(p, "no `listen`");
	p->rules[p->nrules].action = LAB_DNS_ACTIONS;
	p->script.listen = p->listen;
	p->script.rrs = p->rrs;
	p->script.rules = p->rules;
	return 0;
}

int lab_dns_script_parse(const char *text, char *error, size_t error_size,
			 struct lab_dns_script **ret)
{
	struct parser *p = calloc(1, sizeof(*p));
	size_t lines = 2;

	if (!p)
		return -ENOMEM;
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	p->text = strdup(text);
	p->rrs = calloc(lines, sizeof(*p->rrs));
	p->rules = calloc(lines, sizeof(*p->rules));
	p->error = error;
	p->error_size = error_size;
	if (!p->text || !p->rrs || !p->rules || parse_text(p)) {
		lab_dns_script_free(&p->script);
		return -EINVAL;
	}
	*ret = &p->script;
	return 0;
}

void lab_dns_script_free(struct lab_dns_script *script)
{
	struct parser *p = (struct parser *)script;

	if (!p)
		return;
	free(p->text);
	free(p->rrs);
	free(p->rules);
	free(p);
}
