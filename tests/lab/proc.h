// SPDX-License-Identifier: MIT
/*
 * proc.h - run a program and see what it printed: how end-to-end tests start their clients.
 */
#ifndef LAB_PROC_H
#define LAB_PROC_H

#include "netns.h"

struct lab_proc_opts {
	const char *const *argv; /* [0] a path, a name in PATH, or "clients/x" in the build folder;
				  * NULL-terminated */
	const char *const *env;	 /* "NAME=value" added to ours, "NAME" removed; or NULL */
	bool preload;		 /* LD_PRELOAD libnoblockdns.so (see lab_preload()) */
	const char *input;	 /* standard input; NULL: /dev/null */
	unsigned timeout_ms;	 /* killed with SIGKILL after this; 0: 30,000 */
	enum lab_side side;	 /* needs `w` for LAB_FAR */
};

struct lab_proc_result {
	int status; /* exit status; -1 with a signal */
	int signal; /* 0, or the signal that ended it */
	bool timed_out;
	char out[65536]; /* standard output and error, NUL-terminated, cut to fit */
	char err[65536];
};

/* Runs it and waits. `w` may be NULL on the near side. Fails the test if it cannot be started. */
void lab_proc_run(struct lab_world *w, const struct lab_proc_opts *opts,
		  struct lab_proc_result *ret);

/* Starts it with our own standard streams and does not wait: its pid. */
pid_t lab_proc_spawn(struct lab_world *w, const struct lab_proc_opts *opts);

/* waitpid() with a limit (0: none), then SIGKILL. Returns the wait status. */
int lab_proc_wait(pid_t pid, unsigned timeout_ms);

/* The build folder: $NBD_BUILD, else "build". */
const char *lab_build_dir(void);

/*
 * The value for LD_PRELOAD: the shim of the build folder, behind what $NBD_PRELOAD_FIRST names
 * (the sanitizer's runtime in a sanitizer build). Static storage.
 */
const char *lab_preload(void);

/*
 * The sanitizer that the build folder was built with, "address" or "thread", or NULL: for tests of
 * what a sanitizer's runtime does itself (system calls, memory limits), which then skip.
 */
const char *lab_sanitizer(void);

/* CLOCK_MONOTONIC in nanoseconds. */
unsigned long long lab_now_ns(void);

#endif
