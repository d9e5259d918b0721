// SPDX-License-Identifier: MIT
/* in_handler.c: on each kind of stack, in a handler and not. */
#include "shim/in_handler.h"

#include "shim/sys.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile bool seen;

static void look(int sig)
{
	(void)sig;
	seen = in_handler();
}

static void handle(void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

static bool in_raised(void)
{
	seen = false;
	raise(SIGUSR1);
	return seen;
}

/* It calls handlers itself, later, and has stacks larger. */
static void skip_under_tsan(void)
{
#ifdef __SANITIZE_THREAD__
	cr_skip_test("the sanitizer runs handlers by itself");
#endif
}

Test(in_handler, without_handlers_it_is_none)
{
	const uint64_t none[4] = {0};

	for (int sig = 1; sig <= 64; sig++)
		(void)sys_call(SYS_rt_sigaction, sig, (long)none, 0, 8, 0, 0);
	cr_expect_not(in_handler());
}

Test(in_handler, handler_that_does_not_run_is_none)
{
	handle(look, 0);
	cr_expect_not(in_handler());
}

Test(in_handler, handler_that_runs_is_one)
{
	handle(look, 0);
	cr_expect(in_raised());
}

Test(in_handler, handler_that_has_returned_is_none)
{
	handle(look, 0);
	for (unsigned i = 0; i < 100; i++) {
		cr_expect(in_raised());
		cr_expect_not(in_handler());
	}
}

static sigjmp_buf out;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(out, 1);
}

Test(in_handler, handler_that_was_left_by_a_jump_is_none)
{
	handle(jump, 0);
	if (sigsetjmp(out, 1) == 0)
		raise(SIGUSR1);
	cr_expect_not(in_handler());
}

/* Nothing but its restorer tells that there is a handler. */
Test(in_handler, handler_that_is_not_installed_any_more_is_one)
{
	handle(look, (int)SA_RESETHAND);
	cr_expect(in_raised());
}

static void deep(int sig, unsigned depth)
{
	volatile char frame[1000];

	memset((char *)frame, 0, sizeof frame);
	if (depth > 0)
		deep(sig, depth - 1);
	else
		look(sig);
	frame[0] = 0;
}

static void look_deeply(int sig)
{
	deep(sig, 50);
}

Test(in_handler, deep_in_a_handler_is_in_one)
{
	handle(look_deeply, 0);
	cr_expect(in_raised());
}

static void raise_another(int sig)
{
	(void)sig;
	raise(SIGUSR1);
}

Test(in_handler, handler_in_a_handler_is_one)
{
	skip_under_tsan();
	handle(look, 0);
	signal(SIGUSR2, raise_another);
	raise(SIGUSR2);
	cr_expect(seen);
}

static _Atomic unsigned ticks, missed;

static void tick(int sig)
{
	(void)sig;
	atomic_fetch_add(&missed, !in_handler());
	atomic_fetch_add(&ticks, 1);
}

/* Wherever it comes, in malloc() and in this function itself. */
Test(in_handler, handler_at_any_moment_is_one)
{
	skip_under_tsan();
	const struct itimerval often = {{0, 200}, {0, 200}};
	unsigned wrong = 0;

	signal(SIGALRM, tick);
	cr_assert_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (size_t size = 0; atomic_load(&ticks) < 1000; size = (size + 997) % 10000) {
		void *volatile block = malloc(size);

		free(block);
		wrong += in_handler();
	}
	signal(SIGALRM, SIG_IGN);
	cr_expect_eq(missed, 0u, "missed %u times", missed);
	cr_expect_eq(wrong, 0u, "wrong %u times", wrong);
}

Test(in_handler, alternate_stack_is_one)
{
	stack_t stack = {.ss_size = 64 << 10};

	stack.ss_sp = malloc(stack.ss_size);
	cr_assert_eq(sigaltstack(&stack, NULL), 0);
	handle(look, SA_ONSTACK);
	cr_expect(in_raised());
	cr_expect_not(in_handler(), "it is not on that stack any more");
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(stack.ss_sp);
}

/* ---- threads ---- */

static void *look_in_thread(void *arg)
{
	bool *found = arg;

	found[0] = in_handler();
	found[1] = in_raised();
	found[2] = in_handler();
	return NULL;
}

static void *given_stack; /* NULL: libc's */

static void check_thread(void)
{
	const size_t size = 256 << 10;
	bool found[3] = {true, false, true};
	pthread_attr_t attr;
	pthread_t thread;

	handle(look, 0);
	pthread_attr_init(&attr);
	if (given_stack != NULL)
		cr_assert_eq(pthread_attr_setstack(&attr, given_stack, size), 0);
	cr_assert_eq(pthread_create(&thread, &attr, look_in_thread, found), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	cr_expect_not(found[0]);
	cr_expect(found[1]);
	cr_expect_not(found[2]);
}

Test(in_handler, thread_knows)
{
	check_thread();
}

Test(in_handler, thread_on_a_stack_of_the_program_knows)
{
	skip_under_tsan();
	cr_assert_eq(posix_memalign(&given_stack, 4096, 256 << 10), 0);
	check_thread();
	free(given_stack);
}

/* ---- stacks that nobody knows ---- */

static ucontext_t caller, coroutine;
static bool found[3];

static void look_in_coroutine(void)
{
	look_in_thread(found);
}

/* There is nothing to be read behind its stack. */
Test(in_handler, coroutine_knows)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	cr_skip_test("the sanitizer is not told of the coroutine");
#endif
	const size_t size = 64 << 10;
	char *stack =
		mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(stack, MAP_FAILED);
	cr_assert_eq(mprotect(stack + size, 4096, PROT_NONE), 0);
	handle(look, 0);
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = size;
	coroutine.uc_link = &caller;
	makecontext(&coroutine, look_in_coroutine, 0);
	found[2] = true;
	swapcontext(&caller, &coroutine);
	cr_expect_not(found[0]);
	cr_expect(found[1]);
	cr_expect_not(found[2]);
}

/* More than is looked at. */
Test(in_handler, huge_frame_is_none)
{
	volatile char frame[2 << 20];

	memset((char *)frame, 0, sizeof frame);
	handle(look, 0);
	cr_expect_not(in_handler());
	cr_expect(in_raised());
	cr_expect_not(in_handler());
	frame[0] = 0;
}

Test(in_handler, errno_is_kept)
{
	handle(look, 0);
	errno = 77;
	in_handler();
	cr_expect_eq(errno, 77);
}
