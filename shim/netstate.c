// SPDX-License-Identifier: MIT
/*
 * netstate.c - see netstate.h. Published and replaced as settings.c does it.
 *
 * What is told to other processes is only what every process of the namespace would have been told
 * by the kernel: not that a descriptor was lacking, or that a filter forbade the question; and not
 * what a thread saw that has changed its namespace since the settings were read. A process that may
 * not read the addresses goes by what it can see itself, or it could remember no order.
 */
#include "shim/netstate.h"

#include "shim/clock.h"
#include "shim/hash.h"
#include "shim/hot.h"
#include "shim/in_handler.h"
#include "shim/lock.h"
#include "shim/netns.h"
#include "shim/netroutes.h"
#include "shim/order.h"
#include "shim/process.h"
#include "shim/settings.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

static struct netstate unknown = {.network = {.seen_ipv4 = true, .seen_ipv6 = true}};

static HOT _Atomic(struct netstate *) current; /* released by the reader of the network */
HOT _Atomic uint64_t netstate_checked_ms, netstate_since_ms; /* written under the lock */
static HOT struct lock lock;
static HOT _Atomic bool refused; /* the kernel did not let this process read the addresses */

static void free_netif(struct netif *netif)
{
	if (netif == NULL)
		return;
	netif_free(netif);
	free(netif);
}

static void free_netstate(struct rcu_head *head)
{
	struct netstate *state = (struct netstate *)head;

	free_netif(atomic_load_explicit(&state->netif, memory_order_relaxed));
	free(state);
}

/* ---- asking the kernel ---- */

struct sources {
	uint64_t hash, place, netns;
	bool certain;
};

/* The source address towards the rest of the world: it shows a default route that comes, goes or
 * moves, in whatever table it is, while no interface address changes. Connecting a UDP socket sends
 * nothing. */
