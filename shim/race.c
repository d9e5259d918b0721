// SPDX-License-Identifier: MIT
/*
 * race.c - see race.h.
 *
 *	candidate	WAITING --its turn--> STARTING --handed out--> CONNECTING --> ENDED
 *	race		RUNNING --connected--> WON; RUNNING --all failed, sealed--> LOST
 *
 * The order (RFC 8305 section 4): candidates come in RFC 6724's; the broken go to the end. Among
 * the others of one family the shorter round trip comes before the longer, and those that have
 * worked before those that are not known. Across families neither counts: RFC 6724 has decided
 * between them before it comes to the rules that these would stand between (8 and 9), and an IPv6
 * that has once not been there would never be tried again. Families then take turns, beginning
 * with that of the first (First Address Family Count 1), or, in the middle of a race, with the
 * other one than was tried last.
 *
 * The next attempt is due a delay after the latest (section 5): `delay_ms`, or where that one's
 * round trip is known, srtt + 4 rttvar (RFC 6298's time-out), clamped. A failure makes it due at
 * once, but RACE_PACE_MS after the latest. The delay starts an attempt and ends none.
 */
#include "shim/race.h"

#include <errno.h>
#include <string.h>

/* ---- order ---- */

static bool is_same(const struct race_candidate *a, const struct race_candidate *b)
{
	size_t len = a->family == AF_INET ? 4 : 16;

	return a->family == b->family && memcmp(a->addr, b->addr, len) == 0 &&
	       (a->family == AF_INET || a->scope_id == b->scope_id);
}

static bool is_broken(const struct race_candidate *c)
{
	return c->verdict == RACE_BROKEN;
}

/* Does `a`, which came later, go before `b`, of the same family and no more nor less broken? */
static bool overtakes(const struct race_candidate *a, const struct race_candidate *b)
{
	if (a->srtt_ms != 0 && b->srtt_ms != 0 &&
	    (a->srtt_ms + RACE_RTT_TIE_MS < b->srtt_ms ||
	     b->srtt_ms + RACE_RTT_TIE_MS < a->srtt_ms))
		return a->srtt_ms < b->srtt_ms;
	return a->verdict == RACE_WORKS && b->verdict != RACE_WORKS;
}

static const struct race_candidate *waiting(const struct race *race, unsigned i)
{
	return &race->entries[race->order[i]].candidate;
}

/* Puts the new one before the broken, if it is not, and changes places with those of its family
 * that it overtakes: the other's keep theirs. Stable; a tie of round trips is not transitive, and
 * need not be. */
static void insert(struct race *race, unsigned number)
{
	const struct race_candidate *c = &race->entries[number].candidate;
	unsigned at = race->nwaiting++;

	for (; at > 0 && !is_broken(c) && is_broken(waiting(race, at - 1)); at--)
		race->order[at] = race->order[at - 1];
	for (unsigned i = at; i > 0 && is_broken(waiting(race, i - 1)) == is_broken(c); i--) {
		if (waiting(race, i - 1)->family != c->family)
			continue;
		if (!overtakes(c, waiting(race, i - 1)))
			break;
		race->order[at] = race->order[i - 1];
		at = i - 1;
	}
	race->order[at] = (unsigned char)number;
}

/* The place in `order` of the one whose turn it is. A family that is broken as far as is known
 * does not get its turn before one that is not. */
static unsigned whose_turn(const struct race *race)
{
	bool broken = is_broken(waiting(race, 0));

	for (unsigned i = 0; i < race->nwaiting && race->last_family != 0; i++) {
		const struct race_candidate *c = waiting(race, i);

		if (c->family != race->last_family && (broken || !is_broken(c)))
			return i;
	}
	return 0;
}

/* ---- pace ---- */

static uint64_t delay_after(const struct race *race, const struct race_candidate *c)
{
	uint64_t ms = c->srtt_ms + 4 * (uint64_t)c->rttvar_ms;

	if (c->srtt_ms == 0 || is_broken(c))
		return race->options.delay_ms;
	return ms < RACE_DELAY_MIN_MS	? RACE_DELAY_MIN_MS
	       : ms > RACE_DELAY_MAX_MS ? RACE_DELAY_MAX_MS
					: ms;
}

static bool may_start(const struct race *race)
{
	return race->begun && race->state == RACE_RUNNING && race->nwaiting > 0 &&
	       race->nconnecting < race->options.max_started;
}

static void start_next(struct race *race, uint64_t now_ms)
{
	unsigned at = whose_turn(race), number = race->order[at];
	struct race_entry *entry = &race->entries[number];

	memmove(&race->order[at], &race->order[at + 1], race->nwaiting - at - 1);
	race->nwaiting--;
	entry->phase = RACE_STARTING;
	if (race->nstarted++ == 0)
		race->first = number;
	race->nconnecting++;
	race->last_family = entry->candidate.family;
	race->started_ms = now_ms;
	race->next_ms = now_ms + delay_after(race, &entry->candidate);
}

