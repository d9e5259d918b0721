// SPDX-License-Identifier: MIT
/*
 * tsan.c - lets Criterion run under the thread sanitizer.
 *
 * Criterion hands data to a test's process in memory at an address that its library draws with
 * rand_r(). Nearly every draw lies where the sanitizer keeps its shadow, and the mapping fails. So
 * the draw is made here: page 0x366000 to 0x367fff of 16 MiB above 0x2000'0000'0000, which is the
 * part of the sanitizer's middle application range (0x5500'0000'0000 to 0x5680'0000'0000) that
 * position independent programs, which start at 0x5555'5555'4000, do not reach.
 */
#ifdef __SANITIZE_THREAD__
#include <stdlib.h>

__attribute__((visibility("default"))) int rand_r(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return 0x366000 + (int)(*seed >> 16 & 0x1fff);
}
#endif

typedef int lab_tsan_not_empty; /* ISO C forbids an empty translation unit */
