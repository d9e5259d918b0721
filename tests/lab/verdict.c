// SPDX-License-Identifier: MIT
/*
 * verdict.c - how a process of a world tells the test that it failed or cannot run.
 *
 * The verdict is one page of shared memory, made before the world is forked. Any process of the
 * world may write it; the first one claims it with a compare-and-swap, so that a failure in a
 * helper is not hidden by the failures which follow from it.
 */
#include "world.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct lab_verdict {
	atomic_bool claimed;	  /* by the first writer */
	struct lab_result result; /* the claimer's; read after every writer is dead */
};

static struct lab_verdict *current; /* NULL outside of a world */

struct lab_verdict *lab_verdict_new(void)
{
	void *page = mmap(NULL, sizeof(struct lab_verdict), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

void lab_verdict_use(struct lab_verdict *verdict)
{
	current = verdict;
}

static void verdict_vset(struct lab_verdict *verdict, enum lab_outcome outcome, const char *where,
			 const char *fmt, va_list ap)
{
	struct lab_result *result = &verdict->result;
	size_t used;

	if (atomic_exchange(&verdict->claimed, true))
		return;
	result->outcome = outcome;
	used = (size_t)snprintf(result->message, sizeof(result->message), "%s", where);
	vsnprintf(result->message + used, sizeof(result->message) - used, fmt, ap);
}

void lab_verdict_set(struct lab_verdict *verdict, enum lab_outcome outcome, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verdict_vset(verdict, outcome, "", fmt, ap);
	va_end(ap);
}

void lab_verdict_take(struct lab_verdict *verdict, struct lab_result *ret)
{
	*ret = verdict->result;
	munmap(verdict, sizeof(*verdict));
}

/* _exit: what the parent registered with atexit (Criterion, sanitizers) is not ours to run. */
static _Noreturn void leave(enum lab_outcome outcome, const char *where, const char *fmt,
			    va_list ap)
{
	fflush(NULL);
	if (current) {
		verdict_vset(current, outcome, where, fmt, ap);
		_exit(1);
	}
	fputs(where, stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	exit(1);
}

void lab_fail_at(const char *file, int line, const char *fmt, ...)
{
	char where[160];
	va_list ap;

	snprintf(where, sizeof(where), "%s:%d: ", file, line);
	va_start(ap, fmt);
	leave(LAB_FAILED, where, fmt, ap);
}

void lab_fail_cond_at(const char *file, int line, const char *cond, const char *fmt, ...)
{
	char where[512];
	va_list ap;

	snprintf(where, sizeof(where), "%s:%d: not so: %s", file, line, cond);
	va_start(ap, fmt);
	leave(LAB_FAILED, where, fmt, ap);
}

void lab_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	leave(LAB_SKIPPED, "", fmt, ap);
}

void lab_assert_int_at(const char *file, int line, const char *what, long long got,
		       long long expected)
{
	if (got != expected)
		lab_fail_at(file, line, "%s: expected %lld, got %lld", what, expected, got);
}

void lab_assert_str_at(const char *file, int line, const char *what, const char *got,
		       const char *expected)
{
	if (!got || !expected ? got != expected : strcmp(got, expected) != 0)
		lab_fail_at(file, line, "%s: expected \"%s\", got \"%s\"", what,
			    expected ? expected : "(null)", got ? got : "(null)");
}
