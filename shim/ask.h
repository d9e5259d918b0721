// SPDX-License-Identifier: MIT
/*
 * ask.h - what a lookup does about a question to which the cache has no fresh answer.
 *
 *	known     it failed a moment ago (failures.h), or the servers are silent and there is a
 *stale answer: taken at once, nobody is waited for mine      this process has the lease (lease.h),
 *or none is to be had: it asks, and waits others    another process, or another thread, asks: its
 *answer is waited for in the cache
 *
 * A stale answer (RFC 8767) is one whose TTL has passed by NOBLOCKDNS_STALE_MAX at most. Where
 *there is one it is given when the question has been without an answer for
 *NOBLOCKDNS_STALE_AFTER_MS, whoever asked; when the answer is a failure; and at the deadline. The
 *question goes on. Answers that say that there is nothing (NXDOMAIN, NODATA) are not given stale by
 *themselves.
 */
#ifndef NOBLOCKDNS_ASK_H
#define NOBLOCKDNS_ASK_H

#include "shim/lookup.h"
#include "shim/resolve.h"

#define ASK_STALE_TTL_S 30 /* of a stale answer (RFC 8767 section 4) */

/*
 * Gets the answer to the question into the call, or into the cache, or the knowledge that there is
 * none; until the call's deadline. 0; -EXDEV in a child; and whatever fetch_start() says. A
 * cancellation point.
 */
int ask(struct resolve *call, const struct lookup_question *question);

/* What a question has while it is in flight. All zero: nothing. */
struct ask_plan {
	struct blob
		*stale; /* owns: what is given where nothing better comes in time; NULL: nothing */
	bool known;	/* and nothing has to be asked */
	bool silent;	/* the servers are: it may be asked, and not be waited for */
	uint64_t until_ms; /* how long to wait */
	uint64_t since_ms; /* ask_begin(): when it was asked */
};

/*
 * The same for one that must not wait (getaddrinfo_a), which takes no lease. 1: the call has the
 * answer. 0: `done` will be called, at ret->until_ms at the latest, and ask_end() is to follow.
 */
int ask_begin(struct resolve *call, const struct lookup_question *question, fetch_done_fn done,
	      void *arg, struct ask_plan *ret, struct fetch **ret_fetch);

/* Gives the call the answer `blob` (owned; NULL: none came), or what is stale where that is a
 * failure, or none. The plan is over. 0 or -ENOMEM. */
int ask_end(struct resolve *call, struct ask_plan *plan, const struct name *name, unsigned types,
	    struct blob *blob);

void ask_plan_forget(struct ask_plan *plan);

/* A hit in the last tenth of its TTL: the name is asked for anew, in the background, by one
 * process.
 */
void ask_refresh(struct resolve *call, const struct name *name, unsigned types);

#endif
