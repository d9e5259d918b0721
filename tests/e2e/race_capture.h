// SPDX-License-Identifier: MIT
/*
 * race_capture.h - the attempts of one client, as its packets show them, and the text in which a
 * table says which ones there must be.
 *
 * An attempt is the first SYN of a source port to an address; what the kernel sends again is none.
 * The text has one word an attempt, in the order of their SYNs, in milliseconds from a start:
 *
 *	6@0		an IPv6 SYN at 0 ms
 *	4@250		an IPv4 SYN at 250 ms
 *	6<300		an IPv6 SYN at any time up to 300 ms
 *	...		as the last word: more may follow
 */
#ifndef RACE_CAPTURE_H
#define RACE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RACE_CAPTURE_MAX 2048

/* What is late by no more than this is in time, and early by no more than that. */
#define RACE_SLOP_MS(ms) ((ms) > 400 ? (ms) / 10 : 40.0)
#define RACE_EARLY_MS	 3.0

struct race_attempt {
	int family; /* 4 or 6, on the wire */
	uint16_t port;
	unsigned char target[16];
	double at_ms; /* CLOCK_MONOTONIC */
};

struct race_capture {
	unsigned n;
	struct race_attempt attempts[RACE_CAPTURE_MAX];
	double first_synack_ms; /* 0: none */
	double first_rst_ms;	/* of ours; 0: none */
};

/* Everything to and from that port of the far side. */
void race_capture_read(const char *path, uint16_t port, struct race_capture *ret);

/* "6@0 4@251": the text of what was captured. */
void race_capture_print(const struct race_capture *c, double start_ms, char *buf, size_t size);

/* Whether it is as the text says; if not, `why` says what is wrong, and `late` is set where an
 * attempt was too late, or never came: another one may have won while it was. */
bool race_capture_is(const struct race_capture *c, double start_ms, const char *text, char *why,
		     size_t size, bool *late);

#endif
