// SPDX-License-Identifier: MIT
/*
 * history_record.c - see history_record.h.
 *
 * The words of an address's slot (history_slot.h):
 *
 *	estimate	of the round trip
 *	outcome		of the latest connect: bits 0 and 1 the verdict (enum race_verdict)
 *	other		the attempts that are without an answer. Bit 15: one has been for its delay,
 *			at that time. Else: so many processes have begun with the address since then
 */
#include "shim/history_record.h"

#include "shim/cache_region.h"
#include "shim/hash.h"
#include "shim/history_prefix.h"
#include "shim/history_table.h"
#include "shim/v4mapped.h"

#include <string.h>

#define VERDICT 3u
#define SILENT	0x8000u

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

/* ---- finding ---- */

static enum race_verdict verdict_of(uint64_t outcome, uint64_t key, uint64_t now_ms)
{
	switch (history_word_find(outcome, key, now_ms, HISTORY_HOLD_MS) & VERDICT) {
	case RACE_WORKS:
		return RACE_WORKS;
	case RACE_BROKEN:
		return RACE_BROKEN;
	}
	return RACE_UNKNOWN;
}

static bool is_silent(uint64_t other, uint64_t key, uint64_t now_ms)
{
	return history_word_find(other, key, now_ms, HISTORY_SUSPECT_MS) & SILENT;
}

/* How many processes are trying it. */
static unsigned burst_of(uint64_t other, uint64_t key, uint64_t now_ms)
{
	return history_word_find(other, key, now_ms, HISTORY_BURST_MS) & ~SILENT;
}

static bool is_suspect(const struct history_slot *slot, enum race_verdict verdict, uint64_t key,
		       uint64_t now_ms)
{
	uint64_t other = history_load(&slot->other);

	return is_silent(other, key, now_ms) ||
	       (verdict == RACE_UNKNOWN && burst_of(other, key, now_ms) >= HISTORY_BURST);
}

static bool find_address(const struct history_slot *slot, uint64_t key, uint64_t now_ms,
			 struct history_outcome *ret)
{
	ret->verdict = verdict_of(history_load(&slot->outcome), key, now_ms);
	if (ret->verdict != RACE_UNKNOWN)
		history_slot_tell(slot, key, ret);
	if (ret->verdict != RACE_BROKEN && is_suspect(slot, ret->verdict, key, now_ms)) {
		ret->verdict = RACE_BROKEN;
		ret->suspected = true;
	}
	return ret->verdict != RACE_UNKNOWN;
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
		history_prefix_find(slot, keys.prefix, now_ms, ret);
}

/* ---- outcomes ---- */

/* Replaces the verdict; re-tries are forgotten by a success. Returns the one that was there. */
static enum race_verdict address_note(struct history_slot *slot, uint64_t key,
				      enum race_verdict verdict, uint64_t now_ms)
{
	uint64_t old = history_load(&slot->outcome), word;
	enum race_verdict was;

	for (unsigned i = 0; i < HISTORY_TRIES; i++) {
		uint16_t payload = (uint16_t)verdict;

		was = verdict_of(old, key, now_ms);
		if (was == RACE_BROKEN && verdict == RACE_BROKEN)
			payload |= history_word_payload(old) & HISTORY_RETRIES_MASK;
		word = history_word(key, payload, now_ms);
		if (history_swap(&slot->outcome, &old, word))
			break;
	}
	history_store(&slot->other, 0); /* no longer without an answer */
	return was;
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
		changed |= history_slot_sample(slot, keys.addr, rtt_ms, was == RACE_UNKNOWN);
	}
	slot = history_table_claim(cache, keys.prefix, now_ms);
	if (slot != NULL)
		changed |= history_prefix_connected(slot, keys.prefix, keys.addr, rtt_ms, now_ms);
	if (changed)
		announce(cache);
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
			changed |= history_prefix_failed(slot, keys.prefix, keys.addr, now_ms);
	}
	if (changed)
		announce(cache);
}

/* ---- attempts without an answer ---- */

/* True: this process has counted already. */
static bool has_counted(uint64_t key, uint64_t now_ms)
{
	static _Atomic uint64_t latest; /* upper half of the key, and when, as in a word */
	uint64_t word = history_load(&latest);

	if (word >> 32 == key >> 32 && history_word_age(word, now_ms) < HISTORY_BURST_MS)
		return true;
	history_store(&latest, (key >> 32 << 32) | (uint32_t)(now_ms >> HISTORY_TICK_SHIFT));
	return false;
}

void history_record_trying(struct cache *cache, uint64_t network, const struct order_dest *dest,
			   uint64_t now_ms)
{
	const struct keys keys = keys_of(network, dest);
	struct history_slot *slot = history_table_claim(cache, keys.addr, now_ms);
	uint64_t other;

	if (slot == NULL ||
	    verdict_of(history_load(&slot->outcome), keys.addr, now_ms) != RACE_UNKNOWN ||
	    has_counted(keys.addr, now_ms))
		return;
	other = history_load(&slot->other);
	for (unsigned i = 0; i < HISTORY_TRIES && !is_silent(other, keys.addr, now_ms); i++) {
		unsigned n = burst_of(other, keys.addr, now_ms);
		uint64_t since_ms = n == 0 ? now_ms : history_word_ms(other);

		if (n >= HISTORY_BURST ||
		    history_swap(&slot->other, &other,
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
		history_store(&slot->other, history_word(keys.addr, SILENT, now_ms));
}

/* ---- re-tries ---- */

bool history_record_claim(struct cache *cache, uint64_t network, const struct order_dest *dest,
			  uint64_t now_ms)
{
	const struct keys keys = keys_of(network, dest);
	struct history_slot *slot = history_table_find(cache, keys.addr);
	enum race_verdict own = RACE_UNKNOWN;

	if (slot != NULL)
		own = verdict_of(history_load(&slot->outcome), keys.addr, now_ms);
	if (own != RACE_UNKNOWN)
		return own == RACE_BROKEN && history_slot_claim(slot, keys.addr, now_ms);
	slot = history_table_find(cache, keys.prefix);
	return slot != NULL && history_prefix_is_broken(slot, keys.prefix, now_ms) &&
	       history_slot_claim(slot, keys.prefix, now_ms);
}
