// SPDX-License-Identifier: MIT
/*
 * order_cache.c - a set-associative table of permutations.
 *
 * The key is a hash of all that decides an order: the addresses, the network, the tables of
 * gai.conf, the families that this process may not use, and the current epoch; so nothing ever has
 * to be dropped. An epoch ends after ORDER_CACHE_MS, and when the history may have changed an order
 * (its generation): the numbers of both are added, and neither goes back.
 *
 * A slot is two words, the permutation and the key xor the permutation: a slot that another thread
 * or process is half way through writing does not match any key. Whatever comes out is checked to
 * be a permutation before it is used: damage can do no worse than put a list into another order.
 *
 *	bits 0 to 59	the first 15 indices, four bits each; the last one is what remains
 *	bits 60 to 63	number of the epoch, so that what is over is overwritten first
 *
 * A hint is the same in one word, for lists of up to HINT_LENGTH:
 *
 *	bits 0 to 19	the first 5 indices
 *	bits 20 to 23	number of the epoch
 *	bits 24 to 63	the key's
 *
 * Two kinds of processes or calls may ask for one name in different orders; so that they do not
 * write in turn for ever, the first one to come in each epoch has the hint.
 *
 * Size: a name in use must find its order, or each of its lookups costs system calls. Most names
 * use their hint. For the others, a cache of 8 MiB has 0.95 slots for each of its entries, one of
 * 256 KiB 0.4; beyond 1 GiB the table grows no more (cache_region.h). In sets of eight, one list in
 * five hundred finds its set full when 38 % of the slots are in use, one in seven thousand at 25 %.
 *
 * An order that not every process would have found (no descriptor was left for the question) is not
 * remembered. A process that may not use a family at all (a seccomp filter, as systemd's
 * RestrictAddressFamilies= makes it) has orders of its own, which it shares with its like.
 */
#include "shim/order_cache.h"

#include "shim/cache_region.h"
#include "shim/hash.h"
#include "shim/history_record.h"
#include "shim/hot.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#define WAYS	   8
#define LENGTH	   16 /* longest list that fits one word */
#define LOCAL_SETS 256
#define EPOCH_BITS 60 /* where the number of the epoch begins */

#define HINT_LENGTH	6
#define HINT_EPOCH_BITS 20
#define HINT_KEY_BITS	24

struct slot {
	_Atomic uint64_t check; /* key ^ perm */
	_Atomic uint64_t perm;
};

struct set {
	struct slot ways[WAYS];
};

_Static_assert(CACHE_PAGE % sizeof(struct set) == 0, "a set has one page");

static struct set local[LOCAL_SETS]; /* without a cache, or a name for the network's namespace */

enum { NO_IPV4 = 1, NO_IPV6 = 2 };

static HOT _Atomic unsigned forbidden; /* families that this process may not use */

/* ---- one slot ---- */

static bool unpack(uint64_t perm, unsigned n, uint16_t *ret_perm)
{
	uint32_t left = (uint32_t)((UINT64_C(1) << n) - 1);

	for (unsigned i = 0; i + 1 < n; i++, perm >>= 4) {
		ret_perm[i] = perm & 15;
		if (!(left >> ret_perm[i] & 1))
			return false;
		left &= ~(1u << ret_perm[i]);
	}
	ret_perm[n - 1] = (uint16_t)__builtin_ctz(left);
	return true;
}

static uint64_t pack(const uint16_t *perm, unsigned n, uint64_t epoch)
{
	uint64_t packed = 0;

	for (unsigned i = n - 1; i-- > 0;)
		packed = packed << 4 | perm[i];
	return packed | epoch << EPOCH_BITS;
}

static bool find(const struct set *set, uint64_t key, uint64_t *ret_perm)
{
	for (const struct slot *slot = set->ways; slot < set->ways + WAYS; slot++) {
		*ret_perm = atomic_load_explicit(&slot->perm, memory_order_relaxed);
		if ((atomic_load_explicit(&slot->check, memory_order_relaxed) ^ *ret_perm) == key)
			return true;
	}
	return false;
}

/* An unused slot, else one of an epoch that is over, else one that the key's other bits choose. */
static void put(struct set *set, uint64_t key, uint64_t perm)
{
	struct slot *slot = &set->ways[key & (WAYS - 1)];

	for (struct slot *s = set->ways; s < set->ways + WAYS; s++) {
		uint64_t old = atomic_load_explicit(&s->perm, memory_order_relaxed);

		if (atomic_load_explicit(&s->check, memory_order_relaxed) == 0) {
			slot = s;
			break;
		}
		if (old >> EPOCH_BITS != perm >> EPOCH_BITS)
			slot = s;
	}
	atomic_store_explicit(&slot->perm, perm, memory_order_relaxed);
	atomic_store_explicit(&slot->check, key ^ perm, memory_order_relaxed);
}

/* ---- the hint ---- */

static bool hint_find(_Atomic uint64_t *hint, unsigned n, uint64_t key, uint16_t *ret_perm)
{
	uint64_t word;

	if (hint == NULL || n > HINT_LENGTH)
		return false;
	word = atomic_load_explicit(hint, memory_order_relaxed);
	return (word ^ key) >> HINT_KEY_BITS == 0 && unpack(word, n, ret_perm);
}

static void hint_put(_Atomic uint64_t *hint, unsigned n, uint64_t key, uint64_t epoch,
		     const uint16_t *perm)
{
	uint64_t word, number = epoch & 15;

	if (hint == NULL || n > HINT_LENGTH)
		return;
	word = atomic_load_explicit(hint, memory_order_relaxed);
	if (word == 0 || (word >> HINT_EPOCH_BITS & 15) != number)
		atomic_store_explicit(hint,
				      key >> HINT_KEY_BITS << HINT_KEY_BITS |
					      number << HINT_EPOCH_BITS | pack(perm, n, 0),
				      memory_order_relaxed);
}

