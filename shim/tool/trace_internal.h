// SPDX-License-Identifier: MIT
/* trace_internal.h - what the files of trace_read.h share. */
#ifndef NOBLOCKDNS_TOOL_TRACE_INTERNAL_H
#define NOBLOCKDNS_TOOL_TRACE_INTERNAL_H

#include "shim/tool/trace_names.h"
#include "shim/tool/trace_read.h"

#define TRACE_ARGV_MAX 255

/* The longest record: a name and all addresses. */
#define TRACE_TAIL_MAX (TRACE_NAME_MAX + TRACE_ADDRS_MAX * 16)
#define TRACE_RECORD_CELLS                                                                         \
	(1 + (TRACE_TAIL_MAX - TRACE_INLINE_MAX + TRACE_MORE_MAX - 1) / TRACE_MORE_MAX)

struct trace_file {
	unsigned char *bytes;		      /* owns */
	struct trace_header header;	      /* a copy, its texts ended */
	const char *argv[TRACE_ARGV_MAX + 1]; /* borrows from it */
	size_t ncells, at;		      /* those that are there; the next one */
	size_t thread_at;		      /* once all is read: where threads are looked for */
	struct trace_info info;
	struct trace_names names;
};

/* Takes a record of `ncells` cells apart, whose marks have been looked at. False: its lengths are
 * wrong, or its type. */
bool trace_decode(struct trace_names *names, const unsigned char *cells, unsigned type,
		  unsigned ncells, struct trace_record *ret);

/* What the thread of this TRACE_THREAD record, which is whole, is in. False: nothing. */
bool trace_decode_under_way(struct trace_names *names, const unsigned char *cells,
			    struct trace_record *ret);

#endif
