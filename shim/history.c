// SPDX-License-Identifier: MIT
/*
 * history.c - see history.h.
 *
 * The words of a slot (history_table.h):
 *
 *		  of an address				of a prefix
 *	estimate  srtt, rttvar, srtt as announced	the same, of all its addresses
 *	outcome	  the latest: bits 0, 1 the verdict	the latest: bits 0, 1 how many addresses
 *have (enum race_verdict), bits 2 to 4	failed since one worked, at most 2; bits 2 to re-tries since
 *it worked		4 re-tries; bits 5 to 15 the last that failed
 *	other	  since when an attempt is pending	the last success, and 16 bits of whose
 *
 * The estimate is in 1/16 ms, 16 bits each: up to 4 s, where HISTORY_RTT_MAX_MS is one.
 */
#include "shim/history.h"

#include "shim/cache_region.h"
#include "shim/hash.h"
#include "shim/history_table.h"
#include "shim/netstate.h"
#include "shim/rcu.h"
#include "shim/settings.h"
#include "shim/v4mapped.h"

#include <errno.h>
#include <string.h>

#define UNITS	    16 /* to a ms */
#define TRIES	    8  /* of a compare and swap; others are busy with the word, and say the same */
#define VERDICT	    3u
#define RETRY_SHIFT 2
#define RETRY_MASK  7u
#define WHO_SHIFT   5

uint32_t history_retry_ms = HISTORY_RETRY_MS;

static _Atomic uint64_t local_generation;

/* ---- keys ---- */

struct keys {
	uint64_t addr, prefix;
};

static struct keys keys_of(uint64_t network, const struct order_dest *dest)
{
	struct order_dest d = {.family = dest->family};
	bool mapped = d.family == AF_INET6 && v4mapped_is(dest->addr);
	unsigned len = d.family == AF_INET || mapped ? 4 : 16;
	struct keys keys;

	memcpy(d.addr, dest->addr + (mapped ? V4MAPPED_PREFIX_LEN : 0), len);
	if (len == 4)
		d.family = AF_INET;
	else
		d.scope_id = dest->scope_id;
	keys.addr = hash_bytes(&d, sizeof d, network ^ HASH_K0) | 1;
	memset(d.addr + (len == 4 ? 3 : 6), 0, len - (len == 4 ? 3 : 6));
	keys.prefix = hash_bytes(&d, sizeof d, network ^ HASH_K1) | 1;
	return keys;
}

/* ---- words ---- */

static uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static bool swap(_Atomic uint64_t *word, uint64_t *old, uint64_t value)
{
	return atomic_compare_exchange_strong_explicit(word, old, value, memory_order_relaxed,
						       memory_order_relaxed);
}

/* The payload of a word that is the key's and not older than `hold_ms`; else 0. */
static uint16_t payload_of(uint64_t word, uint64_t key, uint64_t now_ms, uint64_t hold_ms)
{
	return history_word_is_of(word, key) && history_word_age(word, now_ms) < hold_ms
		       ? history_word_payload(word)
		       : 0;
}

/* ---- the generation ---- */

static _Atomic uint64_t *generation_of(const struct cache *cache)
{
	unsigned char *records;

	if (cache == NULL)
		return &local_generation;
	records = cache_region_records(cache);
	return (_Atomic uint64_t *)(void *)(records + CACHE_REGION_GENERATION_AT);
}

uint64_t history_generation(const struct cache *cache)
{
	return atomic_load_explicit(generation_of(cache), memory_order_acquire);
}

/* Whoever sees the new generation finds what it stands for. */
static void announce(const struct cache *cache)
{
	atomic_fetch_add_explicit(generation_of(cache), 1, memory_order_release);
}

/* ---- the round trip ---- */

/* In 1/16 ms. */
struct estimate {
	uint16_t srtt, rttvar, announced;
};

static bool estimate_read(const struct history_slot *slot, uint64_t key, struct estimate *ret)
{
	uint64_t word = load(&slot->estimate);

	*ret = (struct estimate){(uint16_t)(word >> 32), (uint16_t)(word >> 16), (uint16_t)word};
	return history_word_is_of(word, key) && ret->srtt != 0;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a < b ? b - a : a - b;
}

