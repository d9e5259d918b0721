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

/* The stamp's upper 30 bits count time in units of 2^13 ms, about 8 s, its lower 2 the hits. */
#define SLOT_STAMP_TIME_SHIFT 13

static inline uint32_t slot_stamp_make(uint64_t now_ms, uint32_t hits)
{
	return (uint32_t)(now_ms >> SLOT_STAMP_TIME_SHIFT) << 2 | hits;
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
 * The stamp at `now_ms` after one use more; the same value most of the time, and then nothing is
 * written: a name in steady use costs one store in 8 s.
 */
static inline uint32_t slot_stamp_used(uint32_t stamp, uint64_t now_ms)
{
	uint32_t hits = stamp & 3;

	return slot_stamp_make(now_ms, hits < 3 ? hits + 1 : 3);
}

/* How often it was used before, up to 3. */
static inline unsigned slot_touch(struct cache_slot *slot, uint64_t now_ms)
{
	uint32_t stamp = atomic_load_explicit(&slot->stamp, memory_order_relaxed);
	uint32_t used = slot_stamp_used(stamp, now_ms);

	if (used != stamp)
		atomic_store_explicit(&slot->stamp, used, memory_order_relaxed);
	return stamp & 3;
}

#endif
