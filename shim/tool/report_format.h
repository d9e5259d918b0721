// SPDX-License-Identifier: MIT
/*
 * report_format.h - figures in words, the same in every form of a report. Pure.
 */
#ifndef NOBLOCKDNS_TOOL_REPORT_FORMAT_H
#define NOBLOCKDNS_TOOL_REPORT_FORMAT_H

#include "shim/tool/report.h"

#define REPORT_WORD 64 /* bytes of every buffer here */

/* Three digits and a unit: "812 ns", "4.10 µs", "300 ms", "1.52 s", "2 min 10 s". */
const char *report_format_ns(uint64_t ns, char buf[REPORT_WORD]);

/* The same of a round figure: "2 s", "0". */
const char *report_format_tick(uint64_t ns, char buf[REPORT_WORD]);

/* A number per run, at most one digit behind the point: "12", "0.3". */
const char *report_format_mean(uint64_t n, unsigned runs, char buf[REPORT_WORD]);

/* "-99.9 %", "+12 %", "3.2 x" from a triple up, "same" within half a percent, "" of nothing. */
const char *report_format_change(uint64_t before, uint64_t after, char buf[REPORT_WORD]);

/* "exit 0", "killed by SIGSEGV", "stopped". */
const char *report_format_end(const struct report_end *end, char buf[REPORT_WORD]);

#endif
