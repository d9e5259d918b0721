// SPDX-License-Identifier: MIT
/*
 * world.h - what the files of the lab know of a world and tests do not.
 */
#ifndef LAB_WORLD_H
#define LAB_WORLD_H

#include "netns.h"

struct lab_world {
	const struct lab_world_opts *opts; /* borrowed from the caller of lab_world_run() */
	char base[64];			   /* the world's tmpfs: host-etc/ and work/ */
	char dir[80];			   /* base + "/work" */
	int ns[2];			   /* by enum lab_side; owned; far is -1 without one */
};

/* In verdict.c: where lab_fail() and lab_skip() of this process and its children write. */
struct lab_verdict;
struct lab_verdict *lab_verdict_new(void); /* NULL: no memory */
void lab_verdict_use(struct lab_verdict *verdict);
void lab_verdict_set(struct lab_verdict *verdict, enum lab_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void lab_verdict_take(struct lab_verdict *verdict, struct lab_result *ret); /* frees */

/* In etc.c: the world's own /etc. Runs in the world's mount namespace, before the body. */
void lab_etc_make(const struct lab_world *w);

/* In links.c. */
void lab_loopback_up(void);
void lab_sysctl(const char *path, const char *value); /* below /proc/sys; missing: ignored */
void lab_addresses_add(struct lab_world *w);
void lab_far_prefixes(struct lab_world *w); /* makes them local to the far side */
void lab_link_tun(struct lab_world *w);	    /* addresses for the forwarder's devices */

#endif
