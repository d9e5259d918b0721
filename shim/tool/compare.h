// SPDX-License-Identifier: MIT
/* compare.h - the runs of `noblockdns compare`. */
#ifndef NOBLOCKDNS_TOOL_COMPARE_H
#define NOBLOCKDNS_TOOL_COMPARE_H

#include "shim/tool/report_write.h"

struct compare_opts {
	char **argv;
	unsigned runs; /* of each side */
	bool warm, show;
	uint64_t limit_ns;  /* of one run; UINT64_MAX: none */
	const char *traces; /* where the traces are kept; NULL: nowhere */
};

/*
 * Makes all runs and fills the report, with progress on stderr: one line that changes on a
 * terminal, else one line a run. TOOL_FINE, or another exit status, said and with what was measured
 * until then in the report: 126 and 127 where the command cannot be executed, 128 + the signal that
 * interrupted.
 */
int compare_runs(const struct compare_opts *opts, struct report *report);

#endif
