// SPDX-License-Identifier: MIT
/*
 * order_cache.c - a set-associative table of permutations.
 *
 * The key is a hash of the addresses, the network's generation, the settings' serial and the
 * current ORDER_CACHE_MS, so nothing ever has to be dropped. A slot is two words, the permutation
 * (four bits an index, so lists of up to 16) and the key xor the permutation: a slot that another
 * thread is half way through writing does not match any key. Whatever comes out is checked to be a
 * permutation before it is used.
 *
 * Size: a name in use must find its order, or each of its lookups costs system calls. 50,000 names
 * fill 38 % of the slots; at eight ways a set, one in a thousand of them finds its set full. Memory
 * is what is used of it: an address list takes 16 bytes of a page that is there from its first use.
 */
#include "shim/order_cache.h"

#include "shim/hash.h"

#include <stdatomic.h>
#include <stdbool.h>

#define SETS   16384 /* a power of two */
#define WAYS   8
#define LENGTH 16 /* longest list that fits one word */

struct slot {
	_Atomic uint64_t check; /* key ^ perm */
	_Atomic uint64_t perm;
};

static struct slot table[SETS][WAYS];

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

static bool find(const struct slot set[WAYS], uint64_t key, uint64_t *ret_perm)
{
	for (const struct slot *slot = set; slot < set + WAYS; slot++) {
		*ret_perm = atomic_load_explicit(&slot->perm, memory_order_relaxed);
		if ((atomic_load_explicit(&slot->check, memory_order_relaxed) ^ *ret_perm) == key)
			return true;
	}
	return false;
}

/* An unused slot, else one that the key's other bits choose. */
static void put(struct slot set[WAYS], uint64_t key, uint64_t perm)
{
	struct slot *slot = &set[key >> 61];

	for (struct slot *s = set; s < set + WAYS; s++)
		if (atomic_load_explicit(&s->check, memory_order_relaxed) == 0) {
			slot = s;
			break;
		}
	atomic_store_explicit(&slot->perm, perm, memory_order_relaxed);
	atomic_store_explicit(&slot->check, key ^ perm, memory_order_relaxed);
}

int order_cached(const struct order_dest *dests, unsigned n, const struct settings *settings,
		 const struct netstate *state, uint64_t now_ms, uint16_t *ret_perm)
{
	uint64_t seed = (uint64_t)state->generation << 32 ^ settings->serial ^
			now_ms / ORDER_CACHE_MS << 16;
	struct slot *set;
	uint64_t key, perm;
	int r;

	if (n > LENGTH)
		return sort(dests, n, settings, state, ret_perm);
	key = hash_bytes(dests, n * sizeof *dests, hash_fold(seed, HASH_K0));
	set = table[key % SETS];
	if (find(set, key, &perm) && unpack(perm, n, ret_perm))
		return 0;
	r = sort(dests, n, settings, state, ret_perm);
	if (r == 0)
		put(set, key, pack(ret_perm, n));
	return r;
}
