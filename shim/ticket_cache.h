// SPDX-License-Identifier: MIT
/*
 * ticket_cache.h - TLS session tickets that one connection has left for the next one, of whatever
 * process of this user: a resumed session costs no certificate work (RFC 8446 section 2.2).
 *
 * Each ticket is given out once (appendix C.4: two connections with one ticket can be told to be
 * one client's). At most TICKETS_PER_KEY are kept of a key, as Android does; the newest goes first,
 * the oldest is replaced.
 *
 * They are kept in the shared cache (cache_region.h). A cache that is this process's alone, or
 * none, would be copied by fork() and its tickets given out twice: then a few are kept here, which
 * a forked child forgets. What is taken or found to be over is wiped; what is left in the file of a
 * machine that goes down is a secret in /dev/shm, mode 0600.
 *
 * Never blocks: a slot that another process is busy with is passed over. io thread; the shared part
 * is correct on any.
 */
#ifndef NOBLOCKDNS_TICKET_CACHE_H
#define NOBLOCKDNS_TICKET_CACHE_H

#include "shim/cache.h"

#include <stdint.h>

#define TICKETS_PER_KEY	      5
#define TICKET_LIFETIME_MAX_S 604800u /* RFC 8446 section 4.6.1: seven days */

/*
 * A ticket of this key that has not expired, in `ret_ticket` (`size` bytes, enough for
 * RESOLVER_TICKET_MAX): its length, or -ENOENT. It is gone then, and was given to nobody else.
 * `cache` may be NULL; `now_ms` is CLOCK_BOOTTIME.
 */
int ticket_take(struct cache *cache, uint64_t key, uint64_t now_ms, void *ret_ticket,
		unsigned size);

/* Keeps a copy of a ticket of 1 to RESOLVER_TICKET_MAX bytes for `lifetime_s`, if there is room;
 * of others, none. */
void ticket_put(struct cache *cache, uint64_t key, uint64_t now_ms, const void *ticket,
		unsigned len, uint32_t lifetime_s);

/* In a forked child: the parent's own tickets are the parent's. */
void ticket_reset(void);

#endif