/* ---- the set of a key ---- */

/* The upper half of the key chooses: numbers of sets are no powers of two. */
static size_t choose(uint64_t key, size_t nsets)
{
	return (size_t)((key >> 32) * nsets >> 32);
}

static size_t offset_of(const struct cache *cache, uint64_t key)
{
	size_t nsets = cache_region_table_len(cache) / sizeof(struct set);

	return choose(key, nsets) * sizeof(struct set);
}

/* NULL where nobody has written near it. */
static const struct set *set_to_read(struct cache *cache, uint64_t key)
{
	return cache == NULL ? &local[choose(key, LOCAL_SETS)]
			     : cache_region_find(cache, offset_of(cache, key));
}

/* NULL where there is no memory. */
static struct set *set_to_write(struct cache *cache, uint64_t key)
{
	return cache == NULL ? &local[choose(key, LOCAL_SETS)]
			     : cache_region_claim(cache, offset_of(cache, key));
}

/* ---- sorting ---- */

/* A probe that keeps what the order's worth depends on. */
struct witness {
	struct order_probe probe;
	const struct netif *netif;
	struct cache *cache; /* of the history */
	uint64_t network, now_ms;
	bool uncertain; /* an answer was one of the moment */
};

static int source(void *ctx, const struct order_dest *dest, struct in6_addr *ret)
{
	struct witness *w = ctx;
	int r = w->probe.source(w->probe.ctx, dest, ret);

	if (order_is_verdict(r, w->netif))
		return r;
	if (r == -EAFNOSUPPORT || r == -EPERM || r == -EACCES)
		atomic_fetch_or_explicit(&forbidden, dest->family == AF_INET ? NO_IPV4 : NO_IPV6,
					 memory_order_relaxed);
	else
		w->uncertain = true;
	return r;
}

static bool is_native(void *ctx, uint32_t ifindex)
{
	struct witness *w = ctx;

	return w->probe.is_native(w->probe.ctx, ifindex);
}

/* A suspicion is over before an order is. */
static void known(void *ctx, const struct order_dest *dest, struct order_known *ret)
{
	struct witness *w = ctx;
	struct history_outcome outcome;

	history_record_find(w->cache, w->network, dest, w->now_ms, &outcome);
	*ret = (struct order_known){
		.broken = outcome.verdict == RACE_BROKEN && !outcome.suspected,
		.works = outcome.verdict == RACE_WORKS,
		.srtt_ms = outcome.srtt_ms,
	};
}

static struct cache *cache_of(const struct settings *settings, const struct netstate *state)
{
	return state->network.netns == 0 ? NULL : settings->cache;
}

/* *ret_lasting: it may be remembered for this network. */
static int sort(const struct order_dest *dests, unsigned n, const struct settings *settings,
		const struct netstate *state, uint64_t now_ms, uint16_t *ret_perm,
		bool *ret_lasting)
{
	struct order_socket sock;
	struct witness w = {
		.probe = order_probe_open(&sock),
		.netif = netstate_netif(state),
		.cache = cache_of(settings, state),
		.network = state->hash,
		.now_ms = now_ms,
	};
	const struct order_probe probe = {.source = source,
					  .is_native = is_native,
					  .known = settings->config->race ? known : NULL,
					  .ctx = &w};
	int r = order_sort(dests, n, &settings->gai, w.netif, &probe, ret_perm);

	order_probe_close(&sock);
	*ret_lasting = r == 0 && !w.uncertain && w.netif->hash == state->network.addresses;
	return r;
}

/* ---- together ---- */

static uint64_t key_of(const struct order_dest *dests, unsigned n, const struct settings *settings,
		       const struct netstate *state, uint64_t epoch)
{
	uint64_t rules = settings->gai_hash ^
			 atomic_load_explicit(&forbidden, memory_order_relaxed) * HASH_K2 ^
			 (settings->config->race ? HASH_K3 : 0);

	return hash_bytes(dests, n * sizeof *dests,
			  hash_fold(state->hash ^ rules, HASH_K0 ^ epoch));
}

/* The epoch is read before an order is made: what becomes known meanwhile makes another one. */
int order_cached(const struct order_dest *dests, unsigned n, const struct settings *settings,
		 const struct netstate *state, uint64_t now_ms, _Atomic uint64_t *hint,
		 uint16_t *ret_perm)
{
	struct cache *cache = cache_of(settings, state);
	uint64_t epoch = now_ms / ORDER_CACHE_MS + history_record_generation(cache), key, perm;
	const struct set *found;
	struct set *set;
	bool lasting;
	int r;

	if (n > LENGTH)
		return sort(dests, n, settings, state, now_ms, ret_perm, &lasting);
	key = key_of(dests, n, settings, state, epoch);
	if (hint_find(hint, n, key, ret_perm))
		return 0;
	found = set_to_read(cache, key);
	if (found != NULL && find(found, key, &perm) && unpack(perm, n, ret_perm)) {
		hint_put(hint, n, key, epoch, ret_perm);
		return 0;
	}
	r = sort(dests, n, settings, state, now_ms, ret_perm, &lasting);
	if (!lasting)
		return r;
	key = key_of(dests, n, settings, state, epoch); /* `forbidden` may have grown */
	set = set_to_write(cache, key);
	if (set != NULL)
		put(set, key, pack(ret_perm, n, epoch));
	hint_put(hint, n, key, epoch, ret_perm);
	return r;
}
