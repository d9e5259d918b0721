// SPDX-License-Identifier: MIT
/*
 * shebang.h - who runs a script: the first line, as execve(2) and env(1) read it. Pure.
 */
#ifndef NOBLOCKDNS_TOOL_SHEBANG_H
#define NOBLOCKDNS_TOOL_SHEBANG_H

#include <stdbool.h>
#include <stddef.h>

#define SHEBANG_MAX 256 /* Linux reads no more of the line (BINPRM_BUF_SIZE) */

struct shebang {
	char program[SHEBANG_MAX]; /* a path; or, behind env, a name to be looked for in PATH */
	bool by_env;		   /* it is started by env */
	bool env_clears;	   /* ... which empties the environment, or takes LD_PRELOAD out */
};

/* False: no #! line, or none that execve(2) would take. */
bool shebang_parse(const char *text, size_t len, struct shebang *ret);

#endif
