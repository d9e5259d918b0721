// SPDX-License-Identifier: MIT
/*
 * diff_random.h - chances for the generator of the differential test. A stream belongs to one
 * (seed, configuration, case), so that any one of them can be made again alone.
 */
#ifndef TESTS_DIFF_RANDOM_H
#define TESTS_DIFF_RANDOM_H

#include "tests/lab/random.h"

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t diff_stream(uint64_t seed, unsigned config, unsigned item)
{
	uint64_t s = seed ^ (uint64_t)(config + 1) << 32 ^ item;

	lab_random(&s);
	return s;
}

/* 0 to n - 1. */
static inline unsigned diff_below(uint64_t *rng, unsigned n)
{
	return (unsigned)(lab_random(rng) >> 33) % n;
}

/* True in `percent` of a hundred. */
static inline bool diff_chance(uint64_t *rng, unsigned percent)
{
	return diff_below(rng, 100) < percent;
}

#define DIFF_COUNT(array)     (sizeof(array) / sizeof(array)[0])
#define DIFF_PICK(rng, array) ((array)[diff_below(rng, DIFF_COUNT(array))])

#endif
