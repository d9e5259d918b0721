// SPDX-License-Identifier: MIT
/*
 * siblings.h - which addresses belong to the same name: what this process has been told by lookups,
 * so that a connect() to one of them may try the others (RFC 8305).
 *
 * A table of fixed size. Lists are noted by lookups, on any thread, and extended by the io thread;
 * they are looked for by connect(), which may be called in a signal handler: no lock, no
 * allocation, no system call on either side. A child has its parent's lists. A note that cannot be
 * kept costs a race, nothing else.
 */
#ifndef NOBLOCKDNS_SIBLINGS_H
#define NOBLOCKDNS_SIBLINGS_H

#include "shim/order.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SIBLINGS_MAX	 16	/* addresses of one name that are kept: the first ones */
#define SIBLINGS_HOLD_MS 600000 /* as long as what is known of the network (RFC 8305 section 4) */

/* How long a list holds; CLOCK_BOOTTIME. */
struct siblings_hold {
	uint64_t now_ms;
	uint64_t until_ms;	/* now_ms + SIBLINGS_HOLD_MS at most */
	uint64_t more_until_ms; /* 0; or siblings_extend() is expected, until then at most */
};

/*
 * A lookup gave `n` addresses in this order; one may be alone. `id` is of the name and of what was
 * asked about it: the list takes the place of an earlier one. Addresses that are never raced
 * (loopback, unspecified, multicast) are left out. False: another thread is just noting the same
 * name; it is not known which of the two lists will stay.
 */
bool siblings_note(uint64_t id, const struct order_dest *dests, unsigned n,
		   const struct siblings_hold *hold);

/*
 * The answer has come, or will not come (n is 0), that a list was noted without: the addresses go
 * behind those that it has. May be called a moment before the list is noted.
 */
void siblings_extend(uint64_t id, const struct order_dest *dests, unsigned n, uint64_t now_ms);

/*
 * The addresses that may be used in place of `dest`, itself included, in the order in which the
 * lookup gave them; v4-mapped ones as AF_INET. Where several lists have it, those that are in all
 * of them. Returns how many are in `ret`: 0 where it is not known, 1 where it is alone. *ret_more:
 * the lookup did not wait for the other family's answer, which has not come yet; look again later.
 */
unsigned siblings_find(const struct order_dest *dest, uint64_t now_ms,
		       struct order_dest ret[SIBLINGS_MAX], bool *ret_more);

/* Internal: has anything been noted; until when nothing is (siblings_index.h). */
extern _Atomic bool siblings_noted;
extern _Atomic uint64_t siblings_closed_until_ms;

/* Has anything been noted yet? */
static inline bool siblings_any(void)
{
	return atomic_load_explicit(&siblings_noted, memory_order_relaxed);
}

/* Are there too many names for notes to be of use? */
static inline bool siblings_closed(uint64_t now_ms)
{
	return atomic_load_explicit(&siblings_closed_until_ms, memory_order_relaxed) > now_ms;
}

#endif
