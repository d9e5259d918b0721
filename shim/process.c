// SPDX-License-Identifier: MIT
/*
 * process.c - see process.h.
 */
#include "shim/process.h"

#include "shim/hot.h"
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

HOT struct process_page *_Atomic process_page;

/* In this order. */
static void (*const resets[])(void) = {
	racing_reset,	     private_fd_reset, io_reset,       fetch_reset,
	ask_reset,	     gai_reset,	       settings_reset, netstate_reset,
	history_retry_reset, trace_reset,      counters_reset,
};

/*
 * The thread id that libc filed for this thread when it was created, or when it was the one that
 * came out of fork(). Not the kernel's answer: in a vfork child it is still the parent's. libc does
 * not give it away directly, but the thread's CPU clock id is made of it (the kernel's ABI for such
 * ids: ~tid in all bits but the low three).
 */
static pid_t filed_tid(void)
{
	clockid_t clock;

	if (pthread_getcpuclockid(pthread_self(), &clock) != 0)
		return -1;
	return ~(clock >> 3);
}

static bool borrows_memory(void)
{
	return filed_tid() != sys_gettid();
}

/* One page for the life of the process. Two threads may race: the second unmaps its own. */
static struct process_page *make_page(void)
{
	struct process_page *page, *expected = NULL;
	const size_t size = getauxval(AT_PAGESZ);

	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	/* Without it (Linux before 4.14) the pid stays in a forked child and is not the child's. */
	(void)madvise(page, size, MADV_WIPEONFORK);
	atomic_store_explicit(&page->owner, sys_getpid(), memory_order_relaxed);
	if (atomic_compare_exchange_strong_explicit(&process_page, &expected, page,
						    memory_order_release, memory_order_acquire))
		return page;
	munmap(page, size);
	return expected;
}

/* Threads that come second wait until the first has finished: they must not see half of it. */
static void clean_up(struct process_page *page)
{
	lock_take(&page->resetting);
	if (atomic_load_explicit(&page->owner, memory_order_relaxed) == 0) {
		for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++)
			resets[i]();
		atomic_store_explicit(&page->owner, sys_getpid(), memory_order_release);
	}
	lock_release(&page->resetting);
}

static enum process_state check(void)
{
	struct process_page *page = atomic_load_explicit(&process_page, memory_order_acquire);
	pid_t owner = page ? atomic_load_explicit(&page->owner, memory_order_acquire) : 0;

	if (owner != 0)
		return owner == sys_getpid() ? PROCESS_OWNER : PROCESS_FOREIGN;
	if (borrows_memory())
		return PROCESS_FOREIGN;
	if (page) {
		clean_up(page);
		return PROCESS_OWNER;
	}
	page = make_page();
	return page ? PROCESS_OWNER : PROCESS_FOREIGN;
}

enum process_state process_check(void)
{
	int saved = errno;
	enum process_state state = check();

	errno = saved;
	return state;
}

enum process_state process_peek(void)
{
	struct process_page *page = atomic_load_explicit(&process_page, memory_order_acquire);
	pid_t owner = page ? atomic_load_explicit(&page->owner, memory_order_acquire) : 0;

	return owner != 0 && owner == sys_getpid() ? PROCESS_OWNER : PROCESS_FOREIGN;
}