/* RFC 6298 section 2.2 and 2.3, rounded to the nearest. */
static void estimate_add(struct estimate *e, uint32_t sample)
{
	if (e->srtt == 0) {
		*e = (struct estimate){(uint16_t)sample, (uint16_t)(sample / 2), (uint16_t)sample};
		return;
	}
	e->rttvar = (uint16_t)((3u * e->rttvar + distance(e->srtt, sample) + 2) / 4);
	e->srtt = (uint16_t)((7u * e->srtt + sample + 4) / 8);
}

/* `fresh`: nothing that is known still counts. True: the round trip is not any more what orders
 * were made by. */
static bool estimate_update(struct history_slot *slot, uint64_t key, uint32_t rtt_ms, bool fresh)
{
	uint32_t sample = rtt_ms == 0 ? UNITS / 2 : rtt_ms * UNITS;
	uint64_t old = load(&slot->estimate);
	struct estimate e;
	bool moved;

	if (rtt_ms >= HISTORY_RTT_MAX_MS)
		return false;
	if (!estimate_read(slot, key, &e) || fresh)
		e.srtt = 0;
	estimate_add(&e, sample);
	moved = distance(e.srtt, e.announced) >= RACE_RTT_TIE_MS * UNITS;
	if (moved)
		e.announced = e.srtt;
	(void)swap(&slot->estimate, &old,
		   key << 48 | (uint64_t)e.srtt << 32 | (uint64_t)e.rttvar << 16 | e.announced);
	return moved;
}

static void estimate_tell(const struct history_slot *slot, uint64_t key,
			  struct history_outcome *ret)
{
	struct estimate e;

	if (!estimate_read(slot, key, &e))
		return;
	ret->srtt_ms = (e.srtt + UNITS / 2) / UNITS;
	if (ret->srtt_ms == 0)
		ret->srtt_ms = 1; /* 0 is: not known */
	ret->rttvar_ms = (e.rttvar + UNITS - 1) / UNITS;
}

/* ---- finding ---- */

static enum race_verdict verdict_of(uint64_t outcome, uint64_t key, uint64_t now_ms)
{
	switch (payload_of(outcome, key, now_ms, HISTORY_HOLD_MS) & VERDICT) {
	case RACE_WORKS:
		return RACE_WORKS;
	case RACE_BROKEN:
		return RACE_BROKEN;
	}
	return RACE_UNKNOWN;
}

static bool is_pending(const struct history_slot *slot, uint64_t key, uint64_t now_ms)
{
	return payload_of(load(&slot->other), key, now_ms, HISTORY_SUSPECT_MS) != 0;
}

static bool find_address(const struct history_slot *slot, uint64_t key, uint64_t now_ms,
			 struct history_outcome *ret)
{
	ret->verdict = verdict_of(load(&slot->outcome), key, now_ms);
	if (ret->verdict != RACE_UNKNOWN)
		estimate_tell(slot, key, ret);
	if (ret->verdict != RACE_BROKEN && is_pending(slot, key, now_ms)) {
		ret->verdict = RACE_BROKEN;
		ret->suspected = true;
	}
	return ret->verdict != RACE_UNKNOWN;
}

static bool is_prefix_broken(const struct history_slot *slot, uint64_t key, uint64_t now_ms)
{
	uint16_t payload = payload_of(load(&slot->outcome), key, now_ms, HISTORY_HOLD_MS);

	return (payload & VERDICT) >= 2 &&
	       payload_of(load(&slot->other), key, now_ms, HISTORY_HOLD_MS) == 0;
}

static void find_prefix(const struct history_slot *slot, uint64_t key, uint64_t now_ms,
			struct history_outcome *ret)
{
	uint64_t outcome = load(&slot->outcome);