static uint64_t due_ms(const struct race *race)
{
	return race->next_ms > race->not_before_ms ? race->next_ms : race->not_before_ms;
}

/* Starts what is due. One at a time: each begins a delay of its own. */
static void proceed(struct race *race, uint64_t now_ms)
{
	if (may_start(race) && (race->nstarted == 0 || now_ms >= due_ms(race)))
		start_next(race, now_ms);
	if (race->state == RACE_RUNNING && race->begun && race->sealed && race->nwaiting == 0 &&
	    race->nconnecting == 0)
		race->state = RACE_LOST;
	if (race->state == RACE_LOST && race->nstarted == 0)
		race->first_error = EHOSTUNREACH; /* there was nobody to connect to */
}

/* ---- events ---- */

void race_init(struct race *race, const struct race_options *options)
{
	memset(race, 0, sizeof *race);
	race->options = *options;
	if (race->options.max_started == 0 || race->options.max_started > RACE_ATTEMPTS_MAX)
		race->options.max_started = RACE_ATTEMPTS_MAX;
}

int race_add(struct race *race, const struct race_candidate *candidate, uint64_t now_ms)
{
	if (race->state != RACE_RUNNING || race->sealed)
		return -EALREADY;
	for (unsigned i = 0; i < race->n; i++)
		if (is_same(&race->entries[i].candidate, candidate))
			return -EEXIST;
	if (race->n == RACE_MAX)
		return -ENOSPC;
	race->entries[race->n] = (struct race_entry){.candidate = *candidate};
	insert(race, race->n++);
	proceed(race, now_ms); /* its turn may be now: all that were known have failed */
	return (int)race->n - 1;
}

void race_begin(struct race *race, uint64_t now_ms)
{
	race->begun = true;
	proceed(race, now_ms);
}

void race_seal(struct race *race, uint64_t now_ms)
{
	race->sealed = true;
	proceed(race, now_ms);
}

void race_connected(struct race *race, unsigned candidate, uint64_t now_ms)
{
	struct race_entry *entry = &race->entries[candidate];

	(void)now_ms;
	if (race->state != RACE_RUNNING || entry->phase != RACE_CONNECTING)
		return; /* in the same millisecond as the winner: it will be stopped */
	entry->phase = RACE_ENDED;
	race->nconnecting--;
	race->winner = candidate;
	race->state = RACE_WON;
}

static void end_with(struct race *race, unsigned candidate, int error, uint64_t due_ms,
		     uint64_t now_ms)
{
	struct race_entry *entry = &race->entries[candidate];

	if (entry->phase != RACE_CONNECTING)
		return;
	entry->phase = RACE_ENDED;
	race->nconnecting--;
	if (candidate == race->first || race->first_error == 0)
		race->first_error = error;
	if (race->next_ms > due_ms)
		race->next_ms = due_ms;
	proceed(race, now_ms);
}

void race_failed(struct race *race, unsigned candidate, int error, uint64_t now_ms)
{
	end_with(race, candidate, error, race->started_ms + RACE_PACE_MS, now_ms);
}

void race_unsent(struct race *race, unsigned candidate, int error, uint64_t now_ms)
{
	end_with(race, candidate, error, now_ms, now_ms);
}

void race_postpone(struct race *race, uint64_t until_ms)
{
	if (race->not_before_ms < until_ms)
		race->not_before_ms = until_ms;
}

void race_tick(struct race *race, uint64_t now_ms)
{
	proceed(race, now_ms);
}

uint64_t race_wake_ms(const struct race *race)
{
	return may_start(race) && race->nstarted > 0 ? due_ms(race) : RACE_NEVER;
}

/* ---- actions ---- */

static bool take(struct race *race, enum race_phase from, enum race_phase to, unsigned *ret)
{
	for (unsigned i = 0; i < race->n; i++) {
		if (race->entries[i].phase != from)
			continue;
		race->entries[i].phase = to;
		*ret = i;
		return true;
	}
	return false;
}

bool race_next(struct race *race, struct race_action *ret)
{
	*ret = (struct race_action){.what = RACE_START};
	if (race->state == RACE_RUNNING)
		return take(race, RACE_STARTING, RACE_CONNECTING, &ret->candidate);
	/* Over. Whoever was to be started never is; whoever connects is stopped. */
	while (take(race, RACE_STARTING, RACE_ENDED, &ret->candidate))
		race->nconnecting--;
	ret->what = RACE_STOP;
	if (take(race, RACE_CONNECTING, RACE_ENDED, &ret->candidate)) {
		race->nconnecting--;
		return true;
	}
	*ret = (struct race_action){
		.what = RACE_FINISH,
		.candidate = race->winner,
		.error = race->state == RACE_LOST ? race->first_error : 0,
	};
	if (race->finished)
		return false;
	race->finished = true;
	return true;
}
