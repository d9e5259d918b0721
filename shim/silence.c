// SPDX-License-Identifier: MIT
/* silence.c - see silence.h. */
#include "shim/silence.h"

#include "shim/cache_region.h"
#include "shim/clock.h"
#include "shim/netstate.h"

#include <assert.h>
#include <stdatomic.h>

struct place {
	_Atomic uint64_t since, ended;
};

#define PLACES (CACHE_REGION_SILENCE_LEN / sizeof(struct place))

static_assert(sizeof(struct place) == 16, "the layout of the shared file");

static struct place *place_of(const struct cache *cache, uint64_t view)
{
	unsigned char *records = cache_region_records(cache);
	struct place *places = (void *)(records + CACHE_REGION_SILENCE_AT);

	return &places[view % PLACES];
}

static uint64_t make(uint64_t view, uint64_t now_ms)
{
	return (view & UINT64_C(0xffffffff00000000)) | (uint32_t)now_ms;
}

/* How long ago that was; UINT32_MAX: never. What lies a little ahead is now, or a lookup that has
 * read the clock a moment before another one's note would wait; what lies further ahead was long
 * ago. */
static uint32_t age_ms(const _Atomic uint64_t *word, uint64_t view, uint64_t now_ms)
{
	uint64_t then = atomic_load_explicit(word, memory_order_relaxed);
	uint32_t age = (uint32_t)now_ms - (uint32_t)then;

	if (then == 0 || then >> 32 != view >> 32)
		return UINT32_MAX;
	return age >= -(uint32_t)CLOCK_AHEAD_MS ? 0 : age;
}

/* How long ago they were noted to be silent, since the network changed; UINT32_MAX: never. */
static uint32_t silent_ms(const struct place *place, uint64_t view, uint64_t now_ms)
{
	uint32_t age = age_ms(&place->since, view, now_ms);

	return age < SILENCE_MS && now_ms - age >= netstate_since_last() ? age : UINT32_MAX;
}

bool silence_is(const struct cache *cache, uint64_t view, uint64_t now_ms)
{
	return silent_ms(place_of(cache, view), view, now_ms) < SILENCE_MS;
}

/* Not again within half its time: all the others read it. */
void silence_note(const struct cache *cache, uint64_t view, uint64_t now_ms)
{
	struct place *place = place_of(cache, view);

	if (silent_ms(place, view, now_ms) >= SILENCE_MS / 2)
		atomic_store_explicit(&place->since, make(view, now_ms), memory_order_relaxed);
}

void silence_end(const struct cache *cache, uint64_t view, uint64_t now_ms)
{
	struct place *place = place_of(cache, view);

	if (!silence_is(cache, view, now_ms))
		return;
	atomic_store_explicit(&place->ended, make(view, now_ms), memory_order_relaxed);
	atomic_store_explicit(&place->since, 0, memory_order_release);
}

uint64_t silence_ended_ms(const struct cache *cache, uint64_t view, uint64_t now_ms,
			  uint32_t max_ms)
{
	uint32_t age = age_ms(&place_of(cache, view)->ended, view, now_ms);

	return age <= max_ms ? now_ms - age : 0;
}
