// SPDX-License-Identifier: MIT
/*
 * lock.h - the mutex of the shim: small, with all signals blocked while it is held.
 *
 * close(), dup2() and connect() may be called in a signal handler, so a handler can arrive at the
 * shim on a thread that is inside the shim already. A thread that holds a lock therefore takes no
 * signal at all, not even libc's own for cancellation and set*id, which pthread_sigmask() would
 * leave open. Inside a second lock they are blocked already. Taking, waiting and releasing are
 * no cancellation points and leave errno alone.
 *
 *	lock_take(&lock);
 *	...                     no callback, no dlopen or dlsym, no cancellation point; short,
 *				but for settings, which reads files that have changed, and for the
 *				turn of the io loop (io.c), under which all its tasks run
 *	lock_release(&lock);
 *
 * An allocator in this process may call close() under its own lock. So no malloc under a lock
 * that a descriptor hook takes, which are those of the private descriptors and of the races; a
 * module's own lock may cover one. connect() takes two of those, which it does not wait for in a
 * signal handler (in_handler.h).
 *
 * Order, outermost first: process (process.c), then the turn of the io loop, then the table of
 * races (racing_table.h), under which no task is submitted, then the lock of one module
 * (settings, netstate, io ...), then rcu, private_fd or a pool, which are leaves. A module lock
 * is never held while another module's lock is taken. The logger and the clock take none.
 *
 * After fork a lock may be held by a thread that the child does not have: the module's reset
 * function calls lock_reset() (process.h). An all-zero lock is a free one.
 */
#ifndef NOBLOCKDNS_LOCK_H
#define NOBLOCKDNS_LOCK_H

#include "shim/sys.h"

struct lock {
	_Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody may sleep */
	bool outermost;	       /* of those that the holder has; guarded by the lock itself */
	sys_sigset saved;      /* if outermost: the holder's signal mask; guarded likewise */
};

/* Blocks all signals, where the thread has not done so yet, then takes. Not recursive. */
void lock_take(struct lock *lock);

/* Takes it if it is free, and does not wait. */
bool lock_try(struct lock *lock);

/* Takes it within about `ms`. False: it was not to be had. For who may be kept waiting by nobody.
 */
bool lock_take_within(struct lock *lock, unsigned ms);

/* Drops, then gives the signal mask back. Locks are released in the reverse order of taking. */
void lock_release(struct lock *lock);

/*
 * Blocks all signals, where the thread has not done so yet, for a stretch that takes several locks
 * one after the other: they spare their system calls. `outermost` and `saved` of *ret as in a lock.
 */
struct lock_stretch {
	bool outermost;
	sys_sigset saved;
};

void lock_stretch_begin(struct lock_stretch *ret);
void lock_stretch_end(const struct lock_stretch *stretch);

/* This thread has all signals blocked and always will: its locks spare the two system calls. Set by
 * the io thread, of which fork() makes none. */
void lock_signals_are_blocked(void);

/* Frees the lock whoever holds it. In the one thread of a forked child only. */
void lock_reset(struct lock *lock);

#endif
