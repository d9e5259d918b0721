// SPDX-License-Identifier: MIT
/* upstream.c - see upstream.h. */
#include "resolver/upstream.h"

#include <errno.h>

#define RTT_MAX_MS 60000 /* keeps srtt_8 in range; no wait is as long */

void upstream_tried(struct upstream *u, uint64_t now_ms)
{
	u->tried_ms = now_ms;
}

bool upstream_answered(struct upstream *u, uint64_t now_ms)
{
	bool was_down = upstream_is_down(u);

	u->failures = 0;
	u->backoff_until_ms = 0;
	u->answered_ms = now_ms;
	return was_down;
}

/* RFC 6298 sections 2.2 and 2.3, in Jacobson's units. */
void upstream_measured(struct upstream *u, uint64_t rtt_ms)
{
	uint32_t sample = rtt_ms < RTT_MAX_MS ? (uint32_t)rtt_ms : RTT_MAX_MS;
	uint32_t srtt = u->srtt_8 / 8;

	if (u->measured) {
		u->rttvar_4 += (sample > srtt ? sample - srtt : srtt - sample) - u->rttvar_4 / 4;
		u->srtt_8 += sample - srtt;
	} else {
		u->srtt_8 = 8 * sample;
		u->rttvar_4 = 2 * sample;
		u->measured = true;
	}
}

uint32_t upstream_srtt_ms(const struct upstream *u)
{
	if (!u->measured)
		return 0;
	return u->srtt_8 >= 8 ? u->srtt_8 / 8 : 1;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t doubled(uint64_t min_ms, unsigned times, uint64_t max_ms)
{
	for (unsigned i = 0; i < times && min_ms < max_ms; i++)
		min_ms *= 2;
	return least(min_ms, max_ms);
}

bool upstream_failed(struct upstream *u, uint64_t now_ms)
{
	if (now_ms < u->backoff_until_ms)
		return false;
	u->backoff_until_ms =
		now_ms + doubled(UPSTREAM_BACKOFF_MIN_MS, u->failures, UPSTREAM_BACKOFF_MAX_MS);
	return !u->failures++;
}

bool upstream_is_down(const struct upstream *u)
{
	return u->failures;
}

bool upstream_may_probe(const struct upstream *u, bool urgent, uint64_t now_ms)
{
	uint64_t at_ms = urgent ? u->tried_ms + UPSTREAM_PROBE_MS : u->backoff_until_ms;

	return upstream_is_down(u) && now_ms >= at_ms;
}

bool upstream_is_to_blame(int error)
{
	switch (error) {
	case -EBADF:
	case -ENOMEM:
	case -ENOBUFS:
	case -EMFILE:
	case -ENFILE:
		return false;
	default:
		return true;
	}
}

static void forget(struct upstream *u)
{
	u->measured = false;
	u->failures = 0;
	u->backoff_until_ms = 0;
}

bool upstream_lost_tls(struct upstream *u, uint64_t now_ms)
{
	bool is_news = !upstream_is_clear(u);

	if (now_ms < u->clear_until_ms)
		return false;
	if (is_news)
		forget(u);
	u->clear_until_ms =
		now_ms + doubled(UPSTREAM_CLEAR_MIN_MS, u->tls_failures++, UPSTREAM_CLEAR_MAX_MS);
	return is_news;
}

bool upstream_regained_tls(struct upstream *u)
{
	if (!upstream_is_clear(u))
		return false;
	forget(u);
	u->tls_failures = 0;
	u->clear_until_ms = 0;
	return true;
}

bool upstream_is_clear(const struct upstream *u)
{
	return u->tls_failures;
}

bool upstream_may_probe_tls(const struct upstream *u, uint64_t now_ms)
{
	return upstream_is_clear(u) && now_ms >= u->clear_until_ms;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t retransmit_ms(const struct upstream *u)
{
	return most(u->srtt_8 / 8 + most(u->rttvar_4, u->srtt_8 / 16), UPSTREAM_RETRANSMIT_MIN_MS);
}

static uint64_t first_retransmit_ms(const struct upstream *u)
{
	struct upstream as_remembered = {0};

	if (u->remembered_ms == 0)
		return UPSTREAM_RETRANSMIT_UNKNOWN_MS;
	upstream_measured(&as_remembered, u->remembered_ms);
	return least(retransmit_ms(&as_remembered), UPSTREAM_RETRANSMIT_UNKNOWN_MS);
}

uint64_t upstream_retransmit_ms(const struct upstream *u, uint32_t timeout_ms, unsigned round)
{
	uint64_t wait_ms = UPSTREAM_RETRANSMIT_UNKNOWN_MS;

	if (u->measured)
		wait_ms = retransmit_ms(u);
	else if (round == 0)
		wait_ms = first_retransmit_ms(u);
	return least(wait_ms << round, timeout_ms);
}

uint64_t upstream_reconnect_ms(const struct upstream *u, uint32_t timeout_ms, unsigned round)
{
	uint64_t wait_ms = UPSTREAM_RETRANSMIT_UNKNOWN_MS;

	if (u->measured)
		wait_ms = most(3 * (uint64_t)u->srtt_8 / 8, UPSTREAM_RETRANSMIT_MIN_MS);
	return least(wait_ms << round, timeout_ms);
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

void upstream_order(const struct upstream *upstreams, unsigned n, unsigned first,
		    unsigned char *order)
{
	unsigned placed = 0;

	for (int down = 0; down <= 1; down++) {
		for (unsigned i = 0; i < n; i++) {
			unsigned index = (first + i) % n;

			if (upstream_is_down(&upstreams[index]) == down)
				order[placed++] = (unsigned char)index;
		}
	}
}
