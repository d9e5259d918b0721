// SPDX-License-Identifier: MIT
/*
 * nsswitch.h - which sources answer for host names, in which order, and what happens after each:
 * the `hosts` line of nsswitch.conf(5) as glibc 2.36 reads it.
 *
 * Modules that are not built in here are FOREIGN. A caller walks the plan; where it meets an entry
 * that is neither FILES nor DNS and not silent, the lookup belongs to libc whole:
 *
 *	for (i = 0; i < plan->n; i++) {
 *		if (!nsswitch_silent(plan->entries[i].module, name, hostname, &status))
 *			status = ...ask FILES or DNS, or leave it all to libc...;
 *		if (plan->entries[i].on[status] == NSSWITCH_RETURN)
 *			break;
 *	}
 *
 * A file that glibc refuses as a whole, and a line whose meaning depends on more than one source's
 * answer (SUCCESS=continue, SUCCESS=merge), become the plan of one FOREIGN entry. A line without
 * any source is an empty plan, and finds nothing: glibc 2.36 would read past its list's end.
 *
 * Pure; any thread; no allocation.
 */
#ifndef NOBLOCKDNS_NSSWITCH_H
#define NOBLOCKDNS_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#define NSSWITCH_MAX 16 /* entries of a plan; a longer line ends in a FOREIGN entry */

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
	NSSWITCH_MERGE, /* after anything but SUCCESS: the same as CONTINUE */
};

struct nsswitch_entry {
	enum nsswitch_module module;
	enum nsswitch_action on[NSSWITCH_NSTATUS]; /* on[SUCCESS] is RETURN */
};

struct nsswitch_plan {
	unsigned n; /* 0: the line names no source */
	struct nsswitch_entry entries[NSSWITCH_MAX];
};

/*
 * Parses nsswitch.conf (`text` NULL: no file). No file and no `hosts` line give glibc's default,
 * `files dns`. Never fails.
 */
void nsswitch_parse(const char *text, size_t len, struct nsswitch_plan *ret);

/*
 * Has the module certainly nothing to say about `name`, without being asked? Then true, and
 * *ret_status is what it would return. Always false for FILES, DNS and FOREIGN.
 * `hostname` is the own host name (NULL: unknown, and MYHOSTNAME is never silent).
 */
bool nsswitch_silent(enum nsswitch_module module, const char *name, const char *hostname,
		     enum nsswitch_status *ret_status);

const char *nsswitch_module_to_str(enum nsswitch_module module);

#endif
