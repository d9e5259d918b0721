// SPDX-License-Identifier: MIT
/*
 * history_record.h - the history (history.h) of a network, in a cache or, where that is NULL, in
 * this process's own table: what outcomes make of an address and of its prefix.
 *
 * Any thread, signal handlers too; no lock, no allocation. Keeps errno.
 */
#ifndef NOBLOCKDNS_HISTORY_RECORD_H
#define NOBLOCKDNS_HISTORY_RECORD_H

#include "shim/cache.h"
#include "shim/history.h"

void history_record_find(struct cache *cache, uint64_t network, const struct order_dest *dest,
			 uint64_t now_ms, struct history_outcome *ret);

void history_record_connected(struct cache *cache, uint64_t network, const struct order_dest *dest,
			      uint32_t rtt_ms, uint64_t now_ms);

void history_record_failed(struct cache *cache, uint64_t network, const struct order_dest *dest,
			   enum history_failure failure, uint64_t now_ms);

void history_record_trying(struct cache *cache, uint64_t network, const struct order_dest *dest,
			   uint64_t now_ms);

void history_record_pending(struct cache *cache, uint64_t network, const struct order_dest *dest,
			    uint64_t now_ms);

bool history_record_claim(struct cache *cache, uint64_t network, const struct order_dest *dest,
			  uint64_t now_ms);

/*
 * Grows when an order by history may have changed: an address becomes broken, or works again, or
 * the round trip has moved by RACE_RTT_TIE_MS. Not with the first success of an address: those come
 * by the hundred, and getaddrinfo()'s orders are made anew each ORDER_CACHE_MS anyhow. One load of
 * a word that is seldom written.
 */
uint64_t history_record_generation(const struct cache *cache);

#endif
