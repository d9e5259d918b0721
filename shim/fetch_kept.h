// SPDX-License-Identifier: MIT
/*
 * fetch_kept.h - the resolver's answer, kept until its job ends: what the callback lends is copied,
 * its TTL brought within the configured limits, and what the rebinding guard refuses is taken out
 * (fetch_guard.h). io thread only.
 */
#ifndef NOBLOCKDNS_FETCH_KEPT_H
#define NOBLOCKDNS_FETCH_KEPT_H

#include "shim/fetch_job.h"

struct fetch_kept {
	struct resolver_rrset rrset; /* but for its names and addrs, which are not: */
	uint64_t stored_ms;
	size_t names_len;
	char *names;	      /* owns: strings one after the other */
	unsigned char *addrs; /* owns */
};

/* Copies an answer to `fetch`, which has the limits. Without memory: a failure. *ret held nothing.
 */
void fetch_kept_take(struct fetch_kept *ret, const struct fetch *fetch, int type,
		     const struct resolver_rrset *rrset, uint64_t now_ms);

/* No memory, or the resolver would not even take the question. */
void fetch_kept_refuse(struct fetch_kept *ret, uint64_t now_ms);

/* As an RRset of an entry, which borrows what is kept. */
void fetch_kept_describe(const struct fetch_kept *kept, struct entry_rrset *ret);

void fetch_kept_free(struct fetch_kept *kept);

#endif
