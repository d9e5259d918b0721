// SPDX-License-Identifier: MIT
/*
 * entry.h - what is known of one name in one view, as one flat, self-checking blob: the A and the
 * AAAA RRset, each with its own kind, TTL and CNAME chain.
 *
 * The same encoding serves the slots of the shared cache and the hand-over of a fresh answer from
 * the io thread to the threads that wait for it, so there is one decoder, and it trusts nothing.
 *
 * Pure; any thread; no allocation.
 */
#ifndef NOBLOCKDNS_ENTRY_H
#define NOBLOCKDNS_ENTRY_H

#include "resolver/resolver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ENTRY_NAME_MAX	255		  /* bytes of a folded name; longer ones are not cached */
#define ENTRY_ROOM	1024		  /* bytes that hold all but unusually long answers */
#define ENTRY_ALIGN	8		  /* of every buffer that holds an entry */
#define ENTRY_SIZE_MAX	((size_t)1 << 20) /* more than any DNS message can hold */
#define ENTRY_SIZE_AT	8		  /* where in a blob its own size stands, as a u32 */
#define ENTRY_HEAD_SIZE 64		  /* bytes; no blob is shorter */

/* Of the checksum, the first 8 bytes of a blob. Fixed: blobs travel. */
#define ENTRY_SEED UINT64_C(0x6e6f626c6f636b64)

enum entry_slot { ENTRY_A, ENTRY_AAAA, ENTRY_NTYPES };

/* One RRset as decoded: pointers go into the blob. */
struct entry_rrset {
	enum resolver_kind kind;       /* RESOLVER_NONE: nothing known */
	enum resolver_failure failure; /* with RESOLVER_FAILURE */
	bool ad;
	uint32_t ttl_s;
	uint64_t stored_ms;	    /* CLOCK_BOOTTIME when the answer came */
	unsigned nnames;	    /* CNAME chain, 0 to RESOLVER_CHAIN_MAX */
	const char *names;	    /* nnames NUL-terminated strings, one after the other; [0] is
				     * the question as spelt in the answer */
	size_t names_len;	    /* bytes, NULs included */
	unsigned naddrs;	    /* at least 1 with RESOLVER_ANSWER, else 0 */
	const unsigned char *addrs; /* naddrs * 4 (A) or * 16 (AAAA) bytes, network order,
				     * unaligned */
};

struct entry {
	uint64_t view;
	const char *name; /* folded, not NUL-terminated */
	size_t name_len;
	struct entry_rrset rr[ENTRY_NTYPES];
	uint64_t checksum; /* of the blob that was decoded: it changes with whatever changes */
	uint64_t key;	   /* not encoded: hash of view and name (siblings_key()) */
	bool partial;	   /* not encoded: an answer may come yet of a type that was asked */
	_Atomic uint64_t *order; /* not encoded: where the order of the addresses may be kept
				  * (order_cache.h); NULL: nowhere */
};

/* Is `rr` known and within its TTL? A time in the future (another boot's) is not. */
static inline bool entry_fresh(const struct entry_rrset *rr, uint64_t now_ms)
{
	return rr->kind != RESOLVER_NONE && rr->stored_ms <= now_ms &&
	       now_ms - rr->stored_ms < (uint64_t)rr->ttl_s * 1000;
}

/* Is a fresh RRset of one of these types in the last tenth of its TTL? */
static inline bool entry_is_aging(const struct entry *entry, unsigned types, uint64_t now_ms)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) &&
		    now_ms - entry->rr[t].stored_ms >= (uint64_t)entry->rr[t].ttl_s * 900)
			return true;
	return false;
}

void entry_cut_rrset(struct entry_rrset *rr, uint64_t since_ms);

/* What was stored before `since_ms` has expired at that time, or before. */
static inline void entry_cut(struct entry *entry, uint64_t since_ms)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (__builtin_expect(entry->rr[t].stored_ms < since_ms, 0))
			entry_cut_rrset(&entry->rr[t], since_ms);
}

/* Are the RRsets of all these types (bits of enum entry_slot) fresh? */
static inline bool entry_has_fresh(const struct entry *entry, unsigned types, uint64_t now_ms)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && !entry_fresh(&entry->rr[t], now_ms))
			return false;
	return true;
}

/* Bytes that entry_encode() will need: a multiple of 8. */
size_t entry_encoded_size(const struct entry *entry);

/*
 * Encodes into `buf` (8-byte aligned). Returns the size (a multiple of 8), or -EMSGSIZE where
 * `size` is too small or a count does not fit the format.
 */
ssize_t entry_encode(const struct entry *entry, void *buf, size_t size);

/*
 * Decodes and checks `size` bytes: checksum, every length, every string's NUL. 0 or -EBADMSG.
 * `ret` points into `buf`.
 */
int entry_decode(const void *buf, size_t size, struct entry *ret);

#endif
