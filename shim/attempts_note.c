// SPDX-License-Identifier: MIT
/*
 * attempts_note.c - what a race leaves behind for others: the history of its addresses (history.h)
 * and the counters.
 */
#include "shim/attempts_internal.h"

#include "shim/counters.h"
#include "shim/history_retry.h"
#include "shim/trace.h"

#include <errno.h>

/* An attempt that was silent for less has not shown anything. */
#define SILENT_MS RACE_DELAY_MIN_MS

/* Whose error nobody may read has been refused, if it did not take as long as a time-out does: the
 * SYN and its first two repetitions (RFC 6298). */
#define TIMED_OUT_MS 7000

void attempts_note_failure(struct attempts *a, unsigned candidate, int error, uint64_t now_ms)
{
	enum history_failure failure;

	if (error == 0)
		error = now_ms - a->attempts[candidate].since_ms < TIMED_OUT_MS ? ECONNREFUSED
										: ETIMEDOUT;
	counters_add(COUNTER_FAILED, 1);
	if (a->has_history && history_failure_of(error, &failure))
		history_failed(&a->history, &a->dests[candidate], failure, now_ms);
}

void attempts_note_connected(struct attempts *a, unsigned candidate, uint32_t rtt_us,
			     uint64_t now_ms)
{
	uint64_t rtt_ms =
		rtt_us != 0 ? (rtt_us + 999) / 1000 : now_ms - a->attempts[candidate].since_ms;

	if (a->has_history)
		history_connected(&a->history, &a->dests[candidate], (uint32_t)rtt_ms, now_ms);
}

void attempts_note_start(struct attempts *a, uint64_t now_ms)
{
	counters_add(COUNTER_ATTEMPTS, 1);
	for (unsigned i = 0; i < a->race.n && a->has_history; i++)
		if (a->race.entries[i].phase == RACE_CONNECTING && a->attempts[i].handle > 0 &&
		    now_ms - a->attempts[i].since_ms >= SILENT_MS)
			history_pending(&a->history, &a->dests[i], now_ms);
}

void attempts_note_lost(struct attempts *a, unsigned candidate, uint64_t now_ms)
{
	uint64_t since_ms = a->attempts[candidate].since_ms;

	if (candidate == a->own_candidate)
		a->silent_ms = now_ms - since_ms;
	if (a->has_history && since_ms < a->attempts[a->race.winner].since_ms &&
	    now_ms - since_ms >= SILENT_MS)
		history_failed(&a->history, &a->dests[candidate], HISTORY_SILENT, now_ms);
}

static void note_first(const struct attempts *a)
{
	bool ipv6 = a->dests[a->own_candidate].family == AF_INET6;

	counters_add(ipv6 ? COUNTER_WON_IPV6_FIRST : COUNTER_WON_IPV4_FIRST, 1);
}

static void note_later(const struct attempts *a)
{
	bool ipv6 = a->dests[a->race.winner].family == AF_INET6;

	counters_add(ipv6 ? COUNTER_WON_IPV6_LATER : COUNTER_WON_IPV4_LATER, 1);
	counters_add(COUNTER_SAVED_MS, a->silent_ms);
}

static void trace(const struct attempts *a, enum attempts_end end)
{
	bool first = end == ATTEMPTS_FIRST, won = first || end == ATTEMPTS_WON;
	unsigned winner = first ? a->own_candidate : a->race.winner;
	struct trace_race race = {
		.end = won		      ? TRACE_RACE_WON
		       : end == ATTEMPTS_LOST ? TRACE_RACE_LOST
					      : TRACE_RACE_STOPPED,
		.own_won = won && winner == a->own_candidate,
		.blocking = a->goal.blocking,
		.port = ntohs(a->goal.port),
		.attempts = (uint8_t)a->race.nstarted,
	};

	trace_race_over(&race, &a->goal.dests[0], won ? &a->dests[winner] : NULL,
			a->since_ms * 1000000, end == ATTEMPTS_LOST ? a->error : 0);
}

void attempts_note_end(const struct attempts *a, enum attempts_end end)
{
	if (init_is_traced())
		trace(a, end);
	switch (end) {
	case ATTEMPTS_WON:
		if (a->race.winner == a->own_candidate)
			note_first(a);
		else
			note_later(a);
		break;
	case ATTEMPTS_FIRST:
		note_first(a);
		break;
	case ATTEMPTS_LOST:
		counters_add(COUNTER_LOST, 1);
		break;
	case ATTEMPTS_STOPPED:
		counters_add(COUNTER_STOPPED, 1);
		break;
	case ATTEMPTS_RUNNING:
		break;
	}
}

void attempts_note_untried(struct attempts *a, uint64_t now_ms)
{
	for (unsigned i = 0; i < a->race.n && a->has_history; i++)
		if (a->race.entries[i].phase == RACE_WAITING &&
		    a->race.entries[i].candidate.verdict == RACE_BROKEN)
			history_retry(&a->history, &a->dests[i], a->goal.port, now_ms);
}

void attempts_note_begin(struct attempts *a)
{
	counters_add(COUNTER_RACES, 1);
	if (a->own_candidate != 0 && a->race.entries[0].candidate.verdict == RACE_BROKEN)
		counters_add(COUNTER_AVOIDED, 1);
}
