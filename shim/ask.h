// SPDX-License-Identifier: MIT
/*
 * ask.h - what a lookup does about a question to which the cache has no fresh answer: who asks, and
 * who waits.
 *
 *	known       all that is missing has failed a moment ago (failures.h): what is stale, or
 *	            the failure, is taken at once; where no server said so, a while ago, one process
 *	            at a time asks, in the background
 *	silent      the servers are (silence.h), and there is something stale: it is taken at
 *	            once; one process at a time asks, in the background
 *	mine        this process has the lease (lease.h), or none is to be had: it asks, and waits
 *	others      somebody else has it, be it a thread of this process: waits for what comes
 *	            into the cache; at the lease's end all begins anew
 *	given up    too long without an answer: what is stale is taken; the question goes on. So
 *	            is, without one, what a call comes to when its deadline is over
 *
 * Where there is something stale (ask_plan.h) it is given up when the question has been without an
 * answer for NOBLOCKDNS_STALE_AFTER_MS, whoever asked first; else at the call's deadline.
 *
 * Of two types of which one is fresh both are asked: their TTLs go together from then on.
 */
#ifndef NOBLOCKDNS_ASK_H
#define NOBLOCKDNS_ASK_H

#include "shim/ask_plan.h"
#include "shim/lookup.h"
#include "shim/resolve.h"

/*
 * Gets the answer to the question into the call, or into the cache, or the knowledge that there is
 * none; until the call's deadline. 0; -EXDEV in a child; and whatever fetch_start() says. A
 * cancellation point; a signal handler may leave it by longjmp(). A lease is kept by the question
 * that is in flight, not by its asker, so whoever leaves leaves no lease behind.
 */
int ask(struct resolve *call, const struct lookup_question *question);

/*
 * The same for one that must not wait (getaddrinfo_a). It takes the lease where it can be had, and
 * others wait for it; where another has it it asks as well, since the io thread can sleep on no
 * futex: one packet more for each process and name. 1: the call has the answer. 0: `done` will be
 * called, at ret->until_ms at the latest, and ask_end() is to follow.
 */
int ask_begin(struct resolve *call, const struct lookup_question *question, fetch_done_fn done,
	      void *arg, struct ask_plan *ret, struct fetch **ret_fetch);

/* Gives the call the answer `blob` (owned; NULL: none came), or what the plan has in its place. The
 * plan is over. 0 or -ENOMEM. */
int ask_end(struct resolve *call, struct ask_plan *plan, const struct name *name, unsigned types,
	    struct blob *blob);

/*
 * A hit in the last tenth of its TTL: the name is asked for anew, in the background, by one
 * process. `key` is siblings_key(). While that is on its way a call costs a look at the lease.
 */
void ask_refresh(struct resolve *call, const struct name *name, unsigned types, uint64_t key);

/* In a forked child, which may be over at once. */
void ask_reset(void);

#endif
