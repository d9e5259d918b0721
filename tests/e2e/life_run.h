// SPDX-License-Identifier: MIT
/*
 * life_run.h - what the suites lifetime, interrupt and limits share: a server with names that are
 * answered, slow, or never answered, and a mode of the suite's own program (PROGRAM) under the
 * shim.
 */
#ifndef LIFE_RUN_H
#define LIFE_RUN_H

#include "tests/e2e/shim_run.h"

#include <unistd.h>

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr *.life.test 300 A 192.0.2.9\n"                                                         \
	"rr *.slow.test 300 A 192.0.2.9\n"                                                         \
	"rr *.lost.test 300 A 192.0.2.9\n"                                                         \
	"on *.slow.test * delay 300\n"                                                             \
	"on *.lost.test * drop\n"

static struct lab_dns *dns;

/* libc alone would pass most of these tests. */
static inline void must_be_the_shims(void)
{
	char folder[64];

	snprintf(folder, sizeof folder, "/dev/shm/noblockdns.%u", (unsigned)geteuid());
	lab_assert(access(folder, F_OK) == 0, "(the shim took no part)");
}

/* Must exit with 0 and say nothing. The server is there. */
static inline void client_again(const char *setting, const char *mode, const char *argument)
{
	shim_run(SHIM_ENV(setting), SHIM_ARGV(PROGRAM, mode, argument));
	lab_assert(shim_got.status == 0, "(status %d, signal %d%s: %s%s)", shim_got.status,
		   shim_got.signal, shim_got.timed_out ? ", timed out" : "", shim_got.out,
		   shim_got.err);
	lab_assert_str(shim_got.out, "");
	lab_assert_str(shim_got.err, "");
	must_be_the_shims();
}

static inline void client(struct lab_world *w, const char *setting, const char *mode,
			  const char *argument)
{
	dns = lab_dns_start_text(w, ZONE);
	client_again(setting, mode, argument);
}

#define NO_SETTING "NOBLOCKDNS_CACHE="

static inline void run(struct lab_world *w, const char *mode)
{
	client(w, NO_SETTING, mode, "");
}

#endif
