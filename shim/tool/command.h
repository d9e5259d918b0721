// SPDX-License-Identifier: MIT
/*
 * command.h - runs a command once, and sees how long it takes, how it ends and what it writes.
 *
 * The command is in a session of its own, so that no terminal asks for a password in the middle of
 * a measurement, with /dev/null as standard input. What it writes is counted and hashed, and not
 * kept. Used by one thread, the process's only one: command_signals() must have been called.
 */
#ifndef NOBLOCKDNS_TOOL_COMMAND_H
#define NOBLOCKDNS_TOOL_COMMAND_H

#include "shim/tool/report.h"

#include <stdbool.h>
#include <stdint.h>

struct command_variable {
	const char *name, *value;
};

struct command_opts {
	char **argv;				  /* [0] a path, or a name in PATH */
	const struct command_variable *variables; /* set for it; ends with a NULL name */
	uint64_t limit_ns;			  /* then it gets SIGTERM; UINT64_MAX: never */
	bool show;				  /* what it writes goes to our stderr as well */
	void (*tick)(void *ctx, uint64_t ns);	  /* ten times a second while it runs; or NULL */
	int also_fd;		 /* -1, or what is looked at besides: when it is readable, */
	void (*also)(void *ctx); /* this is called */
	void *ctx;
};

struct command_result {
	int exec_error; /* positive errno: it could not be executed; nothing else holds */
	struct report_end end;
	uint64_t start_boot_ns; /* CLOCK_BOOTTIME */
	uint64_t wall_ns;
	uint64_t out_bytes, out_hash; /* of standard output */
	char complaint[256];	      /* the last line that is not blank on standard error */
	int interrupted;	      /* the signal by which we were told to stop; 0: none */
};

/* From now on SIGINT, SIGQUIT, SIGTERM and SIGHUP stop the command that runs, not us, and whoever
 * reads our progress may go away. 0 or -errno. */
int command_signals(void);

/* 0 and the result; a negative errno where it could not even be tried. */
int command_run(const struct command_opts *opts, struct command_result *ret);

#endif
