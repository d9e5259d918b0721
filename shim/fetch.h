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
#include "shim/lease.h"
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

struct fetch_question {
	const struct name *name;   /* folded */
	const char *spelling;	   /* as it shall go on the wire */
	unsigned types;		   /* enum fetch_types */
	uint64_t deadline_ms;	   /* CLOCK_BOOTTIME */
	const struct lease *lease; /* released when the query has ended; NULL: none */
	bool refresh;		   /* although the cache has a fresh answer */
	bool background;	   /* nobody waits, nor for the resolver library to be loaded */
	fetch_done_fn done;	   /* NULL: the caller must call fetch_wait() */
	void *arg;
};

/*
 * Puts a question. `settings` and what the question borrows are used during the call only. At the
 * deadline the answer is what is known then, one RRset, or none; the query goes on, and what it
 * brings enters the cache. Any thread. 0, or a negative errno: -ENOENT without a resolver library,
 * -EAGAIN while it is not, or cannot be, loaded, -ENOMEM, what io_run() gives; then the lease is
 * the caller's.
 */
int fetch_start(const struct settings *settings, const struct fetch_question *question,
		struct fetch **ret);

/*
 * Blocks until the answer is there, then drops the fetch. The answer is the caller's to release;
 * NULL at `until_ms`, or where the io thread did not keep to the deadline, and FETCH_GRACE_MS have
 * passed; or where a signal handler has forked, in the child. A cancellation point, at which the
 * fetch is still there: push a cleanup handler that calls fetch_abandon(). Not on the io thread.
 */
struct blob *fetch_wait(struct fetch *fetch, uint64_t until_ms);

/* When a server last said anything to this process, be it that it has failed; 0: never. Any thread.
 */
uint64_t fetch_heard_ms(void);

#define FETCH_GRACE_MS 50 /* for the way from the io thread to a loaded machine's other thread */

/* Drops a fetch without its answer. Any thread. */
void fetch_abandon(struct fetch *fetch);

/* In a forked child: what was in flight in the parent is forgotten. */
void fetch_reset(void);

#endif
