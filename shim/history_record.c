// SPDX-License-Identifier: MIT
/*
 * history_record.c - see history_record.h.
 *
 * The words of an address's slot (history_table.h):
 *
 *	estimate	history_rtt.h
 *	outcome		of the latest connect: bits 0 and 1 the verdict (enum race_verdict), bits 2
 *			to 4 how often it was re-tried since it worked
 *	other		where an attempt is without an answer: bit 15, it has been for its delay,
 *and the time is that of the latest such; else how many processes have begun with the address since
 *that time
 *
 * Of a prefix's:
 *
 *	estimate	the same, of all its addresses
 *	outcome		of the latest connect: bits 0 and 1 how many addresses have failed since one
 *			worked, 2 at most, bits 2 to 4 as above, bits 5 to 15 which failed last
 *	other		the latest success, and 16 bits of whose
 */
#include "shim/history_record.h"

#include "shim/cache_region.h"
#include "shim/hash.h"
#include "shim/history_rtt.h"
#include "shim/history_table.h"
#include "shim/v4mapped.h"

#include <string.h>

#define TRIES	    8 /* of a compare and swap; others are busy with the word, and say the same */
#define VERDICT	    3u
#define RETRY_SHIFT 2
#define RETRY_MASK  7u
#define WHO_SHIFT   5
#define SILENT	    0x8000u

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

uint64_t history_record_generation(const struct cache *cache)
{
	return atomic_load_explicit(generation_of(cache), memory_order_acquire);
}

/* Whoever sees the new generation finds what it stands for. */
static void announce(const struct cache *cache)
{
	atomic_fetch_add_explicit(generation_of(cache), 1, memory_order_release);
}

/* ---- the round trip ---- */

#define ESTIMATE_MASK ((UINT64_C(1) << 48) - 1)

static uint64_t estimate_of(const struct history_slot *slot, uint64_t key)
{
	uint64_t word = load(&slot->estimate);

	return history_word_is_of(word, key) ? word & ESTIMATE_MASK : 0;
}

/* `fresh`: nothing that is known still counts. True: orders may change. */
static bool estimate_update(struct history_slot *slot, uint64_t key, uint32_t rtt_ms, bool fresh)
{
	uint64_t old = load(&slot->estimate), estimate = fresh ? 0 : estimate_of(slot, key);
	bool moved;

	estimate = history_rtt_add(estimate, rtt_ms, &moved);
	(void)swap(&slot->estimate, &old, key << 48 | estimate); /* else a sample is lost */
	return moved;
}

static void estimate_tell(const struct history_slot *slot, uint64_t key,
			  struct history_outcome *ret)
{
	history_rtt_read(estimate_of(slot, key), &ret->srtt_ms, &ret->rttvar_ms);
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

static bool is_silent(uint64_t other, uint64_t key, uint64_t now_ms)
{
	return payload_of(other, key, now_ms, HISTORY_SUSPECT_MS) & SILENT;
}

/* How many processes are trying it. */
static unsigned burst_of(uint64_t other, uint64_t key, uint64_t now_ms)
{
	return payload_of(other, key, now_ms, HISTORY_BURST_MS) & ~SILENT;
}

static bool is_suspect(const struct history_slot *slot, enum race_verdict verdict, uint64_t key,
		       uint64_t now_ms)
{
	uint64_t other = load(&slot->other);

	return is_silent(other, key, now_ms) ||
	       (verdict == RACE_UNKNOWN && burst_of(other, key, now_ms) >= HISTORY_BURST);
}

static bool find_address(const struct history_slot *slot, uint64_t key, uint64_t now_ms,
			 struct history_outcome *ret)
{
	ret->verdict = verdict_of(load(&slot->outcome), key, now_ms);
	if (ret->verdict != RACE_UNKNOWN)
		estimate_tell(slot, key, ret);
	if (ret->verdict != RACE_BROKEN && is_suspect(slot, ret->verdict, key, now_ms)) {
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

void history_record_find(struct cache *cache, uint64_t network, const struct order_dest *dest,
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
	store(&slot->other, 0); /* no longer without an answer */
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

void history_record_connected(struct cache *cache, uint64_t network, const struct order_dest *dest,
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

void history_record_failed(struct cache *cache, uint64_t network, const struct order_dest *dest,
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

/* ---- attempts without an answer ---- */

/* True: this process has counted already. */
static bool has_counted(uint64_t key, uint64_t now_ms)
{
	static _Atomic uint64_t latest; /* upper half of the key, and when, as in a word */
	uint64_t word = load(&latest);

	if (word >> 32 == key >> 32 && history_word_age(word, now_ms) < HISTORY_BURST_MS)
		return true;
	store(&latest, (key >> 32 << 32) | (uint32_t)(now_ms >> HISTORY_TICK_SHIFT));
	return false;
}

void history_record_trying(struct cache *cache, uint64_t network, const struct order_dest *dest,
			   uint64_t now_ms)
{
	const struct keys keys = keys_of(network, dest);
	struct history_slot *slot = history_table_claim(cache, keys.addr, now_ms);
	uint64_t other;

	if (slot == NULL || verdict_of(load(&slot->outcome), keys.addr, now_ms) != RACE_UNKNOWN ||
	    has_counted(keys.addr, now_ms))
		return;
	other = load(&slot->other);
	for (unsigned i = 0; i < TRIES && !is_silent(other, keys.addr, now_ms); i++) {
		unsigned n = burst_of(other, keys.addr, now_ms);
		uint64_t since_ms = n == 0 ? now_ms : history_word_ms(other);

		if (n >= HISTORY_BURST ||
		    swap(&slot->other, &other,
			 history_word(keys.addr, (uint16_t)(n + 1), since_ms)))
			return;
	}
}

void history_record_pending(struct cache *cache, uint64_t network, const struct order_dest *dest,
			    uint64_t now_ms)
{
	const struct keys keys = keys_of(network, dest);
	struct history_slot *slot = history_table_claim(cache, keys.addr, now_ms);

	if (slot != NULL)
		store(&slot->other, history_word(keys.addr, SILENT, now_ms));
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

bool history_record_claim(struct cache *cache, uint64_t network, const struct order_dest *dest,
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
