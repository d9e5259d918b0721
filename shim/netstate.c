// SPDX-License-Identifier: MIT
/* netstate.c - see netstate.h. Published and replaced as settings.c does it. */
#include "shim/netstate.h"

#include "shim/hash.h"
#include "shim/lock.h"
#include "shim/order.h"
#include "shim/process.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

static const struct netstate unknown = {.netif = {.seen_ipv4 = true, .seen_ipv6 = true}};

static _Atomic(struct netstate *) current; /* released by the reader of the network */
static _Atomic uint64_t checked_ms;
static struct lock lock;

static void free_netstate(struct rcu_head *head)
{
	struct netstate *state = (struct netstate *)head;

	netif_free(&state->netif);
	free(state);
}

/* The source address towards the rest of the world: it shows a default route that comes, goes or
 * moves while no interface address changes. Connecting a UDP socket sends nothing. */
static uint64_t hash_default_source(int family, uint64_t seed)
{
	/* TEST-NET-3 and the documentation prefix (RFC 5737, 3849): routed by default, if at all */
	static const struct order_dest v4 = {.family = AF_INET, .addr = {203, 0, 113, 1}};
	static const struct order_dest v6 = {.family = AF_INET6,
					     .addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	struct order_socket sock;
	struct order_probe probe = order_probe_open(&sock);
	struct in6_addr source;
	int r = probe.source(probe.ctx, family == AF_INET ? &v4 : &v6, &source);

	order_probe_close(&sock);
	return r < 0 ? hash_fold(seed, HASH_K0) : hash_bytes(&source, sizeof source, seed);
}

/* Is the network of `old` still the one that `netif` shows? What default route there was is learnt
 * at the second look: the first one is in the first lookup of a process, which shall not wait. */
static bool same_network(struct netstate *old, const struct netif *netif)
{
	uint64_t routes = hash_default_source(AF_INET6, hash_default_source(AF_INET, 0));
	bool same = old->netif.hash == netif->hash && (old->routes == routes || old->routes == 0);

	old->routes = routes;
	return same;
}

static void refresh_locked(struct netstate *old)
{
	struct netstate *state = calloc(1, sizeof *state);

	if (state == NULL)
		return;
	if (netif_read(&state->netif) < 0)
		state->netif = netif_unknown;
	if (old != NULL && same_network(old, &state->netif)) {
		free_netstate(&state->rcu);
		return;
	}
	state->generation = old == NULL ? 1 : old->generation + 1;
	state->routes = old == NULL ? 0 : old->routes;
	state->rcu.free = free_netstate;
	state = atomic_exchange_explicit(&current, state, memory_order_seq_cst);
	if (state != NULL)
		rcu_retire(&state->rcu);
}

static const struct netstate *refresh(struct netstate *state, uint64_t now_ms)
{
	uint64_t was = atomic_load_explicit(&checked_ms, memory_order_relaxed);
	int saved = errno;

	if (state != NULL && !atomic_compare_exchange_strong(&checked_ms, &was, now_ms))
		return state;
	if (process_check() != PROCESS_OWNER)
		return state == NULL ? &unknown : state;
	lock_take(&lock);
	if (state == atomic_load(&current)) {
		refresh_locked(state);
		atomic_store(&checked_ms, now_ms);
	}
	lock_release(&lock);
	errno = saved;
	state = atomic_load_explicit(&current, memory_order_acquire);
	return state == NULL ? &unknown : state;
}

const struct netstate *netstate_get(uint64_t now_ms)
{
	struct netstate *state = atomic_load_explicit(&current, memory_order_acquire);
	uint64_t checked = atomic_load_explicit(&checked_ms, memory_order_relaxed);

	if (state != NULL && now_ms - checked < NETSTATE_CHECK_MS)
		return state;
	return refresh(state, now_ms);
}

void netstate_reset(void)
{
	lock_reset(&lock);
}
