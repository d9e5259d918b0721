// SPDX-License-Identifier: MIT
/*
 * random.h - the lab's chance: repeatable from a seed.
 */
#ifndef LAB_RANDOM_H
#define LAB_RANDOM_H

#include <stdint.h>

/* The next of a sequence of 64 random bits (splitmix64). Any seed is good. */
static inline uint64_t lab_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

#endif
