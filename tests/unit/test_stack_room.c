// SPDX-License-Identifier: MIT
/* stack_room.c: the first thread, small threads, coroutines. */
#include "shim/stack_room.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <ucontext.h>

Test(stack_room, first_thread_has_room)
{
	cr_expect(stack_has(128 << 10));
	cr_expect_not(stack_has((size_t)1 << 30));
}

static void *look(void *arg)
{
	bool *has = arg;

	has[0] = stack_has(16 << 10);
	has[1] = stack_has(128 << 10);
	return NULL;
}

static void look_in_thread(size_t size, bool ret[2])
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	cr_assert_eq(pthread_attr_setstacksize(&attr, size), 0);
	cr_assert_eq(pthread_create(&thread, &attr, look, ret), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
}

Test(stack_room, small_thread_has_little)
{
	bool has[2] = {false, true};

	look_in_thread(64 << 10, has);
	cr_expect(has[0]);
	cr_expect_not(has[1]);
}

Test(stack_room, large_thread_has_much)
{
	bool has[2] = {false, false};

	look_in_thread(4 << 20, has); /* a sanitizer takes a part of it */
	cr_expect(has[0] && has[1]);
}

static ucontext_t caller, coroutine;
static bool seen;

static void look_in_coroutine(void)
{
	seen = stack_has(1);
}

/* Its stack is nobody's that is known. */
Test(stack_room, coroutine_has_none_for_sure)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	cr_skip_test("the sanitizer is not told of the coroutine");
#endif
	size_t size = 256 << 10;
	void *stack = malloc(size);

	seen = true;
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = size;
	coroutine.uc_link = &caller;
	makecontext(&coroutine, look_in_coroutine, 0);
	swapcontext(&caller, &coroutine);
	cr_expect_not(seen);
	free(stack);
}
