// SPDX-License-Identifier: MIT
/*
 * clock.h - the shim's one clock: CLOCK_BOOTTIME.
 *
 * It never jumps, and it counts time spent in suspend, as a TTL must. It is the same in every
 * process of a boot (but not in every time namespace), so it may stand in the shared cache. The
 * vDSO reads it: no system call. Pure code takes the time as an argument instead.
 */
#ifndef NOBLOCKDNS_CLOCK_H
#define NOBLOCKDNS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_boot_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* A time that another process has left behind may be ahead by so much of one that was read here,
 * before a scheduler gave the core to others; what is further ahead is damage. */
#define CLOCK_AHEAD_MS 400

/* What two threads read of the clock is never further apart than this. */
#define CLOCK_SLACK_MS 60000

/* Are `interval_ms` over since `then_ms`? No where `then` is a little after `now`: another thread
 * may have read the clock later and been faster with the result. Yes where it is much later, for
 * that is another clock's time: of the parent's time namespace, say. */
static inline bool clock_elapsed(uint64_t then_ms, uint64_t now_ms, uint32_t interval_ms)
{
	return now_ms - then_ms + CLOCK_SLACK_MS >= (uint64_t)interval_ms + CLOCK_SLACK_MS;
}

#endif
