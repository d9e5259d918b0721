// SPDX-License-Identifier: MIT
/*
 * fetch_job.c - questions in flight, on the io thread.
 *
 * A job is one name of one view that the resolver is working on, with the fetches that wait for it.
 * It belongs to the io thread alone, so it needs no lock. It lives until its last query is
 * answered, also when every asker has gone: the answer still belongs into the cache. A job that has
 * taken as long as a call may is overdue: who waits is told, and whoever comes begins a new one.
 * How it ends stands in fetch_end.c.
 */
#include "shim/fetch_job_internal.h"

#include "shim/clock.h"
#include "shim/failures.h"
#include "shim/fetch_cache.h"
#include "shim/fetch_guard.h"
#include "shim/hash.h"
#include "shim/resolver_host.h"
#include "shim/settings.h"
#include "shim/siblings_lookup.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 256

/* For so long after a call's deadline its questions go on: who tries again finds the answer, in the
 * cache. Without one nobody does. */
#define LATE_MS FAILURES_LATE_MS

/* The verdict that a job is overdue comes before the deadline of the call that began it. */
#define VERDICT_MS 10

static struct job *jobs[BUCKETS]; /* lists, by job_bucket(); io thread only */
static _Atomic uint64_t heard_ms; /* of a server; written by the io thread */

static const enum resolver_type wire_types[ENTRY_NTYPES] = {RESOLVER_A, RESOLVER_AAAA};

static struct job **job_bucket(const struct fetch *f)
{
	return &jobs[hash_bytes(f->name.text, f->name.len, f->view) % BUCKETS];
}

void job_free(struct job *job)
{
	for (struct job **link = job_bucket(job->first); *link != NULL; link = &(*link)->next)
		if (*link == job) {
			*link = job->next;
			break;
		}
	io_timer_stop(&job->delay);
	io_timer_stop(&job->overdue);
	for (int t = 0; t < ENTRY_NTYPES; t++)
		fetch_kept_free(&job->kept[t]);
	resolver_host_put_view(job->view);
	fetch_cache_release(&job->lease, job_is_answered(job));
	fetch_unref(job->first);
	free(job);
}

/* What somebody has gone without: a race that has begun may need it. */
static void tell_late(struct job *job, int type, uint64_t now_ms)
{
	struct entry_rrset rr;

	fetch_kept_describe(&job->kept[type], &rr);
	siblings_take_late(job->first->key, type, &rr, now_ms);
}

static void note_heard(const struct resolver_rrset *rrset, uint64_t now_ms)
{
	if (rrset->kind != RESOLVER_FAILURE || failures_is_said(rrset->failure))
		atomic_store_explicit(&heard_ms, now_ms, memory_order_relaxed);
}

uint64_t fetch_heard_ms(void)
{
	return atomic_load_explicit(&heard_ms, memory_order_relaxed);
}

static void ask(struct job *job, uint64_t now_ms);

static void on_answer(struct job *job, int type, const struct resolver_rrset *rrset)
{
	uint64_t now_ms = clock_boot_ms();

	note_heard(rrset, now_ms);
	fetch_kept_take(&job->kept[type], job->first, type, rrset, now_ms);
	job->known |= 1u << type;
	if (job->partial)
		tell_late(job, type, now_ms);
	ask(job, now_ms);
	if (job_has_addresses(job) && !job->delay_over && job->delay.place == 0 &&
	    io_timer_start(&job->delay, now_ms + job->first->delay_ms) < 0)
		job->delay_over = true;
	job_settle(job, now_ms);
}

static void on_answer_a(void *arg, const struct resolver_rrset *rrset)
{
	on_answer(arg, ENTRY_A, rrset);
}

static void on_answer_aaaa(void *arg, const struct resolver_rrset *rrset)
{
	on_answer(arg, ENTRY_AAAA, rrset);
}

/* When the one who asked last waits no longer, whatever there is. Who does not sleep has time. */
static uint64_t given_up_ms(const struct job *job, uint64_t now_ms)
{
	const struct fetch *f = job->waiting != NULL ? job->waiting : job->first;

	return f->done == NULL ? f->deadline_ms : now_ms + f->query_ms;
}

