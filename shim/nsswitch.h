// SPDX-License-Identifier: MIT
/*
 * nsswitch.h - which sources answer for host names, in which order, and what happens after each:
 * the `hosts` line of nsswitch.conf(5) as glibc 2.36 reads it.
 *
 * Modules that are not built in here are FOREIGN: a lookup that would reach one belongs to libc
 * whole. A few of them are known well enough to say, from the name alone, that they have nothing to
 * give; nsswitch_silent() says it, so that a laptop with mdns4_minimal in its plan is still served.
 *
 * Pure; any thread.
 */
#ifndef NOBLOCKDNS_NSSWITCH_H
#define NOBLOCKDNS_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#define NSSWITCH_MAX 16 /* modules a plan; a longer line ends in a FOREIGN entry */

enum nsswitch_module {
	NSSWITCH_FILES,
	NSSWITCH_DNS,
	NSSWITCH_MDNS_MINIMAL, /* nss-mdns: mdns_minimal, mdns4_minimal, mdns6_minimal */
	NSSWITCH_MYHOSTNAME,   /* systemd's nss-myhostname(8) */
	NSSWITCH_FOREIGN,
};

enum nsswitch_status {
	NSSWITCH_TRYAGAIN,
	NSSWITCH_UNAVAIL,
	NSSWITCH_NOTFOUND,
	NSSWITCH_SUCCESS,
	NSSWITCH_NSTATUS,
};

enum nsswitch_action {
	NSSWITCH_CONTINUE,
	NSSWITCH_RETURN,
	NSSWITCH_MERGE, /* for hosts glibc has no merge function: see nsswitch_next() */
};

struct nsswitch_entry {
	enum nsswitch_module module;
	enum nsswitch_action on[NSSWITCH_NSTATUS];
};

struct nsswitch_plan {
	unsigned n; /* 0: a line that names no module; every lookup is UNAVAIL */
	struct nsswitch_entry entries[NSSWITCH_MAX];
};

/*
 * Parses nsswitch.conf (`text` NULL: no file). A missing or a malformed `hosts` line gives glibc's
 * default plan. Never fails.
 */
void nsswitch_parse(const char *text, size_t len, struct nsswitch_plan *ret);

/* The action after entry `i` ended with `status`: true where the next entry is to be asked. */
bool nsswitch_goes_on(const struct nsswitch_plan *plan, unsigned i, enum nsswitch_status status);

/*
 * Does entry `i` certainly have nothing to say about `name`, without being asked? Then true, and
 * *ret_status is what it would have returned. Always false for FILES, DNS and FOREIGN.
 * `hostname` is the own host name (NULL: unknown, so MYHOSTNAME is never silent).
 */
bool nsswitch_silent(enum nsswitch_module module, const char *name, const char *hostname,
		     enum nsswitch_status *ret_status);

/*
 * Can this plan, for `name`, be walked here alone, whatever FILES and DNS return? False where a
 * module that has to be asked is neither FILES nor DNS, and some path leads to it.
 */
bool nsswitch_is_ours(const struct nsswitch_plan *plan, const char *name, const char *hostname);

const char *nsswitch_module_to_str(enum nsswitch_module module);

#endif
