// SPDX-License-Identifier: MIT
/* upstream.c - see upstream.h. */
#include "resolver/upstream.h"

#define RTT_MAX_MS 60000 /* keeps srtt_8 in range; no wait is as long */

void upstream_alive(struct upstream *u)
{
	u->failures = 0;
	u->backoff_until_ms = 0;
}

void upstream_answered(struct upstream *u, uint64_t rtt_ms)
{
	uint32_t sample = rtt_ms < RTT_MAX_MS ? (uint32_t)rtt_ms : RTT_MAX_MS;

	upstream_alive(u);
	u->srtt_8 = u->measured ? u->srtt_8 - u->srtt_8 / 8 + sample : 8 * sample;
	u->measured = true;
}

bool upstream_in_backoff(const struct upstream *u, uint64_t now_ms)
{
	return now_ms < u->backoff_until_ms;
}

bool upstream_failed(struct upstream *u, uint64_t now_ms)
{
	uint64_t backoff_ms = UPSTREAM_BACKOFF_MIN_MS;

	if (upstream_in_backoff(u, now_ms))
		return false;
	for (unsigned i = 0; i < u->failures && backoff_ms < UPSTREAM_BACKOFF_MAX_MS; i++)
		backoff_ms *= 2;
	if (backoff_ms > UPSTREAM_BACKOFF_MAX_MS)
		backoff_ms = UPSTREAM_BACKOFF_MAX_MS;
	u->failures++;
	u->backoff_until_ms = now_ms + backoff_ms;
	return true;
}

uint64_t upstream_retransmit_ms(const struct upstream *u, uint32_t timeout_ms, unsigned round)
{
	uint64_t wait_ms = UPSTREAM_RETRANSMIT_UNKNOWN_MS;

	if (u->measured) {
		wait_ms = 5 * (uint64_t)u->srtt_8 / 8;
		if (wait_ms < UPSTREAM_RETRANSMIT_MIN_MS)
			wait_ms = UPSTREAM_RETRANSMIT_MIN_MS;
	}
	wait_ms <<= round;
	return wait_ms < timeout_ms ? wait_ms : timeout_ms;
}

bool upstream_knows_edns(const struct upstream *u, uint64_t now_ms)
{
	return now_ms >= u->edns_off_until_ms;
}

bool upstream_refused_edns(struct upstream *u, uint64_t now_ms)
{
	bool is_news = upstream_knows_edns(u, now_ms);

	u->edns_off_until_ms = now_ms + UPSTREAM_EDNS_OFF_MS;
	return is_news;
}

void upstream_order(const struct upstream *upstreams, unsigned n, unsigned first, uint64_t now_ms,
		    unsigned char *order)
{
	unsigned placed = 0;

	for (int backed_off = 0; backed_off <= 1; backed_off++) {
		for (unsigned i = 0; i < n; i++) {
			unsigned index = (first + i) % n;

			if (upstream_in_backoff(&upstreams[index], now_ms) == backed_off)
				order[placed++] = (unsigned char)index;
		}
	}
}
