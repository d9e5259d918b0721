// SPDX-License-Identifier: MIT
/*
 * config_upstream.c - see config_upstream.h.
 */
#include "shim/config_upstream.h"

#include "shim/config_number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <strings.h>

#define TOKEN_MAX     384 /* scheme, address, scope, port and a name of 253 characters */
#define HOST_LEN_MAX  253 /* RFC 1035 2.3.4, in presentation form without the root's dot */
#define LABEL_LEN_MAX 63

/* Whatever the program's locale says. */
#define HOST_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

static const struct scheme {
	const char *prefix;
	enum resolver_transport transport;
	uint16_t port;
} schemes[] = {
	{"udp://", RESOLVER_UDP, 53},
	{"tcp://", RESOLVER_TCP, 53},
	{"tls://", RESOLVER_TLS, 853},
};

static int parse_scope(const char *scope, uint32_t *ret)
{
	uint64_t index;

	if (!config_number_parse(scope, 1, UINT32_MAX, &index))
		index = if_nametoindex(scope);
	if (index == 0)
		return -EINVAL;
	*ret = (uint32_t)index;
	return 0;
}

/* `text` is "ADDRESS" or "ADDRESS%SCOPE"; modified. */
static int parse_ip6(char *text, uint64_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	char *scope = strchr(text, '%');

	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return -EINVAL;
	if (scope && parse_scope(scope, &in6->sin6_scope_id) < 0)
		return -EINVAL;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	return 0;
}

static int parse_ip4(const char *text, uint64_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;

	if (inet_pton(AF_INET, text, &in->sin_addr) != 1)
		return -EINVAL;
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	return 0;
}

/* HOST[:PORT], [HOST][:PORT]; modified. */
static int split_port(char *text, char **ret_host, bool *ret_ip6, uint64_t *ret_port)
{
	char *end, *colon = NULL;

	*ret_host = text;
	*ret_ip6 = *text == '[';
	if (*ret_ip6) {
		++*ret_host;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		colon = end[1] ? end + 1 : NULL;
		*end = '\0';
	} else if (strchr(text, ':') == strrchr(text, ':')) {
		colon = strchr(text, ':');
	} else {
		*ret_ip6 = true; /* two colons or more: an address without a port */
	}
	if (!colon)
		return 0;
	*colon = '\0';
	return config_number_parse(colon + 1, 1, UINT16_MAX, ret_port) ? 0 : -EINVAL;
}

/*
 * A host name (RFC 1123 section 2.1) without a trailing dot, in lower case. One whose last label is
 * a number is a misspelt address.
 */
static bool copy_host(const char *name, char ret[RESOLVER_HOST_MAX])
{
	size_t label = 0, len = strlen(name), digits = 0;

	if (len > HOST_LEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '.') {
			if (label == 0)
				return false;
			label = digits = 0;
		} else {
			if (!strchr(HOST_LETTERS, name[i]) || ++label > LABEL_LEN_MAX)
				return false;
			digits += name[i] >= '0' && name[i] <= '9';
		}
		ret[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
	}
	ret[len] = '\0';
	return label > digits;
}

static int parse_server(char *text, const struct scheme *s, struct resolver_upstream *ret)
{
	uint64_t port = s->port;
	char *host;
	bool ip6;

	if (split_port(text, &host, &ip6, &port) < 0)
		return -EINVAL;
	if (ip6)
		return parse_ip6(host, port, &ret->addr);
	if (parse_ip4(host, port, &ret->addr) == 0)
		return 0;
	if (s->transport != RESOLVER_TLS || ret->host[0] || !copy_host(host, ret->host))
		return -EINVAL;
	ret->port = (uint16_t)port;
	return 0;
}

/* One entry; modified. */
static int parse_entry(char *text, struct resolver_upstream *ret)
{
	char *name = strchr(text, '#');

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const struct scheme *s = &schemes[i];

		if (strncasecmp(text, s->prefix, strlen(s->prefix)) != 0)
			continue;
		if (name) {
			*name++ = '\0';
			if (s->transport != RESOLVER_TLS || !copy_host(name, ret->host))
				return -EINVAL;
		}
		ret->transport = s->transport;
		return parse_server(text + strlen(s->prefix), s, ret);
	}
	return -EINVAL;
}

int config_upstream_parse(const char *text, struct resolver_upstream ret[RESOLVER_MAX_UPSTREAMS],
			  unsigned *ret_n)
{
	unsigned n = 0;

	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		size_t len = strcspn(text, " \t");
		char token[TOKEN_MAX];

		if (n == RESOLVER_MAX_UPSTREAMS || len >= sizeof(token))
			return -EINVAL;
		memcpy(token, text, len);
		token[len] = '\0';
		if (parse_entry(token, &ret[n]) < 0)
			return -EINVAL;
		n++;
		text += len;
	}
	*ret_n = n;
	return 0;
}
