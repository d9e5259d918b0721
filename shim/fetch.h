// SPDX-License-Identifier: MIT
/*
 * fetch.h - the way of a cache miss: a question goes to the io thread, is put to the resolver once
 * however many threads ask it, and the answer comes back as an encoded entry (entry.h), by which
 * time it stands in the cache as well.
 *
 * A and AAAA are asked together. When one has brought addresses, the other is waited for
 * `resolution_delay_ms` more (RFC 8305 section 3); what comes later still enters the cache.
 */
#ifndef NOBLOCKDNS_FETCH_H
#define NOBLOCKDNS_FETCH_H

#include "shim/blob.h"
#include "shim/io.h"
#include "shim/name.h"

#include <stdint.h>

struct settings;

enum fetch_types { FETCH_A = 1u << ENTRY_A, FETCH_AAAA = 1u << ENTRY_AAAA };

/*
 * One question and its asker. Made by fetch_start(), shared by the asker and the io thread.
 */
struct fetch;

/* Runs on the io thread, once, unless the fetch was abandoned before. `blob` is borrowed; NULL
 * where memory ran out. */
typedef void (*fetch_done_fn)(void *arg, struct blob *blob, uint64_t now_ms);

/*
 * Puts a question: `name` in the folded form and `spelling` as it shall go on the wire. `settings`
 * is used during the call only. With a `done` function the answer goes there, without one the
 * caller must call fetch_wait(). At `deadline_ms` (CLOCK_BOOTTIME) the answer is what is known
 * then, one RRset, or none; the query goes on, and what it brings enters the cache. Any thread. 0,
 * or a negative errno: -ENOENT without a resolver library, -EAGAIN while it cannot be loaded,
 * -ENOMEM, what io_run() gives.
 */
int fetch_start(const struct settings *settings, const struct name *name, const char *spelling,
		unsigned types, uint64_t deadline_ms, fetch_done_fn done, void *arg,
		struct fetch **ret);

/*
 * Blocks until the answer is there, then drops the fetch. The answer is the caller's to release;
 * NULL where the io thread did not keep to the deadline, and FETCH_GRACE_MS have passed; or where a
 * signal handler has forked, in the child. A cancellation point, at which the fetch is still there:
 * push a cleanup handler that calls fetch_abandon(). Not on the io thread.
 */
struct blob *fetch_wait(struct fetch *fetch);

#define FETCH_GRACE_MS 50 /* for the way from the io thread to a loaded machine's other thread */

/* Drops a fetch without its answer. Any thread. */
void fetch_abandon(struct fetch *fetch);

/* In a forked child: what was in flight in the parent is forgotten. */
void fetch_reset(void);

#endif
