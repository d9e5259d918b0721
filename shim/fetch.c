// SPDX-License-Identifier: MIT
/* fetch.c - the asker's side of fetch.h: put the question, wait for the answer, or leave. */
#include "shim/fetch.h"

#include "shim/cancel.h"
#include "shim/clock.h"
#include "shim/fetch_job.h"
#include "shim/process.h"
#include "shim/resolver_host.h"
#include "shim/settings.h"
#include "shim/siblings_lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A fork between the look at the process and the sleep is noticed after this time; any other one at
 * once, since the handler ends the sleep. */
#define RECHECK_MS 1000

void fetch_unref(struct fetch *f)
{
	if (atomic_fetch_sub(&f->refs, 1) != 1)
		return;
	blob_release(f->blob);
	free(f);
}

static bool is_over(const struct io_task *task)
{
	return atomic_load(&((const struct fetch *)task)->state) != FETCH_WAITING;
}

int fetch_start(const struct settings *settings, const struct fetch_question *question,
		struct fetch **ret)
{
	size_t len = strlen(question->spelling);
	struct fetch *f;
	int r;

	if (len >= sizeof f->spelling)
		return -ENAMETOOLONG;
	r = resolver_host_open(!question->background);
	if (r < 0)
		return r;
	resolver_host_guard_forks(&settings->upstreams);
	f = malloc(sizeof *f);
	if (f == NULL)
		return -ENOMEM;
	*f = (struct fetch){
		.task.run = fetch_job_run,
		.refs = 2,
		.state = FETCH_WAITING,
		.done = question->done,
		.arg = question->arg,
		.deadline_ms = question->deadline_ms,
		.types = question->types,
		.refresh = question->refresh,
		.name = *question->name,
		.view = settings->view,
		.key = siblings_key(settings, question->name),
		.race = settings->config->race,
		.upstreams = settings->upstreams,
		.query_ms = settings->deadline_ms,
		.has_cache = settings->cache != NULL,
		.delay_ms = settings->config->resolution_delay_ms,
		.min_ttl_s = settings->config->min_ttl_s,
		.max_ttl_s = settings->config->max_ttl_s,
		.guarded = settings->config->rebind_guard,
		.rebind_allow = settings->config->rebind_allow,
		.one_at_a_time =
			settings->resolv.single_request || settings->resolv.single_request_reopen,
	};
	if (question->lease != NULL)
		f->lease = *question->lease;
	memcpy(f->spelling, question->spelling, len + 1);
	r = question->done == NULL ? io_run(&f->task, is_over) : io_submit(&f->task);
	if (r < 0) {
		free(f);
		return r;
	}
	*ret = f;
	return 0;
}

/* Leaves, unless the answer has come at this very moment. */
static bool leave(struct fetch *f)
{
	uint32_t waiting = FETCH_WAITING;

	if (!atomic_compare_exchange_strong(&f->state, &waiting, FETCH_ABANDONED))
		return false;
	fetch_unref(f);
	return true;
}

/* How long to sleep now; 0: no more. A handler of this thread may fork: the child has no io thread,
 * and nobody to wake it. */
static uint64_t patience_ms(const struct fetch *f, uint64_t until_ms)
{
	uint64_t end_ms = f->deadline_ms + FETCH_GRACE_MS, now_ms = clock_boot_ms();

	if (until_ms < f->deadline_ms)
		end_ms = until_ms;
	if (now_ms >= end_ms || !process_is_clean())
		return 0;
	return end_ms - now_ms < RECHECK_MS ? end_ms - now_ms : RECHECK_MS;
}

struct blob *fetch_wait(struct fetch *f, uint64_t until_ms)
{
	struct blob *blob;

	while (atomic_load(&f->state) == FETCH_WAITING) {
		uint64_t left_ms = patience_ms(f, until_ms);
		struct timespec timeout = {.tv_sec = (time_t)(left_ms / 1000),
					   .tv_nsec = (long)(left_ms % 1000) * 1000000};

		if (left_ms > 0)
			cancel_futex_wait(&f->state, FETCH_WAITING, &timeout);
		else if (leave(f))
			return NULL;
	}
	blob = blob_retain(f->blob);
	fetch_unref(f);
	return blob;
}

void fetch_abandon(struct fetch *f)
{
	if (!leave(f))
		fetch_unref(f);
}

void fetch_reset(void)
{
	fetch_job_reset();
	resolver_host_reset();
}
