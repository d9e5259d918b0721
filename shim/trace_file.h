// SPDX-License-Identifier: MIT
/*
 * trace_file.h - this process's trace file (trace_format.h): made, mapped, and filled up.
 *
 * No descriptor is kept. Cells are given memory in stretches, before they are written, by whoever
 * comes to need them: a full disk ends the trace, and is no SIGBUS. Any thread, signal handlers; a
 * lock is taken by who makes the file, and by nobody else; no allocation.
 */
#ifndef NOBLOCKDNS_TRACE_FILE_H
#define NOBLOCKDNS_TRACE_FILE_H

#include "shim/trace_format.h"

#include <stdbool.h>

/* NULL: not made yet. Changes once in the life of a process, and when a forked child is cleaned up.
 */
extern struct trace_header *_Atomic trace_file;

/* Makes it in `dir`, unless another thread has. False: it cannot be had, and the log says why. */
bool trace_file_make(const char *dir, bool observe);

/* The cells of a record, its mark set to TRACE_WRITING; NULL: there is no room, which is counted.
 * The file is there. */
struct trace_cell *trace_file_reserve(unsigned ncells);

/* The record is whole. */
static inline void trace_file_done(struct trace_cell *cell, enum trace_type type, unsigned ncells)
{
	__atomic_store_n(&cell->mark, TRACE_MARK(TRACE_DONE, type, ncells), __ATOMIC_RELEASE);
}

/* In a forked child: the file is the parent's. */
void trace_file_reset(void);

#endif
