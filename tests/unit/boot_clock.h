// SPDX-License-Identifier: MIT
/*
 * boot_clock.h - a machine that sleeps: CLOCK_BOOTTIME as the shim's code in the test program reads
 * it can be put ahead, while CLOCK_MONOTONIC, by which the kernel ends sleeps, runs on as it is.
 */
#ifndef BOOT_CLOCK_H
#define BOOT_CLOCK_H

#include <stdatomic.h>

extern _Atomic long boot_clock_ahead_s;

#endif
