// SPDX-License-Identifier: MIT
/*
 * life_malloc.c - looks names up while malloc() fails: life_malloc once|from. In one child after
 * the other, the first allocation of a lookup fails, then the second, and so on; with `from` all
 * later ones of that lookup fail, too. Whatever the first lookup says, the next ones, with memory
 * again, must find their names.
 *
 * Prints what went wrong and exits with 1, or exits with 0.
 */
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

static _Atomic bool armed; /* allocations count, on every thread */
static _Atomic unsigned count;
static unsigned first_bad, last_bad; /* set before `armed` */

#define VISIBLE __attribute__((visibility("default"))) /* to the libraries */

static bool fails(void)
{
	unsigned n;

	if (!atomic_load(&armed))
		return false;
	n = atomic_fetch_add(&count, 1) + 1;
	if (n < first_bad || n > last_bad)
		return false;
	errno = ENOMEM;
	return true;
}

VISIBLE void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

VISIBLE void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

VISIBLE void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

static int look_up(const char *prefix, unsigned n)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
	struct addrinfo *list = NULL;
	char name[64];
	int r;

	snprintf(name, sizeof(name), "%s%u.life.test", prefix, n);
	r = getaddrinfo(name, "80", &hints, &list);
	if (r == 0)
		freeaddrinfo(list);
	return r;
}

static bool says_no_memory(int eai)
{
	return eai == EAI_MEMORY || eai == EAI_AGAIN || eai == EAI_FAIL || eai == EAI_NONAME ||
	       eai == EAI_SYSTEM;
}

/* In a child. Its exit status: 0 right, 1 wrong, 2 there are no more allocations. */
static int try(unsigned n, bool from)
{
	int r;

	first_bad = n;
	last_bad = from ? -1U : n;
	atomic_store(&armed, true);
	r = look_up("a", n);
	atomic_store(&armed, false);
	if (r != 0 && !says_no_memory(r)) {
		printf("allocation %u fails: %s\n", n, gai_strerror(r));
		return 1;
	}
	for (int i = 0; i < 2; i++) {
		r = look_up(i ? "a" : "b", n);
		if (r != 0) {
			printf("after allocation %u failed: %s\n", n, gai_strerror(r));
			return 1;
		}
	}
	return atomic_load(&count) < n ? 2 : 0;
}

int main(int argc, char **argv)
{
	bool from = argc > 1 && strcmp(argv[1], "from") == 0;

	/* libc crashes by itself where nsswitch.conf is first read without memory. */
	if (getservbyname("http", "tcp") == NULL)
		return 1;
	for (unsigned n = 1;; n++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			int r = try(n, from);

			fflush(stdout);
			_exit(r);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 1;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			return 0;
		if (status != 0) {
			printf("allocation %u: wait status %#x\n", n, (unsigned)status);
			return 1;
		}
	}
}
