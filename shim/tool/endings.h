// SPDX-License-Identifier: MIT
/*
 * endings.h - when the processes of a run ended: a process has its trace file mapped until it ends
 * or executes another program, and the kernel tells when the last such mapping is gone (inotify(7),
 * IN_CLOSE_WRITE). A child that goes on with its parent's mapping, without a record of its own,
 * makes the parent's end look like its own. One thread.
 */
#ifndef NOBLOCKDNS_TOOL_ENDINGS_H
#define NOBLOCKDNS_TOOL_ENDINGS_H

#include <stdint.h>

struct endings;

/* Looks at this folder from now on. NULL: the system does not allow it, or no memory. */
struct endings *endings_open(const char *folder);

/* NULL is allowed in all of these. */
void endings_close(struct endings *e);

/* Becomes readable when a process has ended: then endings_take() is due, whose clock it is that
 * counts. -1: there is none. */
int endings_fd(const struct endings *e);
void endings_take(struct endings *e);

/* When (CLOCK_BOOTTIME) the process with this trace file ended; UINT64_MAX: it has not, or nobody
 * knows. */
uint64_t endings_of(const struct endings *e, const char *path);

#endif
