// SPDX-License-Identifier: MIT
/*
 * dnslisten.c - see dnslisten.h; the grammar is in dnsscript.h.
 */
#include "dnslisten.h"
#include "dnsquery.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TLS_PORT 853

/* Reads the next word of *text into `ret`; "" at the end. */
static const char *word(const char **text, char ret[256])
{
	const char *start;
	size_t len;

	while (isspace((unsigned char)**text))
		(*text)++;
	start = *text;
	len = strcspn(start, " \t");
	*text += len;
	snprintf(ret, 256, "%.*s", (int)len, start);
	return ret;
}

static int number(const char **text, uint32_t *ret)
{
	char w[256], *end;
	unsigned long n;

	word(text, w);
	n = strtoul(w, &end, 10);
	if (!isdigit((unsigned char)*w) || *end || n > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}

static int parse_cert(const char **text, struct lab_listen *l)
{
	char w[256];

	word(text, w);
	for (unsigned i = 0; i < LAB_CERTS; i++) {
		if (strcmp(w, lab_cert_to_str((enum lab_cert)i)) == 0) {
			l->cert = (enum lab_cert)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_version(const char **text, struct lab_listen *l)
{
	char w[256];

	word(text, w);
	if (strlen(w) != 3 || strncmp(w, "1.", 2) != 0 || w[2] < '1' || w[2] > '3')
		return -EINVAL;
	l->version = 10 + (unsigned)(w[2] - '0');
	return 0;
}

static bool parse_fault(const char *w, struct lab_listen *l)
{
	if (strcmp(w, "silent") == 0)
		l->fault = LAB_TLS_SILENT;
	else if (strcmp(w, "hangup") == 0)
		l->fault = LAB_TLS_HANGUP;
	else if (strcmp(w, "plain") == 0)
		l->fault = LAB_TLS_PLAIN;
	else if (strcmp(w, "leave") == 0)
		l->fault = LAB_TLS_LEAVE;
	else
		return false;
	return true;
}

/* One option; what follows it is in *text. */
static int parse_option(const char *w, const char **text, struct lab_listen *l)
{
	if (parse_fault(w, l))
		return 0;
	if (strcmp(w, "cert") == 0)
		return parse_cert(text, l);
	if (strcmp(w, "version") == 0)
		return parse_version(text, l);
	if (strcmp(w, "names") == 0)
		return *word(text, l->names) ? 0 : -EINVAL;
	if (strcmp(w, "tickets") == 0)
		return number(text, &l->tickets);
	if (strcmp(w, "delay") == 0)
		return number(text, &l->delay_ms);
	if (strcmp(w, "drip") == 0)
		return number(text, &l->drip_ms);
	if (strcmp(w, "answers") == 0)
		return number(text, &l->answers);
	return -EINVAL;
}

/* "127.0.0.1:853" or "[::1]:853" without the port. */
static void default_names(struct lab_listen *l)
{
	const char *address = l->endpoint + (*l->endpoint == '[');
	size_t len = *l->endpoint == '[' ? strcspn(address, "]") : strcspn(address, ":");

	snprintf(l->names, sizeof(l->names), "dns.test,%.*s", (int)len, address);
}

int lab_listen_parse(const char *text, char *error, size_t error_size, struct lab_listen *ret)
{
	struct lab_listen l = {.tickets = 2};
	struct sockaddr_storage addr;
	socklen_t len;
	char w[256];

	snprintf(l.endpoint, sizeof(l.endpoint), "%s", word(&text, w));
	l.tls = strcmp(word(&text, w), "tls") == 0;
	if (lab_parse_endpoint(l.endpoint, l.tls ? TLS_PORT : 53, &addr, &len) || (*w && !l.tls)) {
		snprintf(error, error_size, "listen: bad address `%s %s`", l.endpoint, w);
		return -EINVAL;
	}
	while (l.tls && *word(&text, w)) {
		if (parse_option(w, &text, &l)) {
			snprintf(error, error_size, "listen: bad `%s`", w);
			return -EINVAL;
		}
	}
	if (!*l.names)
		default_names(&l);
	*ret = l;
	return 0;
}
