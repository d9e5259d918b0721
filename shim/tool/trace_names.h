// SPDX-License-Identifier: MIT
/*
 * trace_names.h - what the reader of a trace remembers while it goes through it: texts, each once;
 * the name of each thread; and whose address each address is, by the latest lookup that gave it.
 * One thread. Without memory something is forgotten: a name is "" then.
 */
#ifndef NOBLOCKDNS_TOOL_TRACE_NAMES_H
#define NOBLOCKDNS_TOOL_TRACE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_NAMES_KEY 16 /* bytes; of a thread the id and zeros */

struct trace_names_entry;

struct trace_names {
	struct trace_names_entry **slots; /* owns, and what is chained there */
	size_t nslots, n;
};

/* A copy of the text up to `len`, or to a NUL in it, that lives as long as `names`. */
const char *trace_names_text(struct trace_names *names, const char *text, size_t len);

/* The key stands for this text, which is of trace_names_text(), from now on. */
void trace_names_set(struct trace_names *names, const void *key, const char *text);
const char *trace_names_get(const struct trace_names *names, const void *key);

/* The same with the id of a thread as key. */
void trace_names_set_thread(struct trace_names *names, uint32_t tid, const char *text);
const char *trace_names_get_thread(const struct trace_names *names, uint32_t tid);

/* All keys are forgotten; texts stay. */
void trace_names_forget(struct trace_names *names);

void trace_names_free(struct trace_names *names);

#endif
