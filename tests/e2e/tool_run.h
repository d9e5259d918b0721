// SPDX-License-Identifier: MIT
/*
 * tool_run.h - what the suites about the noblockdns command share: run it, and look at what it
 * said.
 *
 * Everything here ends the test where it fails. One thread; each run replaces the last result.
 */
#ifndef TOOL_RUN_H
#define TOOL_RUN_H

#include "tests/e2e/shim_run.h"

#include <stdlib.h>

#define TOOL(...) tool_run(NULL, SHIM_ARGV("noblockdns", __VA_ARGS__))

/* In a build with a sanitizer, its runtime has to be there before the library that `run` adds. */
static inline void tool_prepare(void)
{
	const char *runtime = getenv("NBD_PRELOAD_FIRST");

	if (runtime != NULL && *runtime != '\0')
		setenv("LD_PRELOAD", runtime, 1);
}

/* The command with these arguments. `env` as in struct lab_proc_opts. */
static inline void tool_run(const char *const *env, const char *const *argv)
{
	tool_prepare();
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = argv, .env = env}, &shim_got);
}

/* The last run must have ended like this. */
static inline void tool_ended(int status)
{
	lab_assert(shim_got.signal == 0 && shim_got.status == status,
		   "(status %d, signal %d; stdout \"%.600s\", stderr \"%.600s\")", shim_got.status,
		   shim_got.signal, shim_got.out, shim_got.err);
}

/* The last run must have printed a line, or a part of one, like this. */
static inline void tool_printed(const char *part)
{
	lab_assert(strstr(shim_got.out, part) != NULL, "(\"%s\" is not in \"%.1500s\")", part,
		   shim_got.out);
}

static inline void tool_did_not_print(const char *part)
{
	lab_assert(strstr(shim_got.out, part) == NULL, "(\"%s\" is in \"%.1500s\")", part,
		   shim_got.out);
}

/* It must have complained in exactly this line. */
static inline void tool_complained(const char *line)
{
	char expected[1024];

	snprintf(expected, sizeof expected, "noblockdns: %s\n", line);
	lab_assert_str(shim_got.err, expected);
}

/* A shell, with the build folder first in PATH. */
static inline void tool_shell(const char *script)
{
	char path[4096];

	shim_not_under("thread", "its runtime does not start in a shell");
	tool_prepare();
	snprintf(path, sizeof path, "PATH=%s:%s", lab_build_dir(), getenv("PATH"));
	lab_proc_run(NULL,
		     &(struct lab_proc_opts){.argv = SHIM_ARGV("bash", "-c", script),
					     .env = SHIM_ENV(path)},
		     &shim_got);
}

#endif
