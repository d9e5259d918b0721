// SPDX-License-Identifier: MIT
/* history.c - see history.h: finds the cache of a view, and the network's name. */
#include "shim/history.h"

#include "shim/history_record.h"
#include "shim/netstate.h"
#include "shim/rcu.h"
#include "shim/settings.h"

#include <errno.h>

/* Valid inside rcu_read_lock(). */
static struct cache *cache_of(const struct history_view *view)
{
	const struct settings *settings = view->shared ? settings_peek() : NULL;

	return settings == NULL ? NULL : settings->cache;
}

bool history_view(uint64_t now_ms, struct history_view *ret)
{
	rcu_token token = rcu_read_lock();
	const struct settings *settings = settings_peek();
	uint64_t network = 0;

	if (settings != NULL && !settings->stand_aside && settings->config->race)
		network = netstate_hash(settings, now_ms);
	if (network != 0)
		*ret = (struct history_view){
			.network = network,
			.shared = settings->netns != 0 && settings->cache != NULL,
		};
	rcu_read_unlock(token);
	return network != 0;
}

void history_find(const struct history_view *view, const struct order_dest *dest, uint64_t now_ms,
		  struct history_outcome *ret)
{
	rcu_token token = rcu_read_lock();

	history_record_find(cache_of(view), view->network, dest, now_ms, ret);
	rcu_read_unlock(token);
}

void history_connected(const struct history_view *view, const struct order_dest *dest,
		       uint32_t rtt_ms, uint64_t now_ms)
{
	rcu_token token = rcu_read_lock();

	history_record_connected(cache_of(view), view->network, dest, rtt_ms, now_ms);
	rcu_read_unlock(token);
}

bool history_failure_of(int error, enum history_failure *ret)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
		*ret = HISTORY_REFUSED;
		return true;
	case ETIMEDOUT:
		*ret = HISTORY_SILENT;
		return true;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
		*ret = HISTORY_UNREACHABLE;
		return true;
	}
	return false;
}

void history_failed(const struct history_view *view, const struct order_dest *dest,
		    enum history_failure failure, uint64_t now_ms)
{
	rcu_token token = rcu_read_lock();

	history_record_failed(cache_of(view), view->network, dest, failure, now_ms);
	rcu_read_unlock(token);
}

void history_trying(const struct history_view *view, const struct order_dest *dest, uint64_t now_ms)
{
	rcu_token token = rcu_read_lock();

	history_record_trying(cache_of(view), view->network, dest, now_ms);
	rcu_read_unlock(token);
}

void history_pending(const struct history_view *view, const struct order_dest *dest,
		     uint64_t now_ms)
{
	rcu_token token = rcu_read_lock();

	history_record_pending(cache_of(view), view->network, dest, now_ms);
	rcu_read_unlock(token);
}

bool history_claim(const struct history_view *view, const struct order_dest *dest, uint64_t now_ms)
{
	rcu_token token = rcu_read_lock();
	bool mine = history_record_claim(cache_of(view), view->network, dest, now_ms);

	rcu_read_unlock(token);
	return mine;
}