/* Asks what is wanted and was not asked yet; under single-request one after the other. */
static void ask(struct job *job, uint64_t now_ms)
{
	static void (*const done[ENTRY_NTYPES])(void *, const struct resolver_rrset *) = {
		on_answer_a, on_answer_aaaa};
	uint32_t query_ms = job->first->query_ms;
	uint64_t late_ms = query_ms > 0 && job->first->has_cache ? LATE_MS : 0;

	for (int t = 0; t < ENTRY_NTYPES; t++) {
		struct resolver_question question = {
			.name = job->first->spelling,
			.type = wire_types[t],
			.deadline_ms = now_ms + query_ms + late_ms, /* now: nobody is asked */
			.given_up_ms = given_up_ms(job, now_ms),
			.done = done[t],
			.arg = job,
		};

		if (!(job->wanted & 1u << t) || (job->asked & 1u << t))
			continue;
		if (job->first->one_at_a_time && job->asked != job->known)
			return;
		job->asked |= 1u << t;
		if (resolver_host_query(job->view, &question, now_ms) == 0)
			continue;
		fetch_kept_refuse(&job->kept[t], now_ms);
		job->known |= 1u << t;
	}
}

static struct job *find_job(const struct fetch *f)
{
	for (struct job *job = *job_bucket(f); job != NULL; job = job->next)
		if (!job->late && job->first->view == f->view &&
		    job->first->name.len == f->name.len &&
		    memcmp(job->first->name.text, f->name.text, f->name.len) == 0)
			return job;
	return NULL;
}

static struct job *new_job(struct fetch *f)
{
	struct job *job = calloc(1, sizeof *job);

	if (job == NULL)
		return NULL;
	if (resolver_host_get_view(f->view, &f->upstreams, &job->view) < 0) {
		free(job);
		return NULL;
	}
	job->delay = (struct io_timer){.fire = job_on_delay, .arg = job};
	job->overdue = (struct io_timer){.fire = job_on_overdue, .arg = job, .pressing = true};
	job->first = f;
	atomic_fetch_add(&f->refs, 1);
	job->next = *job_bucket(f);
	*job_bucket(f) = job;
	return job;
}

/* The lease of the last who asked; one that it had before has ended by itself. */
static void take_lease(struct job *job, const struct fetch *f)
{
	if (f->lease.key != 0)
		job->lease = f->lease;
}

/* The job of the name, if need be a new one; NULL: the fetch is over. */
static struct job *join(struct fetch *f, uint64_t now_ms)
{
	struct job *job = find_job(f);
	struct blob *blob;

	if (job != NULL) {
		take_lease(job, f);
		return job;
	}
	blob = f->refresh ? NULL : fetch_cache_find(f, now_ms);
	if (blob == NULL)
		job = new_job(f);
	if (job == NULL) {
		fetch_cache_release(&f->lease, blob != NULL);
		job_finish_fetch(f, blob, now_ms);
	} else {
		take_lease(job, f);
	}
	blob_release(blob);
	return job;
}

/* A job may last for the sake of one type, while what it knows of the other has expired: that is
 * asked again. For a second it serves whoever joins, whatever its TTL. */
static void forget_expired(struct job *job, uint64_t now_ms)
{
	for (int t = 0; t < ENTRY_NTYPES; t++) {
		struct fetch_kept *kept = &job->kept[t];
		uint32_t ttl_s = kept->rrset.ttl_s > 0 ? kept->rrset.ttl_s : 1;

		if (!(job->known & 1u << t) || now_ms - kept->stored_ms < (uint64_t)ttl_s * 1000)
			continue;
		fetch_kept_free(kept);
		*kept = (struct fetch_kept){.stored_ms = 0};
		job->asked &= ~(1u << t);
		job->known &= ~(1u << t);
		job->stored &= ~(1u << t);
	}
}

void fetch_job_run(struct io_task *task, uint64_t now_ms)
{
	struct fetch *f = (struct fetch *)task;
	struct job *job = join(f, now_ms);
	bool is_new;

	if (job == NULL)
		return;
	is_new = job->wanted == 0;
	f->begun_ms = now_ms;
	forget_expired(job, now_ms);
	f->next_waiting = job->waiting;
	job->waiting = f;
	f->job = job;
	f->at_deadline = (struct io_timer){.fire = job_on_deadline, .arg = f, .pressing = true};
	/* Without memory for the timer the asker's own patience must do (FETCH_GRACE_MS). */
	(void)io_timer_start(&f->at_deadline, f->deadline_ms + VERDICT_MS);
	job->wanted |= f->types;
	if (is_new && f->query_ms > 0)
		(void)io_timer_start(&job->overdue, now_ms + f->query_ms);
	ask(job, now_ms);
	if (is_new)
		fetch_cache_prepare(f, now_ms);
	job_settle(job, now_ms);
}

void fetch_job_reset(void)
{
	memset(jobs, 0, sizeof jobs);
	fetch_guard_reset();
}
