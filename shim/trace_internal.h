// SPDX-License-Identifier: MIT
/*
 * trace_internal.h - how the calling thread writes: for trace_calls.c. All but the first need a
 * thread that is ready.
 */
#ifndef NOBLOCKDNS_TRACE_INTERNAL_H
#define NOBLOCKDNS_TRACE_INTERNAL_H

#include "shim/trace.h"
#include "shim/trace_file.h"

/* May this thread write? The first time it is introduced. */
bool trace_is_ready(void);

/* A record of so many cells, for trace_file_done(); NULL: there is no room. */
struct trace_cell *trace_start_record(unsigned ncells, uint64_t start_ns, uint64_t duration_ns);

/* Writes what comes after a record's first cell. */
void trace_write_tail(struct trace_cell *cell, unsigned ncells, const char *tail, unsigned len);

/* The thread is in a lookup, or a connect, from here on: with the name's length, or the port, and
 * the bytes of the name or the address. */
void trace_enter(enum trace_type type, uint64_t start_ns, uint16_t number, const void *bytes,
		 unsigned len);

/* And it is not any more; the turn that is under way was blocked by it, or was not. */
void trace_leave(enum trace_type type, bool blocked, uint64_t duration_ns);

#endif
