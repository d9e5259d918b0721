// SPDX-License-Identifier: MIT
/*
 * doctor.h - what `noblockdns doctor` finds, and the examinations that find it. Each finding says
 * in plain words what is the case, and what to do about it.
 */
#ifndef NOBLOCKDNS_TOOL_DOCTOR_H
#define NOBLOCKDNS_TOOL_DOCTOR_H

#include "shim/config.h"
#include "shim/settings.h"
#include "shim/tool/elf_libraries.h"

#include <stdbool.h>
#include <stddef.h>

enum doctor_mark {
	DOCTOR_GOOD, /* as it should be */
	DOCTOR_NOTE, /* good to know, or of another's choice */
	DOCTOR_BAD,  /* matters: exit status 1 */
};

struct doctor_finding {
	const char *area; /* static: "command", "upstreams", ... */
	const char *id;	  /* static, for machines: "static", "upstream-silent", ... */
	enum doctor_mark mark;
	char *text;	    /* owns; one sentence without a full stop */
	const char *remedy; /* static; what to do; or NULL */
};

struct doctor {
	const char *area;		 /* of what is being examined */
	struct doctor_finding *findings; /* owns */
	size_t n, room;
	bool no_memory; /* a finding is missing */
};

__attribute__((format(printf, 5, 6))) void doctor_find(struct doctor *d, enum doctor_mark mark,
						       const char *id, const char *remedy,
						       const char *fmt, ...);

/* The worst mark among the findings of this area; GOOD where there is none. */
enum doctor_mark doctor_worst(const struct doctor *d, const char *area);

/* Writes all findings to stdout. */
void doctor_print(const struct doctor *d);
void doctor_print_json(const struct doctor *d);
void doctor_free(struct doctor *d);

/* ---- examinations ---- */

/* Can this command be wrapped? A name is looked for in PATH. */
void doctor_command(struct doctor *d, const char *command);

/* The same of a file that may be an ELF program. False: it is none. */
bool doctor_program(struct doctor *d, const char *path, const struct elf_file *file);

/* Reads the configuration and reports what is wrong with it. */
void doctor_configuration(struct doctor *d, struct config *ret);

/* Upstreams that were asked, and that have answered, by family. */
struct doctor_families {
	unsigned asked4, answered4, asked6, answered6;
};

/* Asks the upstreams, each over every transport that matters. Adds to `ret`. */
void doctor_upstreams(struct doctor *d, const struct settings *settings,
		      struct doctor_families *ret);

/* Does IPv6 work? */
void doctor_ipv6(struct doctor *d, const struct doctor_families *families);

/* What races have shown of IPv6, as the cache at `path`, which is whole, remembers it. */
void doctor_history(struct doctor *d, const char *path);

/* `private`: libc gets no name (struct config). */
void doctor_nsswitch(struct doctor *d, bool private);
void doctor_cache(struct doctor *d, const struct config *config);
void doctor_clock(struct doctor *d);
void doctor_process(struct doctor *d);

#endif
