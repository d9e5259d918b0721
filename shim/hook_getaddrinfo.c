// SPDX-License-Identifier: MIT
/*
 * hook_getaddrinfo.c - getaddrinfo(3).
 *
 *	1. arguments that need no name service, or that are wrong, go to libc;
 *	2. AI_ADDRCONFIG, service and AI_IDN as libc does them;
 *	3. the lookup (lookup.h) over the cache; where it has to ask, resolve.h;
 *	4. the list (addrinfo.h).
 * Whatever goes wrong inside becomes the plain libc call, but for a name that is to be asked for
 * over TLS alone, and so not by libc.
 */
#include "shim/addrinfo.h"
#include "shim/gai_libc.h"
#include "shim/getaddrinfo.h"
#include "shim/hooks.h"
#include "shim/idn.h"
#include "shim/init.h"
#include "shim/netstate.h"
#include "shim/resolve.h"
#include "shim/trace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const struct addrinfo default_hints = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};

/* Is it an address, by inet_aton's generous rules, or does it at least look like one? */
static bool looks_numeric(const char *node)
{
	struct in_addr addr;

	if (*node >= '0' && *node <= '9' && inet_aton(node, &addr) != 0)
		return true;
	while (*node != '\0' && *node != ':' && *node != '%')
		node++;
	return *node != '\0';
}

bool getaddrinfo_is_ours(const char *node, const struct addrinfo *hints)
{
	if (node == NULL || *node == '\0' || strcmp(node, ".") == 0 || strcmp(node, "*") == 0)
		return false;
	if (hints != NULL) {
		if (hints->ai_flags & ~GETADDRINFO_LOOKUP_FLAGS)
			return false;
		if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET &&
		    hints->ai_family != AF_INET6)
			return false;
	}
	return !looks_numeric(node);
}

/* AI_ADDRCONFIG: only families that the host has an address of. */
static int narrow_family(struct addrinfo_request *request, const struct settings *settings,
			 uint64_t now_ms)
{
	const struct network *network;

	if (!(request->flags & AI_ADDRCONFIG))
		return 0;
	network = &netstate_get(settings, now_ms)->network;
	if (request->family == AF_UNSPEC) {
		if (network->seen_ipv4 != network->seen_ipv6)
			request->family = network->seen_ipv4 ? AF_INET : AF_INET6;
		return 0;
	}
	return (request->family == AF_INET ? network->seen_ipv4 : network->seen_ipv6) ? 0
										      : EAI_NONAME;
}

int getaddrinfo_prepare(const char *service, const struct addrinfo *hints,
			const struct settings *settings, uint64_t now_ms,
			struct addrinfo_request *ret)
{
	int r;

	if (hints == NULL)
		hints = &default_hints;
	if (service != NULL && strcmp(service, "*") == 0)
		service = NULL;
	ret->flags = hints->ai_flags;
	ret->family = hints->ai_family;
	r = narrow_family(ret, settings, now_ms);
	if (r != 0)
		return r;
	r = service_resolve(service, hints->ai_socktype, hints->ai_protocol, hints->ai_flags,
			    ret->tuples);
	ret->ntuples = r > 0 ? (unsigned)r : 0;
	return r < 0 ? r : 0;
}

int getaddrinfo_encode(const struct addrinfo_request *request, const char *node, char **ret_owned)
{
	const char *c = node;

	*ret_owned = NULL;
	if (!(request->flags & AI_IDN))
		return 0;
	while (*c > 0)
		c++;
	if (*c == '\0')
		return 0; /* plain ASCII encodes to itself */
	return idn_to_dns(node, ret_owned) == 0 ? 0 : EAI_IDN_ENCODE;
}

void getaddrinfo_query(const struct addrinfo_request *request, const struct resolve *call,
		       struct lookup_query *query)
{
	query->settings = call->settings;
	query->source = &call->source;
	query->family = request->family;
	query->want_canon = query->want_names = request->flags & AI_CANONNAME;
	query->v4mapped = request->flags & AI_V4MAPPED;
	query->all = request->flags & AI_ALL;
}

static enum lookup_result look_up(const struct addrinfo_request *request, struct resolve *call,
				  struct lookup_query *query, int *ret_eai, struct addrinfo **ret)
{
	struct lookup_answer answer;
	enum lookup_result r;
	const char *node = query->name;

	if (getaddrinfo_encode(request, node, &call->name_owned) != 0)
		return LOOKUP_LIBC; /* libc's own error, or success where only we failed */
	if (call->name_owned != NULL)
		lookup_query_name(query, call->name_owned);
	getaddrinfo_query(request, call, query);
	r = resolve_look_up(call, query, NULL, &answer);
	if (r == LOOKUP_DONE) {
		*ret_eai = answer.eai;
		if (answer.eai == 0)
			*ret_eai = addrinfo_finish(request, call->settings, node, &answer,
						   call->now_ms, ret);
		else
			h_errno = answer.h_err;
		if (*ret_eai == EAI_SYSTEM)
			errno = answer.err;
	}
	lookup_answer_free(&answer);
	return r;
}

/* What is not ours, or cannot be: an address libc knows without asking anybody, a name it may have
 * to ask for in clear text. Out of line: no hit comes here. */
__attribute__((noinline)) static int leave_to_libc(const char *node, const char *service,
						   const struct addrinfo *hints,
						   struct addrinfo **res)
{
	if (!init_stands_aside() && !gai_libc_is_quick(node, hints) && !settings_libc_may())
		return EAI_AGAIN;
	trace_note(TRACE_SOURCE_LIBC);
	return real_getaddrinfo(node, service, hints, res);
}

/* Not inlined, since it is called from two places, and would save registers that one of them does
 * not need saved. */
__attribute__((noinline)) static int answer(const char *node, const char *service,
					    const struct addrinfo *hints, struct addrinfo **res)
{
	struct addrinfo_request request;
	struct lookup_query query;
	struct resolve call;
	enum lookup_result r = LOOKUP_DONE;
	int eai, saved = errno;

	if (!getaddrinfo_is_ours(node, hints) || !resolve_begin(&call)) {
		errno = saved;
		return leave_to_libc(node, service, hints, res);
	}
	lookup_query_name(&query, node);
	resolve_expect(&call, &query);
	eai = getaddrinfo_prepare(service, hints, call.settings, call.now_ms, &request);
	if (eai == 0)
		r = look_up(&request, &call, &query, &eai, res);
	r = resolve_keep_private(&call, r, &eai);
	resolve_end(&call);
	if (r == LOOKUP_LIBC || eai != EAI_SYSTEM)
		errno = saved;
	if (r != LOOKUP_LIBC)
		return eai;
	trace_note(TRACE_SOURCE_LIBC);
	return real_getaddrinfo(node, service, hints, res);
}

/* The process has another role than INIT_PLAIN. */
__attribute__((noinline, cold)) static int
special(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	int family = hints == NULL ? AF_UNSPEC : hints->ai_family, r;
	struct trace_call call;

	if (init_stands_aside())
		return real_getaddrinfo(node, service, hints, res);
	if (!init_is_traced())
		return answer(node, service, hints, res);
	trace_begin(&call, node);
	if (init_is_libcs()) {
		trace_note(TRACE_SOURCE_LIBC);
		r = real_getaddrinfo(node, service, hints, res);
	} else {
		r = answer(node, service, hints, res);
	}
	trace_end_addrinfo(&call, family, r, r == 0 ? *res : NULL);
	return r;
}

int nbd_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		    struct addrinfo **res)
{
	return __builtin_expect(init_is_plain(), 1) ? answer(node, service, hints, res)
						    : special(node, service, hints, res);
}
