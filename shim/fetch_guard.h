// SPDX-License-Identifier: MIT
/*
 * fetch_guard.h - the rebinding guard at work (rebind.h): an answer loses the private addresses
 * that its name may not have, before anybody sees it and before it enters the cache.
 *
 * With none left it is NODATA, as from unbound and dnsmasq: the name exists and has nothing that
 * may be had. NXDOMAIN would lie about the name's other type; a failure would be asked for again,
 * and have an older answer given in its place (RFC 8767).
 *
 * A process with the guard has another view than one without, or with another list, so neither
 * meets the other's answers, and a hit need not be looked at. io thread only.
 */
#ifndef NOBLOCKDNS_FETCH_GUARD_H
#define NOBLOCKDNS_FETCH_GUARD_H

#include "shim/fetch_kept.h"

/* Names that are logged, once each; then no more are, for whoever makes up names must not be able
 * to fill a disk. */
#define FETCH_GUARD_NAMES 64

/* *kept is an answer to `fetch`. */
void fetch_guard(struct fetch_kept *kept, const struct fetch *fetch);

/* In a forked child, which logs for itself. */
void fetch_guard_reset(void);

#endif
