// SPDX-License-Identifier: MIT
/*
 * ask_plan.h - what a lookup has in hand when it asks: what may be given without the answer, how
 * long the answer is waited for, and in the end what is given.
 *
 * Where the question waits for too long, or fails, it is given, of each type that is asked, what
 * the cache has:
 *
 *	fresh, of any kind       it
 *	stale addresses          they
 *	stale "no such name",    it, but only beside addresses of the other type: it is not given
 *	or "no data"             by itself
 *	nothing, or too old      the failure, where one is remembered (failures.h)
 *
 * Stale is what has expired by NOBLOCKDNS_STALE_MAX at most (RFC 8767). The types are kept apart,
 * also by NXDOMAIN, which says something of both: there are servers that give it for AAAA alone
 * (RFC 4074 section 4.2).
 *
 * Any thread; no system call; the call's settings are held.
 */
#ifndef NOBLOCKDNS_ASK_PLAN_H
#define NOBLOCKDNS_ASK_PLAN_H

#include "shim/blob.h"
#include "shim/lookup.h"

#include <stdbool.h>
#include <stdint.h>

struct resolve;

#define ASK_STALE_TTL_S 30 /* of a stale answer (RFC 8767 section 4) */

/* All zero: nothing. */
struct ask_plan {
	struct blob *stale; /* owns: what is given where nothing better comes in time, or NULL */
	bool known;	    /* and nothing has to be asked */
	bool silent;	    /* the servers are: it may be asked, and not be waited for */
	bool unheard;	    /* known, and no server has said so, for a while: they may be back */
	bool addresses;	    /* stale: has some */
	uint64_t until_ms;  /* how long to wait */
	uint64_t since_ms;  /* ask.c's: since when the question is without an answer */
};

/* Without memory, as if there were nothing. */
void ask_plan_make(struct resolve *call, const struct lookup_question *question,
		   struct ask_plan *ret);

/*
 * What is given after all, the caller's to release; NULL: nothing. `blob` (owned here) is what has
 * come, NULL: nothing has. Of a type that failed, or did not come while there are no addresses,
 * stale addresses are given. The plan keeps nothing.
 */
struct blob *ask_plan_choose(struct ask_plan *plan, unsigned types, struct blob *blob);

void ask_plan_forget(struct ask_plan *plan);

/* ---- of an entry ---- */

/* Of the types that are asked: those that are fresh. */
unsigned ask_plan_fresh(const struct entry *entry, unsigned types, uint64_t now_ms);

bool ask_plan_has_addresses(const struct entry *entry, unsigned types);

#endif
