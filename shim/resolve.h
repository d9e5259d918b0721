// SPDX-License-Identifier: MIT
/*
 * resolve.h - one lookup call of a program: its settings, its deadline, and the RRsets that it has
 * collected so far. It is the lookup_source of lookup.h: first what this call has fetched, then the
 * shared cache.
 *
 *	resolve_begin(&call);                  takes the settings; false: libc's turn
 *	r = resolve_look_up(&call, &query, NULL, &answer);
 *	...the answer is used while the settings are held...
 *	lookup_answer_free(&answer);
 *	resolve_end(&call);
 *
 * The same thread from begin to end. A call that must not block (getaddrinfo_a) goes in steps, on
 * whatever threads: each step takes the settings anew and carries on what was fetched before.
 *
 *	resolve_begin(&call);             the first step
 *	resolve_resume(&call, &kept);     the later ones
 *	...lookup; it asks: fetch_start() with a function that will begin the next step...
 *	resolve_pause(&call, &kept);      ends a step
 *	resolve_forget(&kept);            ends the call
 */
#ifndef NOBLOCKDNS_RESOLVE_H
#define NOBLOCKDNS_RESOLVE_H

#include "shim/fetch.h"
#include "shim/lookup.h"
#include "shim/rcu.h"

#include <stdbool.h>
#include <stdint.h>

struct resolve_fetched; /* one answer that this call has had */

struct resolve {
	struct lookup_source source; /* find(), with this call as its ctx */
	const struct settings *settings;
	uint64_t now_ms;
	uint64_t deadline_ms;
	rcu_token token;
	struct resolve_fetched *fetched; /* owns; list, newest first */
	uint64_t *large;		 /* owns: an entry that does not fit `room`, or NULL */
	char *name_owned;		 /* owns: the caller's, of its query's name, or NULL */
	uint64_t room[ENTRY_ROOM / 8];
};

/* What a call in steps keeps from one to the next. All zero: nothing. */
struct resolve_kept {
	uint64_t deadline_ms;
	struct resolve_fetched *fetched; /* owns */
};

/* False: this lookup is libc's (nothing to be ended then). Any thread. */
bool resolve_begin(struct resolve *call);
void resolve_end(struct resolve *call);

/*
 * May libc do this lookup in our place? Not where the user wants names to be asked for over TLS
 * alone: libc would ask in clear text (RFC 8310 section 5).
 */
static inline bool resolve_libc_may(const struct resolve *call)
{
	return !call->settings->config->private;
}

/* LOOKUP_LIBC becomes LOOKUP_DONE with EAI_AGAIN where libc may not; all else passes. */
enum lookup_result resolve_keep_private(const struct resolve *call, enum lookup_result result,
					int *ret_eai);

/*
 * Begins to fetch what the lookup of this query will read first, if it is likely to ask for the
 * name as it is. A hint, to be given before other work: a name that no core has in its caches costs
 * a trip to memory, which is longer than all the rest of a lookup.
 */
void resolve_expect(const struct resolve *call, const struct lookup_query *query);

/*
 * The whole lookup: lookup_hostent(), or without `ret_from_files` lookup_addrinfo(), until nothing
 * is left to be asked. Blocks, at most until the call's deadline; a missing answer counts as
 * RESOLVER_TIMEOUT. LOOKUP_DONE, or LOOKUP_LIBC also where nothing can be asked (a child of vfork,
 * no resolver library, no memory). `ret` is initialised here and the caller's to free.
 *
 * A cancellation point: a thread that is cancelled frees the answer and ends the call.
 */
enum lookup_result resolve_look_up(struct resolve *call, const struct lookup_query *query,
				   bool *ret_from_files, struct lookup_answer *ret);

/* Begins another step; takes over what `kept` has. False as in resolve_begin(): then it is kept. */
bool resolve_resume(struct resolve *call, struct resolve_kept *kept);

/* Ends a step. *ret held nothing before. */
void resolve_pause(struct resolve *call, struct resolve_kept *ret);

void resolve_forget(struct resolve_kept *kept);

/* What the cache has of the name, fresh or not, valid until the next call; -ENOENT. What was stored
 * before the network changed is not fresh (netstate.h). */
int resolve_find(struct resolve *call, const struct name *name, struct entry *ret);

/* Takes over an answer (NULL: none came) that arrived another way. 0 or -ENOMEM. */
int resolve_take(struct resolve *call, const struct name *name, struct blob *blob);

#endif
