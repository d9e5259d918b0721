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

#define TOKEN_MAX 384 /* scheme, address, scope, port and a name of 253 characters */

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

/* ADDRESS[:PORT]; modified. */
static int parse_address(char *text, uint64_t port, struct sockaddr_storage *ret)
{
	char *end = NULL, *colon = NULL;
	bool bracket = *text == '[';

	if (bracket) {
		text++;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		colon = end[1] ? end + 1 : NULL;
		*end = '\0';
	} else if (strchr(text, ':') == strrchr(text, ':')) {
		colon = strchr(text, ':'); /* two or more make an IPv6 address without a port */
	}
	if (colon) {
		*colon = '\0';
		if (!config_number_parse(colon + 1, 1, UINT16_MAX, &port))
			return -EINVAL;
	}
	memset(ret, 0, sizeof(*ret));
	if (bracket || strchr(text, ':'))
		return parse_ip6(text, port, ret);
	return parse_ip4(text, port, ret);
}

/* A host name (RFC 1123 section 2.1), as it stands in a certificate; no trailing dot. */
static bool valid_auth_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > 253 || name[0] == '.' || name[len - 1] == '.')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
	       len;
}

/* One entry; modified. */
static int parse_entry(char *text, struct config_upstream *ret)
{
	char *name = strchr(text, '#');

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const struct scheme *s = &schemes[i];

		if (strncasecmp(text, s->prefix, strlen(s->prefix)) != 0)
			continue;
		if (name) {
			*name++ = '\0';
			if (s->transport != RESOLVER_TLS || !valid_auth_name(name))
				return -EINVAL;
			strcpy(ret->auth_name, name);
		}
		ret->transport = s->transport;
		return parse_address(text + strlen(s->prefix), s->port, &ret->addr);
	}
	return -EINVAL;
}

int config_upstream_parse(const char *text, struct config_upstream ret[RESOLVER_MAX_UPSTREAMS],
			  unsigned *ret_n)
{
	struct config_upstream list[RESOLVER_MAX_UPSTREAMS];
	unsigned n = 0;

	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		size_t len = strcspn(text, " \t");
		char token[TOKEN_MAX];

		if (n == RESOLVER_MAX_UPSTREAMS || len >= sizeof(token))
			return -EINVAL;
		memcpy(token, text, len);
		token[len] = '\0';
		if (parse_entry(token, &list[n]) < 0)
			return -EINVAL;
		n++;
		text += len;
	}
	memcpy(ret, list, n * sizeof(list[0]));
	*ret_n = n;
	return 0;
}

/* RFC 8310 section 5, opportunistic privacy: the same server in clear text is better than none. */
static void downgrade(struct config_upstream *upstream)
{
	const uint16_t port = htons(53);

	upstream->transport = RESOLVER_UDP;
	if (upstream->addr.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&upstream->addr)->sin6_port = port;
	else
		((struct sockaddr_in *)&upstream->addr)->sin_port = port;
	upstream->auth_name[0] = '\0';
}

bool config_upstream_apply_tls(struct config *config)
{
	unsigned kept = 0, listed = config->nupstreams;
	bool changed = false;

	for (unsigned i = 0; i < listed; i++) {
		struct config_upstream *u = &config->upstreams[i];

		if (u->transport == RESOLVER_TLS) {
			changed = true;
			if (config->tls == CONFIG_TLS_STRICT)
				continue;
			downgrade(u);
		}
		config->upstreams[kept++] = *u;
	}
	config->nupstreams = kept;
	config->upstream_unusable = listed > 0 && kept == 0;
	return changed;
}
