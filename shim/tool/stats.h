// SPDX-License-Identifier: MIT
/*
 * stats.h - what programs have counted in the cache (counters.h, upstream_stats.h), read at one
 * moment, and shown in three ways. One thread.
 */
#ifndef NOBLOCKDNS_TOOL_STATS_H
#define NOBLOCKDNS_TOOL_STATS_H

#include "shim/counters.h"
#include "shim/tool/cache_open.h"
#include "shim/upstream_stats.h"

#include <stdio.h>

struct stats_server {
	char name[UPSTREAM_STATS_NAME * 4 + 1]; /* escaped */
	enum resolver_transport transport;
	uint64_t counts[UPSTREAM_COUNTS];
};

struct stats {
	uint64_t counters[COUNTERS];
	uint64_t took[UPSTREAM_STATS_BUCKETS + 1]; /* in each bucket, not up to it */
	uint64_t sum_ms;
	unsigned nservers;
	struct stats_server servers[UPSTREAM_STATS_SERVERS]; /* in the order of their names */
};

/* 0; -EIO: the file ends before them. */
int stats_read(const struct cache_found *found, struct stats *ret);

/* For a terminal. `before` and `seconds`: what it was, and how long ago, for rates; or NULL. */
void stats_print(FILE *out, const struct stats *stats, const struct stats *before, double seconds);

/* One object. `lines`: in a line. */
void stats_print_json(FILE *out, const struct stats *stats, bool lines);

/* Prometheus' text format, version 0.0.4. */
void stats_print_prometheus(FILE *out, const struct stats *stats);

#endif
