// SPDX-License-Identifier: MIT
/* history_rtt.c - see history_rtt.h. */
#include "shim/history_rtt.h"

#include "shim/race.h"

#define UNITS 16 /* to a ms */

_Static_assert(HISTORY_RTT_MAX_MS *UNITS < UINT16_MAX, "a sample fits");

struct estimate {
	uint16_t srtt, rttvar, announced;
};

static struct estimate unpack(uint64_t word)
{
	return (struct estimate){(uint16_t)(word >> 32), (uint16_t)(word >> 16), (uint16_t)word};
}

static uint64_t pack(const struct estimate *e)
{
	return (uint64_t)e->srtt << 32 | (uint64_t)e->rttvar << 16 | e->announced;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a < b ? b - a : a - b;
}

/* RFC 6298 sections 2.2 and 2.3, rounded to the nearest. */
static void add(struct estimate *e, uint32_t sample)
{
	if (e->srtt == 0) {
		*e = (struct estimate){(uint16_t)sample, (uint16_t)(sample / 2), (uint16_t)sample};
		return;
	}
	e->rttvar = (uint16_t)((3u * e->rttvar + distance(e->srtt, sample) + 2) / 4);
	e->srtt = (uint16_t)((7u * e->srtt + sample + 4) / 8);
}

uint64_t history_rtt_add(uint64_t estimate, uint32_t rtt_ms, bool *ret_moved)
{
	struct estimate e = unpack(estimate);

	*ret_moved = false;
	if (rtt_ms >= HISTORY_RTT_MAX_MS)
		return estimate;
	add(&e, rtt_ms == 0 ? UNITS / 2 : rtt_ms * UNITS);
	*ret_moved = distance(e.srtt, e.announced) >= RACE_RTT_TIE_MS * UNITS;
	if (*ret_moved)
		e.announced = e.srtt;
	return pack(&e);
}

void history_rtt_read(uint64_t estimate, uint32_t *ret_srtt_ms, uint32_t *ret_rttvar_ms)
{
	struct estimate e = unpack(estimate);
	uint32_t srtt_ms = (e.srtt + UNITS / 2) / UNITS;

	*ret_srtt_ms = e.srtt != 0 && srtt_ms == 0 ? 1 : srtt_ms;
	*ret_rttvar_ms = e.srtt != 0 ? (e.rttvar + UNITS - 1u) / UNITS : 0;
}
