// SPDX-License-Identifier: MIT
/*
 * shim_run.h - what the suites about a program's surroundings share: run a program with or without
 * the shim, and hold what came to what was expected or to what libc alone makes of it.
 *
 * Everything here ends the test where it fails. One thread; each run replaces the last result.
 */
#ifndef SHIM_RUN_H
#define SHIM_RUN_H

#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <stdio.h>
#include <string.h>

/* A failure is remembered for a second (RFC 9520 section 3.2). */
#define FAILURE_MS 1100

#define SHIM_ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SHIM_ENV(...)  ((const char *const[]){__VA_ARGS__, NULL})

static struct lab_proc_result shim_got;

/* Runs under the shim. `env` as in struct lab_proc_opts. */
static inline void shim_run(const char *const *env, const char *const *argv)
{
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = argv, .env = env, .preload = true},
		     &shim_got);
}

/* Runs under the shim; must exit with 0, print `out`, and not a word on stderr. */
static inline void shim_says(const char *const *env, const char *const *argv, const char *out)
{
	shim_run(env, argv);
	lab_assert_str(shim_got.err, "");
	lab_assert_str(shim_got.out, out);
	lab_assert_int(shim_got.signal, 0);
	lab_assert_int(shim_got.status, 0);
}

/* How many lines of the text contain `part`. */
static inline unsigned shim_lines_with(const char *text, const char *part)
{
	unsigned n = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		n += memmem(text, len, part, strlen(part)) != NULL;
		text += len + (text[len] == '\n');
	}
	return n;
}

/* The last run's stderr must be one line of the shim's, with that in it. */
static inline void shim_warned(const char *part)
{
	lab_assert(shim_lines_with(shim_got.err, "") == 1 &&
			   shim_lines_with(shim_got.err, "noblockdns[") == 1 &&
			   shim_lines_with(shim_got.err, part) == 1,
		   "(wanted one line with \"%s\", got \"%s\")", part, shim_got.err);
}

static inline void shim_must_equal(const char *what, const struct lab_proc_result *libc,
				   const struct lab_proc_result *shim)
{
	if (libc->status != shim->status || libc->signal != shim->signal)
		lab_fail("%s: status %d, signal %d with libc; %d, %d with the shim (%s)", what,
			 libc->status, libc->signal, shim->status, shim->signal, shim->err);
	if (strcmp(libc->out, shim->out) != 0)
		lab_fail("%s: libc says \"%.400s\", the shim \"%.400s\"", what, libc->out,
			 shim->out);
	if (strcmp(libc->err, shim->err) != 0)
		lab_fail("%s: stderr is \"%.400s\" with libc, \"%.400s\" with the shim", what,
			 libc->err, shim->err);
}

/* Runs it without the shim and twice with it, the second time with a warm cache. */
static inline void shim_as_libc(const char *what, const struct lab_proc_opts *opts)
{
	static struct lab_proc_result libc;
	struct lab_proc_opts o = *opts;

	o.preload = false;
	lab_proc_run(NULL, &o, &libc);
	o.preload = true;
	for (int i = 0; i < 2; i++) {
		lab_proc_run(NULL, &o, &shim_got);
		shim_must_equal(what, &libc, &shim_got);
	}
}

/* Skips in a build with that sanitizer (NULL: with any), for what its runtime breaks by itself. */
static inline void shim_not_under(const char *sanitizer, const char *why)
{
	if (lab_sanitizer() != NULL &&
	    (sanitizer == NULL || strcmp(lab_sanitizer(), sanitizer) == 0))
		lab_skip("sanitizer: %s", why);
}

static inline uint64_t shim_asked(const struct lab_dns *dns, const char *name, uint16_t type)
{
	return lab_dns_count(dns, name, type, LAB_ANY_TRANSPORT);
}

#endif
