// SPDX-License-Identifier: MIT
/*
 * test_lock.c - mutual exclusion, and what happens to signals meanwhile.
 */
#include "shim/lock.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS	20000

static struct lock lock;
static unsigned long counter; /* guarded by lock */

static void *count(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		lock_take(&lock);
		counter++;
		lock_release(&lock);
	}
	return arg;
}

Test(lock, four_threads_lose_no_increment)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(counter, (unsigned long)THREADS * ROUNDS, "counted %lu", counter);
	cr_assert_eq(atomic_load(&lock.word), 0, "word %u after the last release", lock.word);
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	handled = sig;
}

Test(lock, holder_takes_no_signal_until_release)
{
#ifdef __SANITIZE_THREAD__
	cr_skip_test("ThreadSanitizer delivers signals later");
#endif
	signal(SIGUSR1, on_signal);
	lock_take(&lock);
	raise(SIGUSR1);
	cr_assert_eq(handled, 0);
	lock_release(&lock);
	cr_assert_eq(handled, SIGUSR1);
}

/* libc's own signals (cancellation, set*id) stay outside what pthread_sigmask() can reach. */
Test(lock, holder_blocks_libcs_own_signals)
{
	const sys_sigset cancel = (sys_sigset)1 << (32 - 1), setxid = (sys_sigset)1 << (33 - 1);
	sys_sigset mask = 0;

	lock_take(&lock);
	sys_sigmask(SIG_SETMASK, NULL, &mask);
	lock_release(&lock);
	cr_assert(mask & cancel);
	cr_assert(mask & setxid);
}

Test(lock, release_gives_back_the_mask_that_was)
{
	const sys_sigset own = (sys_sigset)1 << (SIGUSR2 - 1);
	sys_sigset mask = 0;

	sys_sigmask(SIG_SETMASK, &own, NULL);
	lock_take(&lock);
	lock_release(&lock);
	sys_sigmask(SIG_SETMASK, NULL, &mask);
	cr_assert_eq(mask, own, "got %llx", (unsigned long long)mask);
}

/* The mask is the outer lock's to give back. */
Test(lock, inner_release_leaves_signals_blocked)
{
	static struct lock inner;
	sys_sigset before = 0, mask = 0;

	sys_sigmask(SIG_SETMASK, NULL, &before);
	lock_take(&lock);
	lock_take(&inner);
	lock_release(&inner);
	sys_sigmask(SIG_SETMASK, NULL, &mask);
	cr_assert(mask & (sys_sigset)1 << (SIGUSR1 - 1));
	lock_release(&lock);
	sys_sigmask(SIG_SETMASK, NULL, &mask);
	cr_assert_eq(mask, before, "got %llx", (unsigned long long)mask);
}

/* The io thread's locks must not open its signals, whatever it holds. */
static void *lock_on_a_blocked_thread(void *arg)
{
	const sys_sigset all = ~(sys_sigset)0;

	sys_sigmask(SIG_SETMASK, &all, NULL);
	lock_signals_are_blocked();
	lock_take(&lock);
	lock_release(&lock);
	sys_sigmask(SIG_SETMASK, NULL, arg);
	return NULL;
}

Test(lock, thread_with_signals_blocked_for_good_keeps_them_blocked)
{
	pthread_t thread;
	sys_sigset mask = 0;

	cr_assert_eq(pthread_create(&thread, NULL, lock_on_a_blocked_thread, &mask), 0);
	pthread_join(thread, NULL);
	cr_assert(mask & (sys_sigset)1 << (SIGUSR1 - 1));
}

static void on_signal_count(int sig)
{
	lock_take(&lock);
	counter++;
	lock_release(&lock);
	handled += sig != 0;
}

static pthread_t target;
static _Atomic bool stop;

static void *send_signals(void *arg)
{
	while (!atomic_load(&stop))
		pthread_kill(target, SIGUSR1);
	return arg;
}

/* Without the masking the handler would wait for the thread that it interrupted. */
Test(lock, handler_takes_the_lock_of_the_code_that_it_interrupts, .timeout = 60)
{
	pthread_t sender;
	unsigned long rounds = 0;

	signal(SIGUSR1, on_signal_count);
	target = pthread_self();
	cr_assert_eq(pthread_create(&sender, NULL, send_signals, NULL), 0);
	for (; handled < 100; rounds += ROUNDS)
		count(NULL);
	atomic_store(&stop, true);
	pthread_join(sender, NULL);
	cr_assert_eq(counter, rounds + (unsigned long)handled);
}

Test(lock, reset_frees_a_lock_whose_holder_is_gone)
{
	sys_sigset before = 0;

	sys_sigmask(SIG_SETMASK, NULL, &before);
	lock_take(&lock);
	lock_reset(&lock);
	sys_sigmask(SIG_SETMASK, &before, NULL);
	lock_take(&lock); /* hangs if it was not freed */
	lock_release(&lock);
	cr_assert_eq(atomic_load(&lock.word), 0);
}

static void *try_it(void *arg)
{
	sys_sigset before, after;

	sys_sigmask(SIG_SETMASK, NULL, &before);
	*(bool *)arg = lock_try(&lock);
	sys_sigmask(SIG_SETMASK, NULL, &after);
	cr_expect_eq(before, after, "signals stay blocked after a failure");
	return NULL;
}

Test(lock, try_does_not_wait_for_a_held_lock)
{
	pthread_t thread;
	bool taken = true;

	lock_take(&lock);
	cr_assert_eq(pthread_create(&thread, NULL, try_it, &taken), 0);
	pthread_join(thread, NULL);
	lock_release(&lock);
	cr_expect_not(taken);
}

Test(lock, try_takes_a_free_lock_with_signals_blocked)
{
#ifdef __SANITIZE_THREAD__
	cr_skip_test("ThreadSanitizer delivers signals later");
#endif
	signal(SIGUSR1, on_signal);
	cr_assert(lock_try(&lock));
	cr_expect_eq(atomic_load(&lock.word), 1);
	raise(SIGUSR1);
	cr_expect_eq(handled, 0);
	lock_release(&lock);
	cr_expect_eq(handled, SIGUSR1);
}

/* 2: somebody waits (lock.c). */
static void *hold_until_awaited(void *arg)
{
	lock_take(&lock);
	atomic_store((_Atomic bool *)arg, true);
	while (atomic_load(&lock.word) != 2)
		usleep(100);
	lock_release(&lock);
	return NULL;
}

/* The waiting thread sees EAGAIN or EINTR in the kernel; none of it may reach errno. */
Test(lock, contended_take_keeps_errno, .timeout = 60)
{
	_Atomic bool held = false;
	pthread_t holder;

	cr_assert_eq(pthread_create(&holder, NULL, hold_until_awaited, &held), 0);
	while (!atomic_load(&held))
		usleep(100);
	errno = 4711;
	lock_take(&lock);
	cr_assert_eq(errno, 4711);
	lock_release(&lock);
	cr_assert_eq(errno, 4711);
	pthread_join(holder, NULL);
}
