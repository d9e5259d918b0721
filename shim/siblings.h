// SPDX-License-Identifier: MIT
/*
 * siblings.h - which addresses belong to the same name: what this process has been told by lookups,
 * so that a connect() to one of them may try the others (RFC 8305).
 *
 * A table of fixed size. Lists are noted by lookups, on any thread; they are looked for by
 * connect(), which may be called in a signal handler: no lock, no allocation, no system call on
 * either side. A note that cannot be kept costs a race, nothing else.
 */
#ifndef NOBLOCKDNS_SIBLINGS_H
#define NOBLOCKDNS_SIBLINGS_H

#include "shim/order.h"

#include <stdbool.h>
#include <stdint.h>

#define SIBLINGS_MAX	 16	/* addresses of one name that are kept: the first ones */
#define SIBLINGS_HOLD_MS 600000 /* as long as what is known of the network (RFC 8305 section 4) */

/*
 * A lookup gave `n` addresses in this order, of which two at least differ. `id` is a hash of them
 * and of nothing that changes from one lookup to the next: a list that is known is not written
 * again. It holds until `until_ms` (CLOCK_BOOTTIME), SIBLINGS_HOLD_MS at most.
 */
void siblings_note(const struct order_dest *dests, unsigned n, uint64_t id, uint64_t now_ms,
		   uint64_t until_ms);

/*
 * The addresses that may be used in place of `dest`, itself included, in the order in which the
 * lookup gave them. Where several lists have it, those that are in all of them.
 * Returns how many are in `ret`: 0 where it is not known, 1 where it is alone. *ret_more: the
 * lookup did not wait for the other family's answer, which has not come yet; look again later.
 */
unsigned siblings_find(const struct order_dest *dest, uint64_t now_ms,
		       struct order_dest ret[SIBLINGS_MAX], bool *ret_more);

/* Has anything been noted yet? One load. */
bool siblings_any(void);

#endif
