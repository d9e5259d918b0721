// SPDX-License-Identifier: MIT
/*
 * report_rows.h - the table of a report: what stands in it, once for all forms (text, Markdown,
 * HTML), and whether the shim made it better. Pure.
 */
#ifndef NOBLOCKDNS_TOOL_REPORT_ROWS_H
#define NOBLOCKDNS_TOOL_REPORT_ROWS_H

#include "shim/tool/report_format.h"
#include "shim/tool/report_stats.h"

#define REPORT_ROWS_MAX 32

enum report_mark { REPORT_NEUTRAL, REPORT_BETTER, REPORT_WORSE };

struct report_row {
	const char *label; /* static */
	bool detail;	   /* belongs to the row above it */
	char value[REPORT_SIDES][320];
	char change[REPORT_WORD];
	enum report_mark mark;
};

struct report_view {
	const struct report *report;
	struct report_summary side[REPORT_SIDES];
	struct report_row rows[REPORT_ROWS_MAX];
	size_t nrows;
	struct report_group *names, *programs; /* owns */
	size_t nnames, nprograms;
	enum report_same end, output;
	bool exceeds; /* a stall is longer than is allowed */
	bool unseen;  /* stalls are limited, and one may have been missed: no trace, or lost records
		       */
};

/* Figures, groups and table. A name in a cell is as it came: whoever prints it escapes it. */
void report_view_open(struct report *r, struct report_view *ret);
void report_view_free(struct report_view *v);

/* The verdict in one sentence without a full stop: "longest stall 1.20 s, with the shim none". */
void report_verdict(const struct report_view *v, char *buf, size_t size);

#endif
