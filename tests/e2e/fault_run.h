// SPDX-License-Identifier: MIT
/*
 * fault_run.h - one fault of the upstream as a row of a table: what the cache holds when it begins,
 * what the server does then, who looks what up meanwhile, and what may come of it at most.
 *
 * A row runs in a world and with a cache of its own. Everything here ends the test where it fails.
 * One thread.
 */
#ifndef FAULT_RUN_H
#define FAULT_RUN_H

#include "tests/e2e/result_table.h"
#include "tests/e2e/shim_run.h"

#define FAULT_LISTEN                                                                               \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 1 SOA 1\n"
/* Names that live for a second. */
#define FAULT_OLD                                                                                  \
	FAULT_LISTEN "rr *.test 1 A 192.0.2.1\n"                                                   \
		     "rr *.test 1 AAAA 2001:db8::1\n"
#define FAULT_EXPIRED_MS 1200

/* The deadline is one second. */
#define FAULT_CONF  "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
#define FAULT_WORLD .resolv_conf = FAULT_CONF

#define FAULT_ANY (~0u)

/* What stale_client says. */
struct fault_toll {
	unsigned errors, slow, crawling, longest_ms, again, waited, spread_ms, wall_ms;
};

struct fault;

struct fault_case {
	unsigned row;
	const char *what;
	const char *fill;   /* words for stale_client, by which names get into the cache, where they
			     * expire; NULL: none */
	const char *script; /* the server after that; NULL: as it was, FAULT_OLD */
	void (*begin)(struct fault *f);	    /* then; or NULL */
	void (*meanwhile)(struct fault *f); /* in a process of its own, which is killed when the
					     * lookups are over; or NULL */
	const char *env;		    /* one setting, or NULL */
	const char *who, *client;	    /* for the table; words for stale_client */
	const char *expected;		    /* for the table; the limits: */
	unsigned again;			    /* exactly so many lookups have EAI_AGAIN */
	unsigned waited;		    /* at most so many took more than 1 ms */
	bool once;			    /* no process had more than one of over 100 ms */
	unsigned longest_ms, least_ms;	    /* at most, at least */
	const char *name;		    /* of which queries are counted */
	unsigned asked, least_asked;	    /* at most, at least, of each type */
	void (*end)(struct fault *f);	    /* what else must be; or NULL */
};

struct fault {
	struct lab_world *w;
	const struct fault_case *c;
	struct lab_dns *dns;
	struct fault_toll toll;
};

/* Runs one row, adds its line to the table, and fails where it is not as it says. */
void fault_run(struct lab_world *w, const struct fault_case *c);

/* Runs stale_client under the shim. `env` may be NULL. */
struct fault_toll fault_look_up(const char *env, const char *words);

/* ---- faults ---- */

void fault_gone(struct fault *f);		       /* nobody listens: ICMP says so */
void fault_silent(struct fault *f);		       /* the server's process is stopped */
void fault_serve(struct fault *f, const char *script); /* another server in its place */
void fault_flaps(struct fault *f);		       /* a second away, a second there */

void fault_sleep_ms(unsigned ms);

#endif
