// SPDX-License-Identifier: MIT
/*
 * history_prefix.h - what the outcomes of some addresses say of the others of their prefix
 * (history.h), in a slot of the prefix's own.
 *
 * `slot` is the slot of `prefix`, a key; `addr` is the key of the address that an outcome is of.
 * Any thread of any process; pure but for the slot.
 */
#ifndef NOBLOCKDNS_HISTORY_PREFIX_H
#define NOBLOCKDNS_HISTORY_PREFIX_H

#include "shim/history.h"
#include "shim/history_slot.h"

bool history_prefix_is_broken(const struct history_slot *slot, uint64_t prefix, uint64_t now_ms);

/* Fills in what is known; leaves `ret` as it is where nothing is. */
void history_prefix_find(const struct history_slot *slot, uint64_t prefix, uint64_t now_ms,
			 struct history_outcome *ret);

/* True: orders may change. */
bool history_prefix_connected(struct history_slot *slot, uint64_t prefix, uint64_t addr,
			      uint32_t rtt_ms, uint64_t now_ms);
bool history_prefix_failed(struct history_slot *slot, uint64_t prefix, uint64_t addr,
			   uint64_t now_ms);

#endif
