// SPDX-License-Identifier: MIT
/*
 * race_programs.h - the programs that are raced: how each is started, what it says when it has been
 * served, and how long it took until the far server accepted.
 *
 * Program i is served by service i of race_services.h.
 */
#ifndef RACE_PROGRAMS_H
#define RACE_PROGRAMS_H

#include "tests/e2e/race_services.h"

/* Names that the world's DNS server must know. */
#define RACE_BLACK_HOLE "www.test" /* IPv6, which is a black hole, and IPv4 */
#define RACE_DEAD_IPV4	"two.test" /* two IPv4 addresses, of which the first is a black hole */
#define RACE_IPV4_ALONE "v4.test"

/* What a program does, by itself, where the first address of a name is a black hole. */
enum race_habit {
	RACE_STALLS,	 /* it waits until the kernel gives up */
	RACE_RACES,	 /* it races by itself */
	RACE_IPV4_FIRST, /* it asks for IPv4 addresses before it asks for others */
};

struct race_program {
	const char *name;
	const char *package_of; /* the program that must be there */
	enum race_service service;
	enum race_habit habit;
	const char *shell; /* the command; $HOST, $PORT and $DIR are set; NULL: nginx */
	const char *says;  /* on standard output, when it has been served */
	const char *host;  /* NULL: RACE_BLACK_HOLE */
	bool root;	   /* it or its server needs more than a user namespace */
	unsigned requests; /* nginx: how many, at most RACE_REQUESTS_MAX */
	unsigned gap_ms;   /* nginx: between two of them */
};

#define RACE_PROGRAMS	  16
#define RACE_REQUESTS_MAX 8

extern const struct race_program race_programs[RACE_PROGRAMS];

struct race_run {
	unsigned i; /* which program */
	const char *host;
	bool preload;
	const char *cache; /* NOBLOCKDNS_CACHE; NULL: the default */
};

struct race_outcome {
	int accepted_ms; /* from its start; -1: the server accepted nothing. nginx: from the
			  * last request to the last answer */
	int ended_ms;
	bool served; /* it said what it says when it has been served, and ended well */
	char complaint[512];
};

void race_program_run(struct lab_world *w, struct race_services *services,
		      const struct race_run *run, struct race_outcome *ret);

/* A formatted string that nobody frees: a world is short, and its strings are few. */
const char *race_programs_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
