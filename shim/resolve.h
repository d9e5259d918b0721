// SPDX-License-Identifier: MIT
/*
 * resolve.h - one lookup call of a program: its settings, its deadline, and the RRsets that it has
 * collected so far. It is the lookup_source of lookup.h: first what this call has fetched, then the
 * shared cache.
 *
 *	resolve_begin(&call);                            takes the settings; false: libc's turn
 *	while ((r = lookup_...(&query, ...)) == LOOKUP_ASK)
 *		if (resolve_ask(&call, &question) < 0)   goes to the network, blocks
 *			...libc's turn...
 *	resolve_end(&call);
 *
 * The same thread from begin to end. getaddrinfo_a() uses resolve_take() where resolve_ask() would
 * block.
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
	uint64_t room[ENTRY_ROOM / 8];
};

/* False: this lookup is libc's (nothing to be ended then). Any thread. */
bool resolve_begin(struct resolve *call);
void resolve_end(struct resolve *call);

/*
 * Puts the question and waits for its answer, at most until the call's deadline; a missing answer
 * counts as RESOLVER_TIMEOUT. A cancellation point: the call is ended before the thread unwinds.
 * 0; -EXDEV in a child of vfork; -ENOENT without a resolver library; -ENOMEM and other errnos.
 */
int resolve_ask(struct resolve *call, const struct lookup_question *question);

/* Takes over an answer (NULL: none came) that arrived another way. 0 or -ENOMEM. */
int resolve_take(struct resolve *call, const struct name *name, struct blob *blob);

#endif
