// SPDX-License-Identifier: MIT
/*
 * lock.c - a futex mutex of three states, as in Drepper, "Futexes Are Tricky" (2011), section 5:
 * an uncontended take and release make no futex call.
 */
#include "shim/lock.h"

#include <limits.h>
#include <stdatomic.h>

enum { FREE, HELD, CONTENDED };

#define SPINS 200

/* All signals are blocked on this thread: by the outermost lock that it holds, or for good. Changes
 * only while they are blocked, so no handler meets it half done. */
static _Thread_local bool masked;

void lock_signals_are_blocked(void)
{
	masked = true;
}

/* Blocks the signals for the outermost lock. Returns whether it is that. */
static bool mask(sys_sigset *ret_saved)
{
	const sys_sigset all = ~(sys_sigset)0;

	*ret_saved = 0;
	if (masked)
		return false;
	sys_sigmask(SIG_SETMASK, &all, ret_saved);
	masked = true;
	return true;
}

static void unmask(bool outermost, const sys_sigset *saved)
{
	if (!outermost)
		return;
	masked = false;
	sys_sigmask(SIG_SETMASK, saved, NULL);
}

void lock_stretch_begin(struct lock_stretch *ret)
{
	ret->outermost = mask(&ret->saved);
}

void lock_stretch_end(const struct lock_stretch *stretch)
{
	unmask(stretch->outermost, &stretch->saved);
}

static bool take_free(struct lock *lock)
{
	uint32_t expected = FREE;

	return atomic_compare_exchange_strong_explicit(&lock->word, &expected, HELD,
						       memory_order_acquire, memory_order_relaxed);
}

static void pause_cpu(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* A lock is held for a few microseconds, less than it takes to fall asleep and be woken. Not where
 * somebody sleeps already: then it takes longer. */
static bool take_soon(struct lock *lock)
{
	uint32_t word;

	for (unsigned i = 0; i < SPINS; i++) {
		word = atomic_load_explicit(&lock->word, memory_order_relaxed);
		if (word == CONTENDED)
			return false;
		if (word == FREE && take_free(lock))
			return true;
		pause_cpu();
	}
	return false;
}

void lock_take(struct lock *lock)
{
	sys_sigset saved;
	bool outermost = mask(&saved);

	if (!take_free(lock) && !take_soon(lock)) {
		/* Whoever waited takes it as CONTENDED: it cannot know that it was the only one. */
		while (atomic_exchange_explicit(&lock->word, CONTENDED, memory_order_acquire) !=
		       FREE)
			sys_futex_wait(&lock->word, CONTENDED, NULL, false);
	}
	lock->saved = saved;
	lock->outermost = outermost;
}

bool lock_try(struct lock *lock)
{
	sys_sigset saved;
	bool outermost;

	if (atomic_load_explicit(&lock->word, memory_order_relaxed) != FREE)
		return false; /* spares the two system calls */
	outermost = mask(&saved);
	if (!take_free(lock)) {
		unmask(outermost, &saved);
		return false;
	}
	lock->saved = saved;
	lock->outermost = outermost;
	return true;
}

/* Looks from time to time: a sleeper on the lock's word that gives up could take a wake-up along.
 */
bool lock_take_within(struct lock *lock, unsigned ms)
{
	const struct timespec moment = {.tv_nsec = 500000};
	_Atomic uint32_t nobody = 0;
	bool taken;

	for (unsigned left = 2 * ms; !(taken = lock_try(lock)) && left > 0; left--)
		sys_futex_wait(&nobody, 0, &moment, false);
	return taken;
}

void lock_release(struct lock *lock)
{
	sys_sigset saved = lock->saved;
	bool outermost = lock->outermost;

	if (atomic_exchange_explicit(&lock->word, FREE, memory_order_release) == CONTENDED)
		sys_futex_wake(&lock->word, 1, false);
	unmask(outermost, &saved);
}

void lock_reset(struct lock *lock)
{
	atomic_store_explicit(&lock->word, FREE, memory_order_relaxed);
}
