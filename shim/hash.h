// SPDX-License-Identifier: MIT
/*
 * hash.h - one 64-bit hash for two jobs: spreading names over the cache, and telling a torn or
 * damaged entry from a whole one. Not for strangers' eyes: whoever knows the seed can make
 * collisions, so the seed of names is secret and random, and no security rests on the checksum.
 *
 * Sixteen bytes at a time are multiplied into 128 bits and folded to 64. The products do not wait
 * for each other (only a rotation and an addition are chained), which makes it a few nanoseconds
 * for an entry. The second factor's constant moves with the position, so exchanged blocks show.
 * The value depends on the byte order of the machine and on nothing else.
 *
 * Pure; any thread.
 */
#ifndef NOBLOCKDNS_HASH_H
#define NOBLOCKDNS_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Odd, half of the bits set, no pattern: fractions of the square roots of 2, 3, 5 and 7. */
#define HASH_K0 0x6a09e667f3bcc909u
#define HASH_K1 0xbb67ae8584caa73bu
#define HASH_K2 0x3c6ef372fe94f82bu
#define HASH_K3 0xa54ff53a5f1d36f1u

/* The two halves of the 128-bit product, folded. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
	uint64_t middle = ah * bl + (al * bl >> 32);
	uint64_t cross = al * bh + (uint32_t)middle;

	return a * b ^ (ah * bh + (middle >> 32) + (cross >> 32));
#endif
}

static inline uint64_t hash_read64(const void *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint64_t hash_read32(const void *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* The last 1 to 15 bytes as two words: from both ends, which may overlap. */
static inline void hash_tail(const unsigned char *p, size_t len, uint64_t *ret_a, uint64_t *ret_b)
{
	if (len >= 8) {
		*ret_a = hash_read64(p);
		*ret_b = hash_read64(p + len - 8);
	} else if (len >= 4) {
		*ret_a = hash_read32(p);
		*ret_b = hash_read32(p + len - 4);
	} else {
		*ret_a = (uint64_t)p[0] | (uint64_t)p[len / 2] << 8;
		*ret_b = p[len - 1];
	}
}

/* Hash of `len` bytes of any alignment. */
static inline uint64_t hash_bytes(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t acc = hash_fold(seed ^ HASH_K2, HASH_K3 ^ len);
	uint64_t position = HASH_K1 ^ seed, a, b;
	size_t left = len;

	for (; left >= 16; left -= 16, p += 16, position += HASH_K2) {
		acc = (acc << 29 | acc >> 35) +
		      hash_fold(hash_read64(p) ^ HASH_K0, hash_read64(p + 8) ^ position);
	}
	if (left) {
		hash_tail(p, left, &a, &b);
		acc = (acc << 29 | acc >> 35) + hash_fold(a ^ HASH_K0, b ^ position);
	}
	return hash_fold(acc ^ HASH_K1, HASH_K3);
}

/* Hash of a string; NULL is none, and another one than "". */
static inline uint64_t hash_string(const char *s, uint64_t seed)
{
	return s == NULL ? seed + 1 : hash_bytes(s, strlen(s) + 1, seed);
}

#endif
