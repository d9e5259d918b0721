// SPDX-License-Identifier: MIT
/* ask_internal.h - one question on its way through ask.c and ask_others.c. Its caller's thread. */
#ifndef NOBLOCKDNS_ASK_INTERNAL_H
#define NOBLOCKDNS_ASK_INTERNAL_H

#include "shim/ask.h"
#include "shim/fetch.h"
#include "shim/lease.h"
#include "shim/settings.h"

struct asking {
	struct resolve *call;
	const struct lookup_question *question;
	struct ask_plan plan;
	uint64_t key;	     /* of the name */
	struct lease lease;  /* as it was taken, or is others' */
	uint64_t waited_who; /* others' lease that was waited for; 0: none was */
	uint64_t waited_end_ms;
	uint64_t partial_ms; /* since when others have one type's addresses; 0: they have not */
	struct fetch *fetch; /* owns, while it is waited for */
	bool mine;	     /* the lease */
	bool refresh;
	bool may_wait; /* on this thread */
};

static inline struct cache *ask_cache(const struct asking *a)
{
	return a->call->settings->cache;
}

/* Takes the lease if there is one to be had. */
enum lease_result ask_take_lease(struct asking *a);

/* Gives the call the answer (owned; NULL: none came), or what the plan has: 0 or -ENOMEM. */
int ask_take(struct asking *a, struct blob *blob);

/* This process has waited for an answer. */
void ask_note_wait(void);

/*
 * Waits while others have the lease. 1: it is had, or there is none, or the wait would be in vain:
 * the question is to be asked. 0 and errors: as ask(). A cancellation point.
 */
int ask_others(struct asking *a);

#endif
