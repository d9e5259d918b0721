// SPDX-License-Identifier: MIT
/* lineup.c - see lineup.h. */
#include "resolver/lineup.h"

#include <stddef.h>

void lineup_init(struct lineup *l, const unsigned char *order,
		 const enum resolver_transport *protocols, unsigned n, unsigned attempts)
{
	*l = (struct lineup){
		.n = n,
		.current = n - 1, /* so that the first is next, in round 0 */
		.round = -1u,
		/* one more than configured: the first retransmit is quicker than glibc's */
		.sends_limit = attempts + 1 < LINEUP_SENDS_MAX ? attempts + 1 : LINEUP_SENDS_MAX,
	};
	for (unsigned i = 0; i < n; i++) {
		l->candidates[i].upstream = order[i];
		l->candidates[i].protocol = protocols[order[i]];
	}
}

bool lineup_may_ask(const struct lineup *l, const struct candidate *c)
{
	return !c->failure && !c->in_flight && c->nsends[c->protocol] < l->sends_limit;
}

struct candidate *lineup_next(struct lineup *l)
{
	for (unsigned tries = 0; tries < l->n; tries++) {
		if (++l->current == l->n) {
			l->current = 0;
			l->round++;
		}
		if (lineup_may_ask(l, &l->candidates[l->current]))
			return &l->candidates[l->current];
	}
	return NULL;
}

bool lineup_is_current(const struct lineup *l, const struct candidate *c)
{
	return c == &l->candidates[l->current];
}

bool lineup_all_out(const struct lineup *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!l->candidates[i].failure)
			return false;
	return true;
}

enum resolver_failure lineup_failure(const struct lineup *l)
{
	static const enum resolver_failure order[] = {
		RESOLVER_FORMERR, RESOLVER_MALFORMED,	RESOLVER_SERVFAIL,
		RESOLVER_REFUSED, RESOLVER_UNREACHABLE,
	};

	for (unsigned o = 0; o < sizeof(order) / sizeof(order[0]); o++)
		for (unsigned i = 0; i < l->n; i++)
			if (l->candidates[i].failure == order[o])
				return order[o];
	return RESOLVER_LOCAL_ERROR;
}
