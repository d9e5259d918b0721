// SPDX-License-Identifier: MIT
/*
 * history_slot.h - four words in which an address, or a prefix, keeps its outcomes.
 *
 * Whose the slot is, its first word says. Each of the others stands for itself and is replaced as a
 * whole (compare and swap), so nothing is ever half written and nobody waits for anybody. Each
 * carries 16 bits of the key: what was written for another address, by a writer that was overtaken
 * or because the slot has changed hands, is no word at all. Two of them carry a time, the only
 * thing that ends them: nothing is ever wiped.
 *
 *	bits 0 to 31	time in ticks of 64 ms, CLOCK_BOOTTIME
 *	bits 32 to 47	payload
 *	bits 48 to 63	the lowest bits of the key
 *
 * Bits 2 to 4 of an outcome's payload are how often it was re-tried since the last success; the
 * rest is as history_record.c and history_prefix.c say.
 *
 * Any thread of any process. Any bytes may stand there: they can claim that an address works or
 * does not, and nothing worse.
 */
#ifndef NOBLOCKDNS_HISTORY_SLOT_H
#define NOBLOCKDNS_HISTORY_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct history_outcome;

struct history_slot {
	_Atomic uint64_t key;	   /* odd; 0: free */
	_Atomic uint64_t estimate; /* history_rtt.h, under the same 16 bits */
	_Atomic uint64_t outcome;  /* the latest; its time is the slot's */
	_Atomic uint64_t other;
};

#define HISTORY_TICK_SHIFT 6

/* Of a compare and swap: others are busy with the word, and say the same. */
#define HISTORY_TRIES 8

#define HISTORY_RETRIES_SHIFT 2
#define HISTORY_RETRIES_MASK  (7u << HISTORY_RETRIES_SHIFT)

static inline uint64_t history_load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void history_store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* False: *old is what is there instead. */
static inline bool history_swap(_Atomic uint64_t *word, uint64_t *old, uint64_t value)
{
	return atomic_compare_exchange_strong_explicit(word, old, value, memory_order_relaxed,
						       memory_order_relaxed);
}

static inline uint64_t history_word(uint64_t key, uint16_t payload, uint64_t now_ms)
{
	return key << 48 | (uint64_t)payload << 32 | (uint32_t)(now_ms >> HISTORY_TICK_SHIFT);
}

static inline bool history_word_is_of(uint64_t word, uint64_t key)
{
	return (uint16_t)(word >> 48) == (uint16_t)key;
}

static inline uint16_t history_word_payload(uint64_t word)
{
	return (uint16_t)(word >> 32);
}

/* A word's time, in ms, to the tick. */
static inline uint64_t history_word_ms(uint64_t word)
{
	return (uint64_t)(uint32_t)word << HISTORY_TICK_SHIFT;
}

/* How old a word is, in ms; UINT64_MAX where it is of the future, by more than a second: threads
 * read the clock one after the other. */
static inline uint64_t history_word_age(uint64_t word, uint64_t now_ms)
{
	uint64_t now = now_ms >> HISTORY_TICK_SHIFT, then = (uint32_t)word;

	if (then <= now)
		return (now - then) << HISTORY_TICK_SHIFT;
	return then - now <= (1000 >> HISTORY_TICK_SHIFT) ? 0 : UINT64_MAX;
}

/* Is it the key's, and not older than `hold_ms`? */
static inline bool history_word_counts(uint64_t word, uint64_t key, uint64_t now_ms,
				       uint64_t hold_ms)
{
	return history_word_is_of(word, key) && history_word_age(word, now_ms) < hold_ms;
}

/* Its payload if it counts, else 0. */
static inline uint16_t history_word_find(uint64_t word, uint64_t key, uint64_t now_ms,
					 uint64_t hold_ms)
{
	return history_word_counts(word, key, now_ms, hold_ms) ? history_word_payload(word) : 0;
}

/* One more round trip. `fresh`: nothing that is known still counts. True: orders may change. */
bool history_slot_sample(struct history_slot *slot, uint64_t key, uint32_t rtt_ms, bool fresh);

/* Fills in the round trip. */
void history_slot_tell(const struct history_slot *slot, uint64_t key, struct history_outcome *ret);

/* history_claim() of a slot that is known to be broken. */
bool history_slot_claim(struct history_slot *slot, uint64_t key, uint64_t now_ms);

#endif
