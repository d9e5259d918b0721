// SPDX-License-Identifier: MIT
/* connect_goal.c - see connect_goal.h. */
#include "shim/connect_goal.h"

#include "shim/clock.h"
#include "shim/process.h"
#include "shim/settings.h"
#include "shim/sockopts.h"
#include "shim/v4mapped.h"

#include <fcntl.h>
#include <string.h>

/* Programs that race by themselves do not block, and some wait for exactly as long as we do
 * (Node.js 250 ms). Their second attempt, by which they are known, shall come before ours. */
#define COURTESY_MS 8

static bool is_loopback(const struct order_dest *dest)
{
	static const unsigned char v6[16] = {[15] = 1};

	return dest->family == AF_INET ? dest->addr[0] == 127 : memcmp(dest->addr, v6, 16) == 0;
}

/* The address as lookups have it. */
static bool dest_of(const struct sockaddr *addr, socklen_t len, struct order_dest *ret,
		    in_port_t *ret_port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;

	memset(ret, 0, sizeof *ret);
	if (addr->sa_family == AF_INET) {
		ret->family = AF_INET;
		memcpy(ret->addr, &v4->sin_addr, 4);
		*ret_port = v4->sin_port;
		return true;
	}
	if (len < sizeof *v6)
		return false;
	*ret_port = v6->sin6_port;
	if (v4mapped_is(&v6->sin6_addr)) {
		ret->family = AF_INET;
		memcpy(ret->addr, v6->sin6_addr.s6_addr + V4MAPPED_PREFIX_LEN, 4);
		return true;
	}
	ret->family = AF_INET6;
	ret->scope_id = v6->sin6_scope_id;
	memcpy(ret->addr, &v6->sin6_addr, 16);
	return true;
}

/* The race's settings; false: it is off. */
static bool is_on(uint32_t *ret_delay_ms)
{
	rcu_token token = rcu_read_lock();
	const struct settings *settings = settings_peek();
	bool on = settings != NULL && settings->config->race && !settings->stand_aside;

	if (on)
		*ret_delay_ms = settings->config->race_delay_ms;
	rcu_read_unlock(token);
	return on;
}

/* Which of the name's addresses the socket can reach; the one that was asked for comes first. */
static void choose(const struct order_dest *asked, const struct order_dest *dests, unsigned n,
		   struct attempts_goal *race)
{
	race->dests[race->n++] = *asked;
	for (unsigned i = 0; i < n && race->n < SIBLINGS_MAX; i++) {
		bool can = dests[i].family == AF_INET ? race->ipv4 : race->family == AF_INET6;

		if (can && !order_dest_same(&dests[i], asked))
			race->dests[race->n++] = dests[i];
	}
}

bool connect_goal_find(const struct sockaddr *addr, socklen_t len, struct connect_goal *ret)
{
	if (!dest_of(addr, len, &ret->asked, &ret->race.port))
		return false;
	ret->now_ms = clock_boot_ms();
	ret->n = siblings_find(&ret->asked, ret->now_ms, ret->dests, &ret->race.more);
	ret->family = addr->sa_family;
	return ret->n != 0 && (ret->n != 1 || ret->race.more) && !is_loopback(&ret->asked);
}

/* What the socket can do; false: not race. */
static bool examine(struct connect_goal *ret)
{
	struct attempts_goal *race = &ret->race;
	struct sockopts_facts facts;
	int flags;

	if (swap_identify(ret->fd, &ret->id) < 0)
		return false;
	flags = sys_fcntl(ret->fd, F_GETFL, 0);
	if (flags < 0 || sockopts_examine(ret->fd, &facts) < 0 || facts.bar != SOCKOPTS_FREE ||
	    facts.family != ret->family)
		return false;
	race->family = facts.family;
	race->ipv4 = facts.family == AF_INET || !facts.v6only;
	race->blocking = !(flags & O_NONBLOCK);
	race->flags = flags;
	race->own_route = facts.own_route;
	race->delay_ms += race->blocking ? 0 : COURTESY_MS;
	return true;
}

bool connect_goal_prepare(struct connect_goal *ret)
{
	struct attempts_goal *race = &ret->race;

	if (attempts_raced() || process_check() != PROCESS_OWNER || !is_on(&race->delay_ms) ||
	    !examine(ret) || !attempts_room(ret->fd))
		return false;
	if (!race->blocking && attempts_rival(ret->fd, &ret->asked, race->port, ret->now_ms))
		race->delay_ms *= 2;
	choose(&ret->asked, ret->dests, ret->n, race);
	return race->n > 1 || race->more;
}
