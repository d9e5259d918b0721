// SPDX-License-Identifier: MIT
/*
 * settings_view.h - who may be given whose answers.
 *
 * The view is a hash of what decides which answers a process may be given: the upstreams in their
 * order with their transports, how those over TLS are authenticated, the options that change what
 * they say (trust-ad), what the rebinding guard takes out of it, the limits of the TTL, and the
 * network namespace. The servers that are asked for the addresses of an upstream's name count where
 * nothing else does: in strict mode the name is authenticated, whoever told its addresses, so a
 * laptop that changes networks keeps its view. Search list, ndots, timeouts and rotate change which
 * questions are put, not what the answer to one is, so processes that differ in them share. So do
 * those that differ in what they make of an answer that is old or late (STALE_*, DEADLINE_MS): each
 * applies its own. With the limits of the TTL none could: an entry says when it ends, and not what
 * the server said.
 *
 * So does the time namespace (timens.h), since the times in the cache are CLOCK_BOOTTIME. It is
 * learnt with the settings: a process that forks into another one has the old one's view.
 */
#ifndef NOBLOCKDNS_SETTINGS_VIEW_H
#define NOBLOCKDNS_SETTINGS_VIEW_H

#include "shim/settings.h"

/* The view of settings whose upstreams are chosen, in a network namespace. Pure. */
uint64_t settings_view(const struct settings *settings, uint64_t netns);

#endif
