// SPDX-License-Identifier: MIT
/*
 * cache_flush.c - `noblockdns cache flush`: takes entries out one by one, as a writer among others
 * (cache_remove()), so that a reader finds an entry or none, and never half of one. What a program
 * stores meanwhile may stay.
 */
#include "shim/clock.h"
#include "shim/failures.h"
#include "shim/tool/cache_verbs.h"
#include "shim/tool/json.h"
#include "shim/tool/say.h"
#include "shim/tool/verb.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* A writer has its slot for less than a microsecond; one that died, for SLOT_STALE_MS. */
#define BUSY_TRIES 30
#define BUSY_US	   5000

static int forget(const struct cache_job *job, const struct cache_kept *kept)
{
	uint64_t view = kept->entry.view ^ (kept->failures ? FAILURES_VIEW : 0);
	const char *name = kept->entry.name;
	size_t len = kept->entry.name_len;
	struct cache *cache = job->found.cache;
	uint64_t hash = cache_hash(cache, view, name, len);
	int err = -EBUSY;

	for (int i = 0; i < BUSY_TRIES && err == -EBUSY; i++) {
		if (i > 0)
			(void)usleep(BUSY_US);
		err = cache_remove(cache, hash, view, name, len, clock_boot_ms());
	}
	return err;
}

static void report(const struct cache_job *job, unsigned long long gone, unsigned long long busy)
{
	struct json j;

	if (busy > 0)
		say("cache flush: %llu entries are being written, and stay", busy);
	if (!job->json) {
		(void)printf("%llu entr%s forgotten\n", gone, gone == 1 ? "y" : "ies");
		return;
	}
	json_open(&j, stdout);
	json_object(&j, NULL);
	json_uint(&j, "forgotten", gone);
	json_uint(&j, "busy", busy);
	json_end(&j);
}

int cache_flush(const struct cache_job *job)
{
	unsigned long long gone = 0, busy = 0;
	struct cache_items items;
	int status;

	if (job->found.cache == NULL)
		return say_trouble("cache flush: %s is left alone: the next program makes a new "
				   "one in its place, or uses none",
				   job->found.path);
	status = cache_job_read(job, &items);
	if (status >= 0)
		return status;
	for (size_t i = 0; i < items.n; i++) {
		int err = forget(job, &items.kept[i]);

		gone += err == 0;
		busy += err == -EBUSY;
	}
	cache_items_free(&items);
	report(job, gone, busy);
	if (busy > 0)
		return TOOL_TROUBLE;
	return gone == 0 && job->filter.name != NULL ? TOOL_FINDING : TOOL_FINE;
}