static void read_sources(const struct netif *netif, struct sources *ret)
{
	/* TEST-NET-3 and the documentation prefix (RFC 5737, 3849): routed by default, if at all */
	static const struct order_dest dests[] = {
		{.family = AF_INET, .addr = {203, 0, 113, 1}},
		{.family = AF_INET6, .addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
	};
	struct order_socket sock;
	struct order_probe probe = order_probe_open(&sock);

	*ret = (struct sources){.hash = HASH_K2, .place = HASH_K2, .certain = true};
	for (unsigned i = 0; i < 2; i++) {
		struct in6_addr source = IN6ADDR_ANY_INIT;
		int r = probe.source(probe.ctx, &dests[i], &source);

		ret->hash = hash_bytes(&source, sizeof source, ret->hash);
		ret->place = hash_bytes(&source, i == 0 ? sizeof source : 8, ret->place);
		ret->certain &= order_is_verdict(r, netif);
		if (ret->netns == 0 && sock.fd >= 0)
			ret->netns = netns_identify_socket(sock.fd);
	}
	order_probe_close(&sock);
}

/* A place that is known by the source addresses alone has this bit, and is compared with its like.
 */
#define BY_SOURCES UINT64_C(1)

/* `netif` is to be read, or only looked at, as `read` does. True where the result may be told to
 * others. A place of 0 is not known. */
static bool ask_kernel(uint64_t netns, int (*read)(struct netif *), struct netif *netif,
		       struct network *ret)
{
	uint64_t routes = 0, place = 0;
	struct sources sources;
	bool certain = read(netif) == 0;

	atomic_store_explicit(&refused, !certain, memory_order_relaxed);
	if (!certain)
		*netif = netif_unknown;
	read_sources(netif, &sources);
	certain &= netroutes_hash(&routes, &place) == 0;
	if (certain)
		place = hash_fold(netif->place ^ sources.place, place ^ HASH_K1) & ~BY_SOURCES;
	else
		place = sources.place | BY_SOURCES;
	*ret = (struct network){.netns = netns,
				.addresses = netif->hash,
				.routes = hash_fold(sources.hash ^ HASH_K0, routes ^ HASH_K1),
				.place = sources.certain ? place : 0,
				.seen_ipv4 = netif->seen_ipv4,
				.seen_ipv6 = netif->seen_ipv6};
	return certain && sources.certain && netns != 0 && sources.netns == netns;
}

/* ---- the current state ---- */

static bool is_same(const struct netstate *state, const struct network *network)
{
	const struct netif *netif = atomic_load_explicit(&state->netif, memory_order_acquire);
	const struct network *was = &state->network;

	return was->netns == network->netns && was->addresses == network->addresses &&
	       was->routes == network->routes && was->seen_ipv4 == network->seen_ipv4 &&
	       was->seen_ipv6 == network->seen_ipv6 && was->place == network->place &&
	       was->since_ms == network->since_ms &&
	       (netif == NULL || netif->hash == was->addresses);
}

/* What is seen of the families follows from the addresses. */
static uint64_t hash_network(const struct network *network)
{
	const uint64_t parts[] = {network->netns, network->addresses, network->routes};

	return hash_bytes(parts, sizeof parts, HASH_K1);
}

static void publish_locked(const struct network *network, struct netif *netif)
{
	struct netstate *state = calloc(1, sizeof *state);

	if (state == NULL) {
		free_netif(netif);
		return;
	}
	state->rcu.free = free_netstate;
	state->network = *network;
	state->hash = hash_network(network);
	atomic_init(&state->netif, netif);
	state = atomic_exchange_explicit(&current, state, memory_order_seq_cst);
	if (state != NULL)
		rcu_retire(&state->rcu);
}

static bool serves(const struct netstate *state, const struct settings *settings)
{
	return state != NULL && state->network.netns == settings->netns;
}

/* What another process has found out lately. */
static bool is_told(const struct settings *settings, uint64_t now_ms, struct network *ret,
		    uint64_t *ret_when_ms)
{
	return settings->cache != NULL && settings->netns != 0 &&
	       !atomic_load_explicit(&refused, memory_order_relaxed) &&
	       netstate_record_read(settings->cache, settings->netns, now_ms, NETSTATE_CHECK_MS,
				    ret, ret_when_ms);
}

static void tell(const struct settings *settings, struct network *network, uint64_t now_ms)
{
	if (settings->cache != NULL)
		network->since_ms = netstate_record_write(settings->cache, network, now_ms);
}

static bool are_places_comparable(uint64_t a, uint64_t b)
{
	return a != 0 && b != 0 && !((a ^ b) & BY_SOURCES);
}

/* Others may not have seen what this process has seen, or their word have been lost. `was_ms` is
 * when this process last knew it to be at the old place. */
static void compare_with_own(struct network *network, const struct network *was, uint64_t was_ms,
			     uint64_t now_ms)
{
	bool moved =
		are_places_comparable(was->place, network->place) && was->place != network->place;

	if (network->place == 0)
		network->place = was->place;
	if (moved && network->since_ms < was_ms)
		network->since_ms = now_ms;
	else if (!moved && network->since_ms < was->since_ms &&
		 was->since_ms <= now_ms + NETSTATE_CHECK_MS) /* or it is another clock's */
		network->since_ms = was->since_ms;
}

static void find_out(const struct settings *settings, struct netif *netif, uint64_t now_ms,
		     struct network *ret)
{
	if (ask_kernel(settings->netns, netif_read, netif, ret))
		tell(settings, ret, now_ms);
	else if (settings->cache != NULL && settings->netns != 0)
		ret->since_ms = netstate_record_since(settings->cache, settings->netns, now_ms);
}

static void refresh_locked(const struct settings *settings, struct netstate *old, uint64_t was_ms,
			   uint64_t now_ms)
{
	struct netif *netif = NULL;
	struct network network = unknown.network;
	uint64_t when_ms = now_ms;

	network.netns = settings->netns;
	if (!is_told(settings, now_ms, &network, &when_ms)) {
		netif = calloc(1, sizeof *netif);
		if (netif != NULL)
			find_out(settings, netif, now_ms, &network);
	}
	if (serves(old, settings))
		compare_with_own(&network, &old->network, was_ms, now_ms);
	if (old == NULL || !is_same(old, &network))
		publish_locked(&network, netif);
	else
		free_netif(netif);
	atomic_store(&netstate_since_ms, network.since_ms);
	atomic_store(&netstate_checked_ms, when_ms);
}

/* `was` is the time of the last check as the caller saw it: who saw an older one has lost. */
static const struct netstate *refresh(const struct settings *settings, struct netstate *state,
				      uint64_t was, uint64_t now_ms)
{
	int saved = errno;

	if (serves(state, settings) &&
	    !atomic_compare_exchange_strong(&netstate_checked_ms, &was, now_ms))
		return state;
	if (process_check() != PROCESS_OWNER)
		return state == NULL ? &unknown : state;
	lock_take(&lock);
	if (state == atomic_load(&current))
		refresh_locked(settings, state, was, now_ms);
	lock_release(&lock);
	errno = saved;
	state = atomic_load_explicit(&current, memory_order_acquire);
	return state == NULL ? &unknown : state;
}

const struct netstate *netstate_get(const struct settings *settings, uint64_t now_ms)
{
	struct netstate *state = atomic_load_explicit(&current, memory_order_acquire);
	uint64_t checked = atomic_load_explicit(&netstate_checked_ms, memory_order_relaxed);

	if (serves(state, settings) && !clock_elapsed(checked, now_ms, NETSTATE_CHECK_MS))
		return state;
	return refresh(settings, state, checked, now_ms);
}

/* Somebody has looked at `glimpse.when_ms`, and it was this. Guarded by the lock. */
static HOT struct {
	uint64_t netns, hash, when_ms;
} glimpse;

static void glimpse_locked(const struct settings *settings, uint64_t now_ms)
{
	struct network network;
	struct netif netif;
	uint64_t when_ms = now_ms;

	if (glimpse.hash != 0 && glimpse.netns == settings->netns &&
	    !clock_elapsed(glimpse.when_ms, now_ms, NETSTATE_CHECK_MS))
		return;
	if (!is_told(settings, now_ms, &network, &when_ms) &&
	    ask_kernel(settings->netns, netif_look, &netif, &network))
		tell(settings, &network, now_ms);
	glimpse.netns = settings->netns;
	glimpse.hash = hash_network(&network);
	glimpse.when_ms = when_ms;
}

uint64_t netstate_hash(const struct settings *settings, uint64_t now_ms)
{
	const struct netstate *state = atomic_load_explicit(&current, memory_order_acquire);
	uint64_t checked = atomic_load_explicit(&netstate_checked_ms, memory_order_relaxed), hash;

	if (serves(state, settings) && !clock_elapsed(checked, now_ms, NETSTATE_CHECK_MS))
		return state->hash;
	if (process_check() != PROCESS_OWNER)
		return 0;
	if (!lock_try(&lock)) {
		if (in_handler()) /* of malloc(), maybe, for which who has the lock may wait */
			return 0;
		lock_take(&lock);
	}
	glimpse_locked(settings, now_ms);
	hash = glimpse.hash;
	lock_release(&lock);
	return hash;
}

const struct netif *netstate_netif(const struct netstate *state)
{
	struct netif *netif = atomic_load_explicit(&state->netif, memory_order_acquire);
	struct netif *expected = NULL;

	if (netif != NULL || state == &unknown)
		return netif != NULL ? netif : &netif_unknown;
	netif = calloc(1, sizeof *netif);
	if (netif == NULL || netif_read(netif) < 0) {
		free(netif);
		atomic_store_explicit(&refused, true, memory_order_relaxed);
		return &netif_unknown;
	}
	/* the one field of a published state that changes */
	if (atomic_compare_exchange_strong(&((struct netstate *)state)->netif, &expected, netif))
		return netif;
	free_netif(netif); /* another thread was first */
	return expected;
}

void netstate_reset(void)
{
	lock_reset(&lock);
	atomic_store(&netstate_checked_ms, 0); /* it may be in other namespaces */
}
