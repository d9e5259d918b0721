// SPDX-License-Identifier: MIT
/*
 * init.c - see init.h. Runs in the dynamic loader, on whatever thread loads the library.
 */
#include "shim/init.h"

#include "shim/hooks.h"
#include "shim/hot.h"
#include "shim/log.h"
#include "shim/trace.h"

#include <sys/auxv.h>

HOT _Atomic int init_role;

void init_library(void)
{
	(void)init_stands_aside();
	log_remember_stderr();
}

bool init_stands_aside(void)
{
	int role = atomic_load_explicit(&init_role, memory_order_relaxed), unknown = INIT_UNKNOWN;

	if (role == INIT_UNKNOWN) {
		hooks_resolve();
		role = getauxval(AT_SECURE) ? INIT_ASIDE
		       : trace_is_wanted()  ? INIT_TRACED
					    : INIT_PLAIN;
		if (!atomic_compare_exchange_strong(&init_role, &unknown, role))
			role = unknown;
	}
	return role == INIT_ASIDE;
}
