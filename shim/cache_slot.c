// SPDX-License-Identifier: MIT
/*
 * cache_slot.c - the sequence lock of one slot.
 *
 *	seq                        state
 *	counter, 0, 0              idle
 *	counter, time, 1           being written since `time`
 *
 *	idle -> written            compare and swap: lock and time become visible in one step, so
 *	                           a writer killed at any instruction leaves a lock with its age
 *	written -> written         takeover after SLOT_STALE_MS: counter + 1, new time
 *	written -> idle            counter + 1, unless taken over
 */
#include "shim/cache_slot.h"

#include "shim/entry.h"

#include <errno.h>
#include <string.h>

#define WRITING	   UINT64_C(1)
#define COUNTER	   (UINT64_C(1) << 32)
#define TIME_MASK  UINT32_C(0x7fffffff)
#define READ_TRIES 8 /* a write takes about as long as two looks */

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Copies whole words until `len` bytes are done. */
static inline void load_words(const struct cache_slot *slot, void *buf, size_t len)
{
	uint64_t *to = buf;

	for (size_t i = 0; i < len / 8; i++)
		to[i] = atomic_load_explicit(&slot->words[i], memory_order_acquire);
}

/* The size that the entry claims, 0 where it cannot be. */
static inline size_t claimed_size(const struct cache_slot *slot, size_t capacity)
{
	uint64_t word = atomic_load_explicit(&slot->words[ENTRY_SIZE_AT / 8], memory_order_acquire);
	uint32_t len;

	memcpy(&len, (const char *)&word + ENTRY_SIZE_AT % 8, sizeof(len));
	return len >= ENTRY_HEAD_SIZE && len <= capacity && len % 8 == 0 ? len : 0;
}

int slot_read(const struct cache_slot *slot, size_t capacity, void *buf, size_t size,
	      size_t *ret_len)
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint64_t seq = atomic_load_explicit(&slot->seq, memory_order_acquire);
		size_t len;

		if (seq & WRITING) {
			relax();
			continue;
		}
		len = claimed_size(slot, capacity);
		if (len <= size)
			load_words(slot, buf, len);
		if (atomic_load_explicit(&slot->seq, memory_order_relaxed) != seq)
			continue;
		if (len == 0)
			return -EBADMSG;
		*ret_len = len;
		return len <= size ? 0 : -ENOBUFS;
	}
	return -EAGAIN;
}

int slot_read_locked(const struct cache_slot *slot, size_t capacity, void *buf, size_t *ret_len)
{
	size_t len = claimed_size(slot, capacity);

	if (len == 0)
		return -EBADMSG;
	load_words(slot, buf, len);
	*ret_len = len;
	return 0;
}

/* How far apart two times are, in the 31 bits that the lock keeps; either may be the later. */
static uint32_t distance_ms(uint32_t a, uint32_t b)
{
	uint32_t forth = (a - b) & TIME_MASK, back = (b - a) & TIME_MASK;

	return forth < back ? forth : back;
}

int slot_lock(struct cache_slot *slot, uint64_t now_ms, uint64_t *ret_token)
{
	uint64_t seq = atomic_load_explicit(&slot->seq, memory_order_relaxed);
	uint32_t now = (uint32_t)now_ms & TIME_MASK;
	uint64_t counter = seq & ~(COUNTER - 1), token;

	if (seq & WRITING) {
		if (distance_ms(now, (uint32_t)seq >> 1) <= SLOT_STALE_MS)
			return -EBUSY;
		counter += COUNTER;
	}
	token = counter | (uint64_t)now << 1 | WRITING;
	if (!atomic_compare_exchange_strong_explicit(&slot->seq, &seq, token, memory_order_acq_rel,
						     memory_order_relaxed))
		return -EBUSY;
	*ret_token = token;
	return 0;
}

void slot_unlock(struct cache_slot *slot, uint64_t token)
{
	uint64_t idle = (token & ~(COUNTER - 1)) + COUNTER;

	atomic_compare_exchange_strong_explicit(&slot->seq, &token, idle, memory_order_release,
						memory_order_relaxed);
}

void slot_write_locked(struct cache_slot *slot, const void *entry, size_t len)
{
	const uint64_t *from = entry;

	for (size_t i = 0; i < len / 8; i++)
		atomic_store_explicit(&slot->words[i], from[i], memory_order_release);
}