	if (!history_word_is_of(outcome, key) ||
	    history_word_age(outcome, now_ms) >= HISTORY_HOLD_MS)
		return;
	if (is_prefix_broken(slot, key, now_ms))
		ret->verdict = RACE_BROKEN;
	estimate_tell(slot, key, ret);
}

void history_find_in(struct cache *cache, uint64_t network, const struct order_dest *dest,
		     uint64_t now_ms, struct history_outcome *ret)
{
	const struct keys keys = keys_of(network, dest);
	const struct history_slot *slot = history_table_find(cache, keys.addr);

	*ret = (struct history_outcome){.verdict = RACE_UNKNOWN};
	if (slot != NULL && find_address(slot, keys.addr, now_ms, ret))
		return;
	slot = history_table_find(cache, keys.prefix);
	if (slot != NULL)
		find_prefix(slot, keys.prefix, now_ms, ret);
}

/* ---- outcomes ---- */

/* Replaces the verdict; re-tries are forgotten by a success. Returns the one that was there. */
static enum race_verdict address_note(struct history_slot *slot, uint64_t key,
				      enum race_verdict verdict, uint64_t now_ms)
{
	uint64_t old = load(&slot->outcome), word;
	enum race_verdict was;

	for (unsigned i = 0; i < TRIES; i++) {
		uint16_t payload = (uint16_t)verdict;

		was = verdict_of(old, key, now_ms);
		if (was == RACE_BROKEN && verdict == RACE_BROKEN)
			payload |= history_word_payload(old) & RETRY_MASK << RETRY_SHIFT;
		word = history_word(key, payload, now_ms);
		if (swap(&slot->outcome, &old, word))
			break;
	}
	store(&slot->other, 0); /* no longer pending */
	return was;
}

static bool prefix_connected(struct history_slot *slot, const struct keys *keys, uint32_t rtt_ms,
			     uint64_t now_ms)
{
	bool broken = is_prefix_broken(slot, keys->prefix, now_ms);
	uint64_t outcome = load(&slot->outcome);
	bool fresh = !history_word_is_of(outcome, keys->prefix) ||
		     history_word_age(outcome, now_ms) >= HISTORY_HOLD_MS;

	store(&slot->outcome, history_word(keys->prefix, 0, now_ms));
	store(&slot->other, history_word(keys->prefix, (uint16_t)keys->addr, now_ms));
	return estimate_update(slot, keys->prefix, rtt_ms, fresh) || broken;
}

static void note_connected(struct cache *cache, uint64_t network, const struct order_dest *dest,
			   uint32_t rtt_ms, uint64_t now_ms)
{
	const struct keys keys = keys_of(network, dest);
	struct history_slot *slot = history_table_claim(cache, keys.addr, now_ms);
	bool changed = false;

	if (slot != NULL) {
		enum race_verdict was = address_note(slot, keys.addr, RACE_WORKS, now_ms);

		changed |= was == RACE_BROKEN;
		changed |= estimate_update(slot, keys.addr, rtt_ms, was == RACE_UNKNOWN);
	}
	slot = history_table_claim(cache, keys.prefix, now_ms);
	if (slot != NULL)
		changed |= prefix_connected(slot, &keys, rtt_ms, now_ms);
	if (changed)
		announce(cache);
}

/* One more address of the prefix has failed, unless it is the one that did the last time. */
static bool prefix_failed(struct history_slot *slot, const struct keys *keys, uint64_t now_ms)
{
	bool broken = is_prefix_broken(slot, keys->prefix, now_ms);
	uint16_t who = (uint16_t)(keys->addr << WHO_SHIFT);
	uint64_t old = load(&slot->outcome), worked = load(&slot->other);

	for (unsigned i = 0; i < TRIES; i++) {
		uint16_t was = payload_of(old, keys->prefix, now_ms, HISTORY_HOLD_MS);
		unsigned n = was & VERDICT;

		if (n == 0 || (n == 1 && was >> WHO_SHIFT != who >> WHO_SHIFT))
			n++;
		if (swap(&slot->outcome, &old,
			 history_word(keys->prefix,
				      (uint16_t)(who | (was & RETRY_MASK << RETRY_SHIFT) | n),
				      now_ms)))
			break;
	}
	if (history_word_is_of(worked, keys->prefix) &&
	    history_word_payload(worked) == (uint16_t)keys->addr)
		(void)swap(&slot->other, &worked, 0);
	return is_prefix_broken(slot, keys->prefix, now_ms) != broken;
}

