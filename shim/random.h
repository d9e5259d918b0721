// SPDX-License-Identifier: MIT
/*
 * random.h - unpredictable bytes: query ids (RFC 5452), hash seeds.
 *
 * Straight from the kernel each time. A buffer would have to be guarded against threads, signals
 * and forks that repeat it; the one who needs many bytes keeps his own (resolver_host_calls.c). Any
 * thread, signal-safe, never blocks.
 */
#ifndef NOBLOCKDNS_RANDOM_H
#define NOBLOCKDNS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Fills `buf`. getrandom() without waiting for the entropy pool; where the pool is not ready or the
 * call is missing or forbidden, /dev/urandom; where that cannot be opened either, a hash of
 * AT_RANDOM, clock, thread and a counter, which an attacker off the path cannot see but which is no
 * cryptographic generator.
 */
void random_bytes(void *buf, size_t len);

#endif
