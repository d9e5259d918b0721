// SPDX-License-Identifier: MIT
/*
 * report_write.h - the forms of a report. Names, paths and what programs printed are strangers'
 * text: each form escapes them in its own way. What cannot be written shows as ferror(out).
 */
#ifndef NOBLOCKDNS_TOOL_REPORT_WRITE_H
#define NOBLOCKDNS_TOOL_REPORT_WRITE_H

#include "shim/tool/report_rows.h"

#include <stdio.h>

/* For a terminal: the table, what blocked most, what went wrong. */
void report_write_text(const struct report_view *v, FILE *out);

/* GitHub's dialect, for the summary of a CI job. */
void report_write_markdown(const struct report_view *v, FILE *out);

/* Everything: figures in nanoseconds, each run with its waits, loop turns and stalls. */
void report_write_json(const struct report_view *v, FILE *out);

/* One file that needs no other: table, timeline of each run, distribution. No script in it. */
void report_write_html(const struct report_view *v, FILE *out);

/* ---- parts that forms share ---- */

/* What is to be said besides the table: one sentence at a time, without a full stop, from index 0
 * on. False: that was all. */
bool report_remark(const struct report_view *v, size_t i, char *buf, size_t size);

#define REPORT_GROUPS_SHOWN 10

#endif
