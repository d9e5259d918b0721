// SPDX-License-Identifier: MIT
/*
 * history_prefix.c - see history_prefix.h.
 *
 * The words of the slot:
 *
 *	estimate	of the round trips to all its addresses
 *	outcome		of the latest connect: bits 0 and 1 how many addresses have failed since one
 *			worked, 2 at most, bits 5 to 15 which failed last
 *	other		the latest success, and 16 bits of whose; nothing once that one has failed
 */
#include "shim/history_prefix.h"

#define FAILED	   3u
#define FAILED_MAX 2u
#define WHO_SHIFT  5

bool history_prefix_is_broken(const struct history_slot *slot, uint64_t prefix, uint64_t now_ms)
{
	uint16_t payload =
		history_word_find(history_load(&slot->outcome), prefix, now_ms, HISTORY_HOLD_MS);

	return (payload & FAILED) >= FAILED_MAX &&
	       !history_word_counts(history_load(&slot->other), prefix, now_ms, HISTORY_HOLD_MS);
}

void history_prefix_find(const struct history_slot *slot, uint64_t prefix, uint64_t now_ms,
			 struct history_outcome *ret)
{
	if (!history_word_counts(history_load(&slot->outcome), prefix, now_ms, HISTORY_HOLD_MS))
		return;
	if (history_prefix_is_broken(slot, prefix, now_ms))
		ret->verdict = RACE_BROKEN;
	history_slot_tell(slot, prefix, ret);
}

bool history_prefix_connected(struct history_slot *slot, uint64_t prefix, uint64_t addr,
			      uint32_t rtt_ms, uint64_t now_ms)
{
	bool broken = history_prefix_is_broken(slot, prefix, now_ms);
	bool fresh =
		!history_word_counts(history_load(&slot->outcome), prefix, now_ms, HISTORY_HOLD_MS);

	history_store(&slot->outcome, history_word(prefix, 0, now_ms));
	history_store(&slot->other, history_word(prefix, (uint16_t)addr, now_ms));
	return history_slot_sample(slot, prefix, rtt_ms, fresh) || broken;
}

/* One address more has failed, unless it is the one that did the last time. */
static uint16_t count_failure(uint16_t was, uint64_t addr)
{
	uint16_t who = (uint16_t)(addr << WHO_SHIFT);
	unsigned n = was & FAILED;

	if (n == 0 || (n == 1 && was >> WHO_SHIFT != who >> WHO_SHIFT))
		n++;
	return (uint16_t)(who | (was & HISTORY_RETRIES_MASK) | n);
}

bool history_prefix_failed(struct history_slot *slot, uint64_t prefix, uint64_t addr,
			   uint64_t now_ms)
{
	bool broken = history_prefix_is_broken(slot, prefix, now_ms);
	uint64_t old = history_load(&slot->outcome), worked = history_load(&slot->other);

	for (unsigned i = 0; i < HISTORY_TRIES; i++) {
		uint16_t was = history_word_find(old, prefix, now_ms, HISTORY_HOLD_MS);

		if (history_swap(&slot->outcome, &old,
				 history_word(prefix, count_failure(was, addr), now_ms)))
			break;
	}
	if (history_word_is_of(worked, prefix) && history_word_payload(worked) == (uint16_t)addr)
		(void)history_swap(&slot->other, &worked, 0);
	return history_prefix_is_broken(slot, prefix, now_ms) != broken;
}
