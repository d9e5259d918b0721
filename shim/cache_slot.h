// SPDX-License-Identifier: MIT
/*
 * cache_slot.h - one slot: its sequence lock, its words, its stamp.
 *
 * Writers: slot_lock, slot_write or nothing, slot_unlock. Readers: slot_read. Both orders hold
 * without a fence: the words are stored with release and loaded with acquire, so a reader that saw
 * one word of a writer also sees, at its second look, that writer's lock in `seq` (plain moves on
 * x86).
 *
 * A writer that was stopped for more than SLOT_STALE_MS loses its lock to the next one, and may
 * then wake up and write into a slot that is no longer its own. The sequence does not show that;
 * the entry's checksum does. The entry is lost, and nobody sees it.
 *
 * Any thread of any process. Every field of a slot is hostile.
 */
#ifndef NOBLOCKDNS_CACHE_SLOT_H
#define NOBLOCKDNS_CACHE_SLOT_H

#include "shim/cache_layout.h"

/* A lock older than this belongs to a writer that was killed or stopped: a write takes less than a
 * microsecond. Also allows for callers whose clocks were read that long apart. */
#define SLOT_STALE_MS 100u

/*
 * The stamp: how often the entry was used, up to 3, and how long that is ago, in ages. An age is
 * not a time: a store that finds no way of the highest age makes all ways of its two sets older
 * (cache_evict.h). So nothing ages where nothing has to go, and under a flood everything does at
 * the pace of the flood.
 */
#define SLOT_HITS     3u
#define SLOT_AGE      4u /* one */
#define SLOT_AGE_MAX  31u
#define SLOT_AGE_MASK (SLOT_AGE_MAX * SLOT_AGE)
#define SLOT_ADDRS    128u /* the entry has addresses: it is worth more than one that has none */

static inline uint32_t slot_stamp_age(uint32_t stamp)
{
	return (stamp & SLOT_AGE_MASK) / SLOT_AGE;
}

/* Largest entry of a class. */
static inline size_t slot_capacity(const struct cache_class *class)
{
	return class->slot_size - sizeof(struct cache_slot);
}

/*
 * Copies the entry out; at most `capacity` bytes (of the slot) and `size` (of `buf`, 8-byte
 * aligned). The copy is not torn by a lawful writer, and not checked otherwise.
 *
 *	0         *ret_len bytes were copied
 *	-ENOBUFS  `size` is too small, *ret_len would be needed
 *	-EAGAIN   being written, at every one of a few tries
 *	-EBADMSG  says that it has an impossible size
 */
int slot_read(const struct cache_slot *slot, size_t capacity, void *buf, size_t size,
	      size_t *ret_len);

/* Takes the lock. 0 and a token for slot_unlock; -EBUSY. */
int slot_lock(struct cache_slot *slot, uint64_t now_ms, uint64_t *ret_token);

/* Gives the lock back; nothing happens where it was taken over. */
void slot_unlock(struct cache_slot *slot, uint64_t token);

/* Under the lock: the entry of `len` bytes (a multiple of 8, at most the capacity). */
void slot_write_locked(struct cache_slot *slot, const void *entry, size_t len);

/* Under the lock: copies the entry out as slot_read does, without the sequence. */
int slot_read_locked(const struct cache_slot *slot, size_t capacity, void *buf, size_t *ret_len);

/*
 * One use more: how often it was used before, up to 3. The stamp stays the same most of the time,
 * and then nothing is written: a name in steady use costs a store each time that its set has aged.
 */
static inline unsigned slot_touch(struct cache_slot *slot)
{
	uint32_t stamp = atomic_load_explicit(&slot->stamp, memory_order_relaxed);
	uint32_t hits = stamp & SLOT_HITS;
	uint32_t used = (stamp & ~SLOT_AGE_MASK) + (hits < SLOT_HITS);

	if (used != stamp)
		atomic_store_explicit(&slot->stamp, used, memory_order_relaxed);
	return hits;
}

#endif
