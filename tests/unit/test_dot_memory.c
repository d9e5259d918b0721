// SPDX-License-Identifier: MIT
/*
 * test_dot_memory.c - OpenSSL without memory: one allocation of the first lookup fails, in one
 * child after the other. Whatever that lookup says, it ends, and the next one works.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dot_rig.h"

#define STRIDE 29 /* of some 11,000 allocations: each is as good as its neighbours */

static struct rig rig;
static unsigned long count, bad; /* allocations of OpenSSL's; the one that fails, 0: none */

static void *on_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return ++count == bad ? NULL : malloc(size);
}

static void *on_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size)
		return ++count == bad ? NULL : realloc(old, size);
	free(old);
	return NULL;
}

static void on_free(void *old, const char *file, int line)
{
	(void)file;
	(void)line;
	free(old);
}

static int hooked;

/* Possible only before OpenSSL's first allocation, which is before the first test. */
__attribute__((constructor)) static void hook(void)
{
	hooked = CRYPTO_set_mem_functions(on_malloc, on_realloc, on_free);
}

/* In a child. */
_Noreturn static void look_up_twice(void)
{
	const struct rig_call *first = rig_ask(&rig, "www.test"), *second;

	for (int waited_ms = 0; !first->ended && waited_ms < 10000; waited_ms++) {
		fake_host_advance(&rig.host, rig.r, rig.host.now_ms);
		fake_host_poll(&rig.host, rig.r, 1);
	}
	if (!first->ended)
		_exit(1);
	bad = 0;
	second = rig_lookup(&rig, "www.test");
	_exit(second->error || !second->authenticated ? 2 : 0);
}

static unsigned long count_of_one_lookup(void)
{
	int pipe_ends[2];
	unsigned long n;
	pid_t child;

	cr_assert_eq(pipe(pipe_ends), 0);
	child = fork();
	if (!child) {
		count = 0;
		rig_lookup(&rig, "www.test");
		_exit(write(pipe_ends[1], &count, sizeof(count)) != sizeof(count));
	}
	cr_assert_eq(read(pipe_ends[0], &n, sizeof(n)), (ssize_t)sizeof(n));
	waitpid(child, NULL, 0);
	return n;
}

Test(dot_memory, lookup_after_a_failed_allocation_works, .timeout = 240)
{
	unsigned long n;

	cr_assert(hooked);
	rig_serve(&rig, "cert good", "");
	rig_open(&rig);
	/* What OpenSSL does once in a process, and never again, is not looked at. */
	cr_assert(OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL));
	n = count_of_one_lookup();
	cr_assert_gt(n, 1000u);
	for (unsigned long i = 1; i <= n; i += STRIDE) {
		pid_t child = fork();
		int status;

		if (!child) {
			count = 0;
			bad = i;
			look_up_twice();
		}
		waitpid(child, &status, 0);
		cr_expect_eq(status, 0, "allocation %lu: status %#x", i, status);
	}
	rig_close(&rig);
}
