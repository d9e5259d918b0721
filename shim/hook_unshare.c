// SPDX-License-Identifier: MIT
/*
 * hook_unshare.c - unshare: a thread that takes a descriptor table of its own is taken note of.
 *
 * The numbers of the private descriptors are true in the io thread's table alone (private_fd.h).
 * Any thread, signal handlers, children of vfork; no allocation, and no system call but the one.
 */
#include "shim/hooks.h"
#include "shim/private_fd.h"

#include <sched.h>

int nbd_unshare(int flags)
{
	int r = real_unshare(flags);

	if (r == 0 && (flags & CLONE_FILES))
		private_fd_leave_table();
	return r;
}
