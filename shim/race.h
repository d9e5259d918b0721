// SPDX-License-Identifier: MIT
/*
 * race.h - which of a name's addresses to connect to, when, and which of them has won: Happy
 * Eyeballs (RFC 8305 sections 4 to 6) as a pure state machine.
 *
 * Events and the time go in, actions come out. It calls no connect() and reads no clock, so one
 * machine serves the thread of a blocking connect(), the io thread and the tests:
 *
 *	race_init(&race, &options);
 *	race_add(&race, &candidate, now);      each address in the order of RFC 6724; later ones
 *	race_begin(&race, now);                the first attempt
 *	race_seal(&race, now);                 no more addresses will come
 *	while (race_next(&race, &action))      after each event: carry out what it says
 *		...
 *	race_wake_ms(&race)                    when to call race_tick() at the latest
 *	race_connected(), race_failed(), race_unsent(), race_tick()
 *
 * All times are milliseconds of one monotonic clock. No allocation.
 */
#ifndef NOBLOCKDNS_RACE_H
#define NOBLOCKDNS_RACE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define RACE_MAX	  32 /* candidates; those beyond are not tried */
#define RACE_ATTEMPTS_MAX 6  /* at a time */
#define RACE_NEVER	  UINT64_MAX

#define RACE_DELAY_MS	  250 /* Connection Attempt Delay (RFC 8305 section 8) */
#define RACE_DELAY_MIN_MS 100 /* of a delay that follows from a round trip */
#define RACE_DELAY_MAX_MS 2000
#define RACE_PACE_MS	  10 /* after a failure: Minimum Connection Attempt Delay */
#define RACE_RTT_TIE_MS	  25 /* round trips that are closer than this are equal */

/* What earlier connects have shown of an address (the history). */
enum race_verdict {
	RACE_UNKNOWN,
	RACE_WORKS,  /* a connect succeeded lately */
	RACE_BROKEN, /* the latest failed, or lost to another address and never answered */
};

struct race_candidate {
	int family;		/* AF_INET or AF_INET6; a v4-mapped address counts as AF_INET */
	unsigned char addr[16]; /* 4 or 16 bytes, network order */
	uint32_t scope_id;	/* AF_INET6 */
	enum race_verdict verdict;
	uint32_t srtt_ms, rttvar_ms; /* round trip of connects; srtt 0: not known */
};

enum race_state {
	RACE_RUNNING,
	RACE_WON,
	RACE_LOST, /* every candidate failed, and no more will come */
};

enum race_do {
	RACE_START, /* connect to `candidate` */
	RACE_STOP,  /* end its attempt, it has not won */
	RACE_FINISH,
};

struct race_action {
	enum race_do what;
	unsigned candidate; /* as numbered by race_add(); with FINISH the winner's */
	int error;	    /* with FINISH: 0, or the errno of the first attempt */
};

struct race_options {
	uint32_t delay_ms;    /* NOBLOCKDNS_RACE_DELAY_MS */
	unsigned max_started; /* attempts at a time, at most RACE_ATTEMPTS_MAX; 0: that many */
};

enum race_phase { RACE_WAITING, RACE_STARTING, RACE_CONNECTING, RACE_ENDED };

/* A candidate and its attempt. */
struct race_entry {
	struct race_candidate candidate;
	enum race_phase phase;
};

struct race {
	struct race_options options;
	enum race_state state;
	bool sealed;   /* no more candidates will come */
	bool finished; /* FINISH was handed out */
	bool begun;
	unsigned n, nconnecting, nstarted;
	struct race_entry entries[RACE_MAX];
	unsigned char order[RACE_MAX]; /* of those that wait: which comes next */
	unsigned nwaiting;
	int last_family; /* of the latest attempt; 0: none yet */
	int first_error; /* of the first attempt that failed */
	unsigned first;	 /* the first attempt's candidate */
	unsigned winner;
	uint64_t started_ms;	/* the latest attempt */
	uint64_t next_ms;	/* when the next one is due */
	uint64_t not_before_ms; /* ... and may begin */
};

void race_init(struct race *race, const struct race_options *options);

/*
 * A candidate; those that come after the start enter among the ones that have not been tried.
 * Returns its number; -ENOSPC past RACE_MAX, -EEXIST for an address that is there, -EALREADY after
 * the end.
 */
int race_add(struct race *race, const struct race_candidate *candidate, uint64_t now_ms);

/* Starts the first attempt, as soon as there is a candidate. */
void race_begin(struct race *race, uint64_t now_ms);

/* No more candidates will come. */
void race_seal(struct race *race, uint64_t now_ms);

/* The attempt at `candidate` is connected, or has failed with this errno (positive). */
void race_connected(struct race *race, unsigned candidate, uint64_t now_ms);
void race_failed(struct race *race, unsigned candidate, int error, uint64_t now_ms);

/* The attempt at `candidate` was refused before anything was sent (no route, no socket): the next
 * one's turn is now, without a pause. Each candidate is tried once, so this comes to an end. */
void race_unsent(struct race *race, unsigned candidate, int error, uint64_t now_ms);

/* The next attempt is not started before that, whatever fails meanwhile. */
void race_postpone(struct race *race, uint64_t until_ms);

/* The time has come. Calls that are too early or too late do no harm. */
void race_tick(struct race *race, uint64_t now_ms);

/* The next thing to do; false: nothing. */
bool race_next(struct race *race, struct race_action *ret);

/* When race_tick() is wanted; RACE_NEVER: not before another event. */
uint64_t race_wake_ms(const struct race *race);

#endif
