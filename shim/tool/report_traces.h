// SPDX-License-Identifier: MIT
/* report_traces.h - puts what the processes of a run have traced into a report. */
#ifndef NOBLOCKDNS_TOOL_REPORT_TRACES_H
#define NOBLOCKDNS_TOOL_REPORT_TRACES_H

#include "shim/tool/report.h"

struct endings;

/*
 * Reads all trace files of `folder`, whose times count from `start_boot_ns` (CLOCK_BOOTTIME) on. A
 * wait that was not over lasts until its process ended (`endings`, may be NULL), or the run
 * (run->wall_ns). What is damaged is counted in run->lost. 0, or a negative errno where the folder
 * cannot be read.
 */
int report_traces_read(struct report *r, struct report_run *run, const char *folder,
		       uint64_t start_boot_ns, const struct endings *endings);

#endif
