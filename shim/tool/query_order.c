// SPDX-License-Identifier: MIT
/* query_order.c - the order of the addresses of an answer, and why: see query.h. */
#include "shim/history_record.h"
#include "shim/netstate.h"
#include "shim/order_cache.h"
#include "shim/tool/query.h"

#include <arpa/inet.h>

/* The real probe, and the history. */
struct witness {
	struct order_probe probe;
	struct cache *cache;
	uint64_t network, now_ms;
};

void query_address(const struct order_dest *dest, char ret[64])
{
	if (inet_ntop(dest->family, dest->addr, ret, 64) == NULL)
		ret[0] = '\0';
}

static int source(void *ctx, const struct order_dest *dest, struct in6_addr *ret)
{
	const struct witness *w = ctx;

	return w->probe.source(w->probe.ctx, dest, ret);
}

static bool is_native(void *ctx, uint32_t ifindex)
{
	const struct witness *w = ctx;

	return w->probe.is_native(w->probe.ctx, ifindex);
}

static void known(void *ctx, const struct order_dest *dest, struct order_known *ret)
{
	const struct witness *w = ctx;
	struct history_outcome outcome;

	history_record_find(w->cache, w->network, dest, w->now_ms, &outcome);
	*ret = (struct order_known){
		.broken = outcome.verdict == RACE_BROKEN && !outcome.suspected,
		.works = outcome.verdict == RACE_WORKS,
		.srtt_ms = outcome.srtt_ms,
	};
}

static const char *rule_text(enum order_rule rule)
{
	switch (rule) {
	case ORDER_BROKEN:
		return "connects to it fail";
	case ORDER_UNREACHABLE:
		return "rule 1, there is no route to it";
	case ORDER_SCOPE:
		return "rule 2, scope of the source address";
	case ORDER_DEPRECATED:
		return "rule 3, its source address is deprecated";
	case ORDER_HOME:
		return "rule 4, home address";
	case ORDER_LABEL:
		return "rule 5, label of the source address";
	case ORDER_PRECEDENCE:
		return "rule 6, precedence";
	case ORDER_NATIVE:
		return "rule 7, it goes through a tunnel";
	case ORDER_SMALL_SCOPE:
		return "rule 8, scope";
	case ORDER_HISTORY:
		return "connects to the one before are quicker, or known to work";
	case ORDER_PREFIX:
		return "rule 9, common prefix with the source address";
	case ORDER_AS_GIVEN:
		break;
	}
	return "rule 10, as the server had them";
}

static void explain(const struct resolve *call, const struct netstate *state,
		    const struct lookup_addrs *addrs, const uint16_t *perm)
{
	struct order_socket sock;
	struct witness w = {
		.probe = order_probe_open(&sock),
		.cache = state->network.netns == 0 ? NULL : call->settings->cache,
		.network = state->hash,
		.now_ms = call->now_ms,
	};
	const struct order_probe probe = {.source = source,
					  .is_native = is_native,
					  .known = call->settings->config->race ? known : NULL,
					  .ctx = &w};
	char text[64];

	for (unsigned i = 0; i < addrs->n; i++) {
		struct order_dest pair[2] = {addrs->v[perm[i > 0 ? i - 1 : 0]], addrs->v[perm[i]]};

		query_address(&pair[1], text);
		if (i == 0)
			query_step("order", "%s first", text);
		else
			query_step("order", "then %s: %s", text,
				   rule_text(order_explain(pair, &call->settings->gai,
							   netstate_netif(state), &probe)));
	}
	order_probe_close(&sock);
}

void query_order(const struct resolve *call, struct lookup_answer *answer, uint16_t *ret_perm)
{
	const struct netstate *state = netstate_get(call->settings, call->now_ms);
	unsigned n = answer->addrs.n;

	for (unsigned i = 0; i < n; i++)
		ret_perm[i] = (uint16_t)i;
	if (n > 1 && n <= ORDER_MAX)
		(void)order_cached(answer->addrs.v, n, call->settings, state, call->now_ms,
				   answer->addrs.order, ret_perm);
	explain(call, state, &answer->addrs, ret_perm);
}
