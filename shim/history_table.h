// SPDX-License-Identifier: MIT
/*
 * history_table.h - where the outcomes of connects are kept: slots of four words, found by a key.
 *
 * A slot is an address, or a prefix; whose it is, its first word says. Each of the other words
 * stands for itself and is replaced as a whole (compare and swap), so nothing is ever half written
 * and nobody waits for anybody. Each carries 16 bits of the key: what was written for another
 * address, by a writer that was overtaken or because the slot has changed hands, is no word at all.
 * Two of them carry a time, the only thing that ends them: nothing is ever wiped.
 *
 *	bits 0 to 31	time in ticks of 64 ms, CLOCK_BOOTTIME
 *	bits 32 to 47	payload
 *	bits 48 to 63	the lowest bits of the key
 *
 * The slots are in the cache (cache_region.h), 2 for each KiB of its history; without a cache a
 * small table of this process serves. A set is eight slots; of a full one the slot whose latest
 * outcome is the oldest goes.
 *
 * Any thread, signal handlers too; no lock, no allocation; a system call only where a page of the
 * cache is touched for the first time. Any bytes may stand there: they can claim that an address
 * works or does not, and nothing worse.
 */
#ifndef NOBLOCKDNS_HISTORY_TABLE_H
#define NOBLOCKDNS_HISTORY_TABLE_H

#include "shim/cache.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct history_slot {
	_Atomic uint64_t key;	   /* odd; 0: free */
	_Atomic uint64_t estimate; /* of the round trip (history.c), under the same 16 bits */
	_Atomic uint64_t outcome;  /* the latest; its time is the slot's */
	_Atomic uint64_t other;	   /* history.c */
};

#define HISTORY_TICK_SHIFT 6

/* The slot of a key, or NULL. `cache` NULL: of this process's own table. */
struct history_slot *history_table_find(struct cache *cache, uint64_t key);

/* The same for a writer, who gets a slot where there is none; NULL where there is no memory. */
struct history_slot *history_table_claim(struct cache *cache, uint64_t key, uint64_t now_ms);

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

#endif
