// SPDX-License-Identifier: MIT
/*
 * init.c - see init.h. Runs in the dynamic loader, on whatever thread loads the library.
 */
#include "shim/init.h"

#include "shim/hooks.h"
#include "shim/hot.h"
#include "shim/log.h"

#include <stdatomic.h>
#include <sys/auxv.h>

enum { UNKNOWN, TAKES_PART, STANDS_ASIDE };

void init_library(void)
{
	hooks_resolve();
	log_remember_stderr();
}

bool init_stands_aside(void)
{
	static HOT _Atomic int known;
	int answer = atomic_load_explicit(&known, memory_order_relaxed);

	if (answer == UNKNOWN) {
		answer = getauxval(AT_SECURE) ? STANDS_ASIDE : TAKES_PART;
		atomic_store_explicit(&known, answer, memory_order_relaxed);
	}
	return answer == STANDS_ASIDE;
}