static void note_failed(struct cache *cache, uint64_t network, const struct order_dest *dest,
			enum history_failure failure, uint64_t now_ms)
{
	const struct keys keys = keys_of(network, dest);
	struct history_slot *slot = history_table_claim(cache, keys.addr, now_ms);
	bool changed = false;

	if (slot != NULL)
		changed = address_note(slot, keys.addr, RACE_BROKEN, now_ms) != RACE_BROKEN;
	if (failure != HISTORY_REFUSED) {
		slot = history_table_claim(cache, keys.prefix, now_ms);
		if (slot != NULL)
			changed |= prefix_failed(slot, &keys, now_ms);
	}
	if (changed)
		announce(cache);
}

static void note_pending(struct cache *cache, uint64_t network, const struct order_dest *dest,
			 uint64_t now_ms)
{
	const struct keys keys = keys_of(network, dest);
	struct history_slot *slot = history_table_claim(cache, keys.addr, now_ms);

	if (slot != NULL)
		store(&slot->other, history_word(keys.addr, 1, now_ms));
}

/* ---- re-tries ---- */

static bool claim(struct history_slot *slot, uint64_t key, uint64_t now_ms)
{
	uint64_t old = load(&slot->outcome);
	uint16_t payload = history_word_payload(old);
	unsigned retries = payload >> RETRY_SHIFT & RETRY_MASK;
	uint64_t wait_ms = (uint64_t)history_retry_ms << retries;

	if (wait_ms > HISTORY_RETRY_MAX_MS)
		wait_ms = HISTORY_RETRY_MAX_MS;
	if (history_word_age(old, now_ms) < wait_ms)
		return false;
	if (retries < RETRY_MASK)
		payload = (uint16_t)(payload + (1u << RETRY_SHIFT));
	return swap(&slot->outcome, &old, history_word(key, payload, now_ms));
}

static bool claim_in(struct cache *cache, uint64_t network, const struct order_dest *dest,
		     uint64_t now_ms)
{
	const struct keys keys = keys_of(network, dest);
	struct history_slot *slot = history_table_find(cache, keys.addr);
	enum race_verdict own = RACE_UNKNOWN;

	if (slot != NULL)
		own = verdict_of(load(&slot->outcome), keys.addr, now_ms);
	if (own != RACE_UNKNOWN)
		return own == RACE_BROKEN && claim(slot, keys.addr, now_ms);
	slot = history_table_find(cache, keys.prefix);
	return slot != NULL && is_prefix_broken(slot, keys.prefix, now_ms) &&
	       claim(slot, keys.prefix, now_ms);
}

/* ---- by a view ---- */

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

	history_find_in(cache_of(view), view->network, dest, now_ms, ret);
	rcu_read_unlock(token);
}

void history_connected(const struct history_view *view, const struct order_dest *dest,
		       uint32_t rtt_ms, uint64_t now_ms)
{
	rcu_token token = rcu_read_lock();

	note_connected(cache_of(view), view->network, dest, rtt_ms, now_ms);
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

	note_failed(cache_of(view), view->network, dest, failure, now_ms);
	rcu_read_unlock(token);
}

void history_pending(const struct history_view *view, const struct order_dest *dest,
		     uint64_t now_ms)
{
	rcu_token token = rcu_read_lock();

	note_pending(cache_of(view), view->network, dest, now_ms);
	rcu_read_unlock(token);
}

bool history_claim(const struct history_view *view, const struct order_dest *dest, uint64_t now_ms)
{
	rcu_token token = rcu_read_lock();
	bool mine = claim_in(cache_of(view), view->network, dest, now_ms);

	rcu_read_unlock(token);
	return mine;
}
