// SPDX-License-Identifier: MIT
/* settings_view.c - see settings_view.h. */
#include "shim/settings_view.h"

#include "shim/hash.h"

#include <netinet/in.h>

static uint64_t hash_address(const struct sockaddr_storage *addr, uint64_t seed)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

	if (addr->ss_family == AF_UNSPEC)
		return seed;
	if (addr->ss_family == AF_INET)
		return hash_bytes(&in->sin_addr, 4, seed ^ in->sin_port);
	return hash_bytes(&in6->sin6_addr, 16,
			  seed ^ in6->sin6_port ^ (uint64_t)in6->sin6_scope_id << 32);
}

static uint64_t hash_upstream(const struct resolver_upstream *u, uint64_t seed)
{
	seed = hash_fold(seed ^ u->transport, HASH_K0);
	if (u->transport == RESOLVER_TLS)
		seed = hash_string(u->host, seed ^ u->port);
	return hash_address(&u->addr, seed);
}

static uint64_t hash_tls(const struct resolver_conf *u, uint64_t seed)
{
	seed = hash_string(u->tls.ca_file, hash_fold(seed ^ u->tls.opportunistic, HASH_K0));
	seed = hash_bytes(u->tls.pins, u->tls.npins * sizeof u->tls.pins[0], seed);
	for (unsigned i = 0; u->tls.opportunistic && i < u->nbootstrap; i++)
		seed = hash_address(&u->bootstrap[i], seed);
	return seed;
}

static bool has_tls(const struct resolver_conf *u)
{
	for (unsigned i = 0; i < u->nupstreams; i++)
		if (u->upstreams[i].transport == RESOLVER_TLS)
			return true;
	return false;
}

uint64_t settings_view(const struct settings *s, uint64_t netns)
{
	uint64_t view = hash_fold(netns ^ HASH_K0, HASH_K1);

	view = hash_fold(view ^ s->upstreams.trust_ad, HASH_K1 ^ s->upstreams.use_tcp);
	view = hash_fold(view ^ s->config->min_ttl_s, HASH_K0 ^ s->config->max_ttl_s);
	for (unsigned i = 0; i < s->upstreams.nupstreams; i++)
		view = hash_upstream(&s->upstreams.upstreams[i], view);
	if (s->config->rebind_guard)
		view = hash_string(s->config->rebind_allow, hash_fold(view ^ HASH_K2, HASH_K0));
	return has_tls(&s->upstreams) ? hash_tls(&s->upstreams, view) : view;
}
