// SPDX-License-Identifier: MIT
/*
 * trace_print.h - the forms in which `noblockdns trace` prints traces: text, JSON lines, and the
 * Chrome trace-event format, which chrome://tracing, Perfetto and speedscope show. One thread.
 */
#ifndef NOBLOCKDNS_TOOL_TRACE_PRINT_H
#define NOBLOCKDNS_TOOL_TRACE_PRINT_H

#include "shim/tool/json.h"
#include "shim/tool/trace_read.h"

#include <stdio.h>

struct trace_printer {
	const struct trace_form *form;
	FILE *out;
	struct json json;
	uint64_t nraces; /* of which each has a number, in the Chrome format */
};

/* Calls, in this order: open; for each file begin, records, end; close. */
struct trace_form {
	void (*open)(struct trace_printer *p);
	void (*begin)(struct trace_printer *p, const char *path, const struct trace_info *info);
	void (*record)(struct trace_printer *p, const struct trace_info *info,
		       const struct trace_record *record);
	void (*end)(struct trace_printer *p, const struct trace_info *info);
	void (*close)(struct trace_printer *p);
};

extern const struct trace_form trace_text, trace_json, trace_chrome;

/* The last part of a path, as names of processes are shown. */
const char *trace_program(const struct trace_info *info);

/* Seconds since 1970 of a time of a record. */
double trace_unix_time(const struct trace_info *info, uint64_t boot_ns);

/* "Name or service not known", "Connection refused"; NULL: success. */
const char *trace_error(const struct trace_record *record);

#endif
