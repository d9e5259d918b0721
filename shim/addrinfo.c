// SPDX-License-Identifier: MIT
/* addrinfo.c - see addrinfo.h. */
#include "shim/addrinfo.h"

#include "shim/idn.h"
#include "shim/netstate.h"
#include "shim/order_cache.h"
#include "shim/siblings_lookup.h"
#include "shim/v4mapped.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct addrinfo *new_node(const struct addrinfo_request *request,
				 const struct service_tuple *tuple, const struct order_dest *dest)
{
	bool v4 = dest->family == AF_INET;
	socklen_t len = v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	struct addrinfo *node = malloc(sizeof *node + len);

	if (node == NULL)
		return NULL;
	*node = (struct addrinfo){
		.ai_flags = request->flags,
		.ai_family = dest->family,
		.ai_socktype = tuple->socktype,
		.ai_protocol = tuple->protocol,
		.ai_addrlen = len,
		.ai_addr = (struct sockaddr *)(node + 1),
	};
	memset(node->ai_addr, 0, len);
	if (v4) {
		struct sockaddr_in *in = (struct sockaddr_in *)node->ai_addr;

		in->sin_family = AF_INET;
		in->sin_port = tuple->port_be;
		memcpy(&in->sin_addr, dest->addr, 4);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)node->ai_addr;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = tuple->port_be;
		in6->sin6_scope_id = dest->scope_id;
		memcpy(&in6->sin6_addr, dest->addr, 16);
	}
	return node;
}

int addrinfo_build(const struct addrinfo_request *request, const struct order_dest *dests,
		   unsigned n, const uint16_t *perm, const char *canon, struct addrinfo **ret)
{
	struct addrinfo *first = NULL, **end = &first;

	for (unsigned i = 0; i < n; i++)
		for (unsigned t = 0; t < request->ntuples; t++) {
			*end = new_node(request, &request->tuples[t],
					&dests[perm == NULL ? i : perm[i]]);
			if (*end == NULL)
				goto no_memory;
			end = &(*end)->ai_next;
		}
	if (canon != NULL && first != NULL) {
		first->ai_canonname = strdup(canon);
		if (first->ai_canonname == NULL)
			goto no_memory;
	}
	*ret = first;
	return 0;
no_memory:
	if (first != NULL)
		freeaddrinfo(first);
	return EAI_MEMORY;
}

/* Where IPv6 addresses were found and only they are wanted, those that are IPv4 in disguise go. */
static void drop_mapped(const struct addrinfo_request *request, struct lookup_addrs *addrs)
{
	unsigned kept = 0;

	if (request->family != AF_INET6 ||
	    (request->flags & (AI_V4MAPPED | AI_ALL)) != AI_V4MAPPED || addrs->mapped)
		return;
	for (unsigned i = 0; i < addrs->n; i++)
		if (!v4mapped_is(addrs->v[i].addr))
			addrs->v[kept++] = addrs->v[i];
	addrs->n = kept;
}

static int canonical(const struct addrinfo_request *request, const char *name,
		     const struct lookup_answer *answer, const char **ret, char **ret_owned)
{
	const char *canon = answer->has_canon ? answer->names.canon : name;
	int r;

	if (!(request->flags & AI_CANONNAME))
		return 0;
	*ret = canon;
	if (!(request->flags & AI_CANONIDN))
		return 0;
	r = idn_from_dns(canon, ret_owned);
	if (r == 0)
		*ret = *ret_owned;
	return r;
}

static unsigned asked_for(const struct addrinfo_request *request)
{
	return siblings_asked(request->family, request->flags & AI_V4MAPPED,
			      request->flags & AI_ALL);
}

int addrinfo_finish(const struct addrinfo_request *request, const struct settings *settings,
		    const char *name, struct lookup_answer *answer, uint64_t now_ms,
		    struct addrinfo **ret)
{
	uint16_t few[LOOKUP_INLINE], *perm = NULL, *many = NULL;
	const char *canon = NULL;
	char *canon_owned = NULL;
	unsigned n;
	int r;

	drop_mapped(request, &answer->addrs);
	n = answer->addrs.n;
	if (n == 0)
		return EAI_NONAME;
	siblings_expect(answer->addrs.order, now_ms);
	r = canonical(request, name, answer, &canon, &canon_owned);
	if (r != 0)
		return r;
	if (n > 1 && n <= ORDER_MAX) {
		perm = n <= LOOKUP_INLINE ? few : (many = malloc(n * sizeof *many));
		if (perm != NULL &&
		    order_cached(answer->addrs.v, n, settings, netstate_get(settings, now_ms),
				 now_ms, answer->addrs.order, perm) < 0)
			perm = NULL;
	}
	r = addrinfo_build(request, answer->addrs.v, n, perm, canon, ret);
	if (r == 0)
		siblings_take(answer, perm, asked_for(request), settings, now_ms);
	free(many);
	free(canon_owned);
	return r;
}
