// SPDX-License-Identifier: MIT
/*
 * process.h - is this process the owner of the state in its memory?
 *
 * Three kinds of process run this code:
 *	- the owner: the one that filled our tables and started our thread;
 *	- a child of fork(): it has a copy of the tables, taken at any moment, locks held and all,
 *	  and no io thread. Cleaned up once, at its first lookup, never earlier: a child that looks
 *	  nothing up makes no system call because of us (a seccomp filter may kill it for one);
 *	- a child of vfork(), or of clone(CLONE_VM): it runs in its parent's memory. What it writes
 *	  its parent has written. It touches nothing: every hook goes to libc (and in its own
 *	  table of descriptors finds its own sockets: racing_fork.c).
 *
 * How they are told apart: one page under MADV_WIPEONFORK (Linux 4.14) holds the owner's pid. In a
 * forked child the page reads zero; in a vfork child it holds a pid that is not getpid().
 * Whoever is to make or fill the page first compares gettid() with the thread id that libc keeps
 * for this thread: fork() renews it, vfork() and raw clone() do not. Where the kernel cannot wipe,
 * a forked child is taken for a vfork child, for ever.
 */
#ifndef NOBLOCKDNS_PROCESS_H
#define NOBLOCKDNS_PROCESS_H

#include "shim/lock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

enum process_state {
	PROCESS_OWNER,	 /* our state is this process's own, and clean */
	PROCESS_FOREIGN, /* pass through to libc; touch nothing of ours, not even a lock */
};

/*
 * The gate to every slow path (a cache miss, opening the cache, anything that takes a lock or
 * changes our state). The first call makes the page; the first call in a forked child runs the
 * reset functions below, once, whatever number of threads come here together, with all signals
 * blocked. One getpid() otherwise. Any thread; not under a lock; keeps errno.
 */
enum process_state process_check(void);

/* The page. In a wiped one everything is zero, the lock included, which is a free lock. */
struct process_page {
	_Atomic pid_t owner; /* 0: a forked child that has not been cleaned up; released by the
			      * thread that ran the resets */
	struct lock resetting;
};

extern struct process_page *_Atomic process_page; /* NULL until the first process_check() */

/*
 * For hot paths that only read: false until process_check() has said OWNER in this process. No
 * system call. True in a vfork child as well, so a caller may read shared state but not write it.
 */
static inline bool process_is_clean(void)
{
	struct process_page *page = atomic_load_explicit(&process_page, memory_order_acquire);

	return page && atomic_load_explicit(&page->owner, memory_order_acquire) != 0;
}

/*
 * process_check() for the descriptor hooks: decides, and changes nothing. A forked child that has
 * not been cleaned up is FOREIGN here, and learns so without a system call.
 */
enum process_state process_peek(void);

/*
 * What a forked child does at its first lookup, in this order (the table is in process.c). Each
 * runs with all signals blocked and resets its module's locks first. Other threads of the child
 * wait. Races and descriptors go first: handles (private_fd.h) of the parent are dead in all later
 * ones, and closing one is harmless. None may call process_check(). Memory that another thread may
 * have been replacing when the fork came is not freed: its pointer may be stale.
 */
void racing_reset(void);
void private_fd_reset(void);
void io_reset(void);
void fetch_reset(void);
void ask_reset(void);
void gai_reset(void);
void settings_reset(void);
void netstate_reset(void);
void history_retry_reset(void);
void trace_reset(void);
void counters_reset(void);

#endif
