// SPDX-License-Identifier: MIT
/* history_slot.c - see history_slot.h. */
#include "shim/history_slot.h"

#include "shim/history.h"
#include "shim/history_rtt.h"

#define ESTIMATE_MASK ((UINT64_C(1) << 48) - 1)

uint32_t history_retry_ms = HISTORY_RETRY_MS;

static uint64_t estimate_of(const struct history_slot *slot, uint64_t key)
{
	uint64_t word = history_load(&slot->estimate);

	return history_word_is_of(word, key) ? word & ESTIMATE_MASK : 0;
}

bool history_slot_sample(struct history_slot *slot, uint64_t key, uint32_t rtt_ms, bool fresh)
{
	uint64_t old = history_load(&slot->estimate), estimate = fresh ? 0 : estimate_of(slot, key);
	bool moved;

	estimate = history_rtt_add(estimate, rtt_ms, &moved);
	(void)history_swap(&slot->estimate, &old, key << 48 | estimate); /* else it is lost */
	return moved;
}

void history_slot_tell(const struct history_slot *slot, uint64_t key, struct history_outcome *ret)
{
	history_rtt_read(estimate_of(slot, key), &ret->srtt_ms, &ret->rttvar_ms);
}

bool history_slot_claim(struct history_slot *slot, uint64_t key, uint64_t now_ms)
{
	uint64_t old = history_load(&slot->outcome), wait_ms;
	unsigned payload = history_word_payload(old);
	unsigned retries = (payload & HISTORY_RETRIES_MASK) >> HISTORY_RETRIES_SHIFT;

	wait_ms = (uint64_t)history_retry_ms << retries;
	if (wait_ms > HISTORY_RETRY_MAX_MS)
		wait_ms = HISTORY_RETRY_MAX_MS;
	if (history_word_age(old, now_ms) < wait_ms)
		return false;
	if ((payload & HISTORY_RETRIES_MASK) != HISTORY_RETRIES_MASK)
		payload += 1u << HISTORY_RETRIES_SHIFT;
	return history_swap(&slot->outcome, &old, history_word(key, (uint16_t)payload, now_ms));
}
