// SPDX-License-Identifier: MIT
/* upstream_text.c - see upstream_text.h. */
#include "shim/tool/upstream_text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

const char *const upstream_schemes[RESOLVER_NTRANSPORTS] = {
	[RESOLVER_UDP] = "udp", [RESOLVER_TCP] = "tcp", [RESOLVER_TLS] = "tls"};

void upstream_address(const struct sockaddr_storage *addr, char *buf, size_t size)
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_in *in = (const void *)addr;
	char text[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1] = "";

	if (addr->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &in->sin_addr, buf, (socklen_t)size);
		return;
	}
	(void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
	if (in6->sin6_scope_id > 0) {
		scope[0] = '%';
		if (!if_indextoname(in6->sin6_scope_id, scope + 1))
			(void)snprintf(scope, sizeof(scope), "%%%u", in6->sin6_scope_id);
	}
	(void)snprintf(buf, size, "[%s%s]", text, scope);
}

unsigned upstream_port(const struct resolver_upstream *u)
{
	const struct sockaddr_in *in = (const void *)&u->addr; /* the same place in sockaddr_in6 */

	return u->addr.ss_family == AF_UNSPEC ? u->port : ntohs(in->sin_port);
}

void upstream_text(const struct resolver_upstream *u, char buf[UPSTREAM_TEXT])
{
	char address[80] = "";

	if (u->addr.ss_family == AF_UNSPEC) {
		(void)snprintf(buf, UPSTREAM_TEXT, "tls://%s:%u", u->host, upstream_port(u));
		return;
	}
	upstream_address(&u->addr, address, sizeof(address));
	(void)snprintf(buf, UPSTREAM_TEXT, "%s://%s:%u%s%s", upstream_schemes[u->transport],
		       address, upstream_port(u), u->host[0] ? "#" : "", u->host);
}
