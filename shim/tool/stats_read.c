// SPDX-License-Identifier: MIT
/* stats_read.c - see stats.h. With pread(2), for the reasons of cache_walk.h. */
#include "shim/tool/stats.h"

#include "shim/cache_region.h"
#include "shim/tool/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As it stands in the file. */
struct raw_server {
	uint64_t key, transport;
	char name[UPSTREAM_STATS_NAME];
	uint64_t counts[UPSTREAM_COUNTS], srtt_ms;
};

struct raw {
	uint64_t took[UPSTREAM_STATS_BUCKETS + 1], sum_ms, spare[2];
	struct raw_server servers[UPSTREAM_STATS_SERVERS];
};

static_assert(sizeof(struct raw) == sizeof(struct upstream_stats), "the layout of the shared file");

static int compare(const void *left, const void *right)
{
	const struct stats_server *a = left, *b = right;
	int ret = strcmp(a->name, b->name);

	return ret != 0 ? ret : (int)a->transport - (int)b->transport;
}

/* One that was never asked is a place that was just taken, or damage. */
static void take_server(struct stats *stats, const struct raw_server *raw)
{
	struct stats_server *s = &stats->servers[stats->nservers];

	if (raw->key == 0 || raw->name[0] == '\0' || raw->transport >= RESOLVER_NTRANSPORTS)
		return;
	text_escape(raw->name, strnlen(raw->name, sizeof(raw->name)), s->name, sizeof(s->name));
	s->transport = (enum resolver_transport)raw->transport;
	memcpy(s->counts, raw->counts, sizeof(s->counts));
	stats->nservers++;
}

int stats_read(const struct cache_found *found, struct stats *ret)
{
	off_t at = (off_t)found->header.reserved_at;
	struct raw raw;
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	n = pread(found->fd, ret->counters, sizeof(ret->counters), at + CACHE_REGION_COUNTERS_AT);
	if (n != (ssize_t)sizeof(ret->counters))
		return -EIO;
	if (pread(found->fd, &raw, sizeof(raw), at + CACHE_PAGE) != (ssize_t)sizeof(raw))
		return -EIO;
	memcpy(ret->took, raw.took, sizeof(ret->took));
	ret->sum_ms = raw.sum_ms;
	for (unsigned i = 0; i < UPSTREAM_STATS_SERVERS; i++)
		take_server(ret, &raw.servers[i]);
	qsort(ret->servers, ret->nservers, sizeof(ret->servers[0]), compare);
	return 0;
}
