// SPDX-License-Identifier: MIT
/* trace_folder.h - the trace files in a folder (NOBLOCKDNS_TRACE), in the order of their begin. */
#ifndef NOBLOCKDNS_TOOL_TRACE_FOLDER_H
#define NOBLOCKDNS_TOOL_TRACE_FOLDER_H

/*
 * Calls `each` with the path of every file that is named like a trace. How many there are, or a
 * negative errno where the folder cannot be read.
 */
int trace_folder_each(const char *folder, void (*each)(void *ctx, const char *path), void *ctx);

#endif
