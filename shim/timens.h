// SPDX-License-Identifier: MIT
/*
 * timens.h - which time namespace a process is in, of those that share a cache
 * (time_namespaces(7)).
 *
 * There CLOCK_BOOTTIME may be ahead or behind. What such a process has stored would be of the
 * future, and fresh again when the other's clock comes there: so the time namespace is part of the
 * view.
 *
 * /proc tells it, for 30 us. But it is another one only if the time of the boot, by the wall clock
 * minus CLOCK_BOOTTIME, is not the one that the first process left in the cache beside its own
 * namespace. That is read without a system call; /proc is asked where it differs by more than a
 * second, also because the wall clock was set. Namespaces less than that apart are one.
 */
#ifndef NOBLOCKDNS_TIMENS_H
#define NOBLOCKDNS_TIMENS_H

#include "shim/cache.h"

#include <stdint.h>

/* Not 0, and the same for all processes of a namespace; 0 where the cache is not shared, or NULL.
 * Any thread. */
uint32_t timens_identify(const struct cache *cache);

#endif
