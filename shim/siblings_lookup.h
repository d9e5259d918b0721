// SPDX-License-Identifier: MIT
/*
 * siblings_lookup.h - from lookups to siblings.h: every lookup that succeeds is noted, and a hit
 * that was noted already is told apart in two nanoseconds.
 *
 * For that there is a filter of this process's own: 16 bits for each slot of the shared cache that
 * a hit was read from. They stand for all that a list depends on: the entry (its checksum), what
 * was asked, and the time in units of four minutes, so that a list in use is renewed before it is
 * over. One hit in 65,536 that brings something new is taken for an old one: its list is noted four
 * minutes later. A process's first list leaves the filter alone: many have no second one, and a
 * page that is touched for the first time costs microseconds.
 *
 * Nothing is noted where races are off. Any thread.
 */
#ifndef NOBLOCKDNS_SIBLINGS_LOOKUP_H
#define NOBLOCKDNS_SIBLINGS_LOOKUP_H

#include "shim/entry.h"
#include "shim/hash.h"
#include "shim/lookup.h"
#include "shim/name.h"
#include "shim/settings.h"
#include "shim/siblings.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Slots are told apart up to a cache of 48 MiB; in a larger one some share their bits. */
#define SIBLINGS_SEEN	    (1u << 18)
#define SIBLINGS_SLOT_SIZE  192 /* of the smallest slots */
#define SIBLINGS_EPOCH_BITS 18	/* 262 s: less than half of SIBLINGS_HOLD_MS */

extern _Atomic uint16_t siblings_seen[SIBLINGS_SEEN];

/* What a lookup asked for: the lists of one name are kept apart by it. */
static inline unsigned siblings_asked(int family, bool v4mapped, bool all)
{
	if (family != AF_INET6)
		return (unsigned)family;
	return (unsigned)family | (v4mapped ? 16u : 0) | (all ? 32u : 0);
}

/* Stands for a name in a view: cache_hash(), which a hit has at hand. */
static inline uint64_t siblings_key(const struct settings *s, const struct name *name)
{
	return s->cache != NULL ? cache_hash(s->cache, s->view, name->text, name->len)
				: hash_bytes(name->text, name->len, s->view);
}

/* `order` is in the slot that a hit was read from. */
static inline _Atomic uint16_t *siblings_seen_at(const _Atomic uint64_t *order)
{
	return &siblings_seen[(uintptr_t)order / SIBLINGS_SLOT_SIZE % SIBLINGS_SEEN];
}

/* Never 0. */
static inline uint16_t siblings_tag(const struct lookup_answer *answer, unsigned asked,
				    uint64_t now_ms)
{
	uint64_t mix = (now_ms >> SIBLINGS_EPOCH_BITS) << 8 | asked;
	uint16_t tag = (uint16_t)((answer->entry.checksum ^ mix * HASH_K1) >> 48);

	return tag == 0 ? 1 : tag;
}

/* A hint: siblings_take() of what was read beside `order` will follow. */
static inline void siblings_expect(const _Atomic uint64_t *order, uint64_t now_ms)
{
	if (!siblings_closed(now_ms))
		__builtin_prefetch(siblings_seen_at(order));
}

void siblings_take_new(const struct lookup_answer *answer, const uint16_t *perm, unsigned asked,
		       const struct settings *settings, uint64_t now_ms);

/*
 * A program is given these addresses, of which there is one at least, in the order `perm` (NULL: as
 * they are). `asked` is of siblings_asked(). Inside rcu_read_lock().
 */
static inline void siblings_take(const struct lookup_answer *answer, const uint16_t *perm,
				 unsigned asked, const struct settings *settings, uint64_t now_ms)
{
	if (siblings_closed(now_ms))
		return;
	if (!siblings_any() || answer->addrs.order == NULL ||
	    atomic_load_explicit(siblings_seen_at(answer->addrs.order), memory_order_relaxed) !=
		    siblings_tag(answer, asked, now_ms))
		siblings_take_new(answer, perm, asked, settings, now_ms);
}

/* The answer of type `type` has come after a lookup of both types had gone without it. io thread.
 */
void siblings_take_late(uint64_t key, enum entry_slot type, const struct entry_rrset *rr,
			uint64_t now_ms);

#endif
