// SPDX-License-Identifier: MIT
/*
 * order_cache.c - a direct-mapped table of permutations.
 *
 * The key is a hash of the addresses, the network's generation, the settings' serial and the
 * current ORDER_CACHE_MS, so nothing ever has to be dropped. A slot is two words, the permutation
 * (four bits an index, so lists of up to 16) and the key xor the permutation: a slot that another
 * thread is half way through writing does not match any key. Whatever comes out is checked to be a
 * permutation before it is used.
 */
#include "shim/order_cache.h"

#include "shim/hash.h"

#include <stdatomic.h>

#define SLOTS  1024 /* a power of two; 16 KiB */
#define LENGTH 16   /* longest list that fits one word */

struct slot {
	_Atomic uint64_t check; /* key ^ perm */
	_Atomic uint64_t perm;
};

static struct slot slots[SLOTS];

static bool unpack(uint64_t perm, unsigned n, uint16_t *ret_perm)
{
	uint32_t seen = 0;

	for (unsigned i = 0; i < n; i++, perm >>= 4) {
		ret_perm[i] = perm & 15;
		seen |= 1u << ret_perm[i];
	}
	return seen == (1u << n) - 1;
}

static uint64_t pack(const uint16_t *perm, unsigned n)
{
	uint64_t packed = 0;

	for (unsigned i = n; i-- > 0;)
		packed = packed << 4 | perm[i];
	return packed;
}

static int sort(const struct order_dest *dests, unsigned n, const struct settings *settings,
		const struct netstate *state, uint16_t *ret_perm)
{
	struct order_socket sock;
	struct order_probe probe = order_probe_open(&sock);
	int r = order_sort(dests, n, &settings->gai, &state->netif, &probe, ret_perm);

	order_probe_close(&sock);
	return r;
}

int order_cached(const struct order_dest *dests, unsigned n, const struct settings *settings,
		 const struct netstate *state, uint64_t now_ms, uint16_t *ret_perm)
{
	uint64_t seed = (uint64_t)state->generation << 32 ^ settings->serial ^
			now_ms / ORDER_CACHE_MS << 16;
	struct slot *slot;
	uint64_t key, perm;
	int r;

	if (n > LENGTH)
		return sort(dests, n, settings, state, ret_perm);
	key = hash_bytes(dests, n * sizeof *dests, hash_fold(seed, HASH_K0));
	slot = &slots[key & (SLOTS - 1)];
	perm = atomic_load_explicit(&slot->perm, memory_order_relaxed);
	if ((atomic_load_explicit(&slot->check, memory_order_relaxed) ^ perm) == key &&
	    unpack(perm, n, ret_perm))
		return 0;
	r = sort(dests, n, settings, state, ret_perm);
	if (r == 0) {
		perm = pack(ret_perm, n);
		atomic_store_explicit(&slot->perm, perm, memory_order_relaxed);
		atomic_store_explicit(&slot->check, key ^ perm, memory_order_relaxed);
	}
	return r;
}
