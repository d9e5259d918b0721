// SPDX-License-Identifier: MIT
/*
 * fetch_end.c - how questions end: the answer goes into the cache, and to those who wait for it. On
 * the io thread.
 *
 * A job ends no fetch before the fetch is satisfied: all its types are known, or one has addresses
 * and the resolution delay since then is over.
 */
#include "shim/fetch_job_internal.h"

#include "shim/fetch_cache.h"
#include "shim/sys.h"

static struct blob *job_blob(const struct job *job)
{
	struct entry entry = {.view = job->first->view,
			      .name = job->first->name.text,
			      .name_len = job->first->name.len};

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (job->known & 1u << t)
			fetch_kept_describe(&job->kept[t], &entry.rr[t]);
	return blob_encode(&entry);
}

/* Did a server say what there is, of one type at least? */
bool job_is_answered(const struct job *job)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((job->known & 1u << t) && job->kept[t].rrset.kind != RESOLVER_FAILURE)
			return true;
	return false;
}

/* Before any asker is told: a program may be over with its answer, and a lease that it left behind
 * would say that the question never had one. */
static void tell_others(struct job *job, uint64_t now_ms)
{
	if (job->wanted == job->known) {
		fetch_cache_release(&job->lease, job_is_answered(job));
		job->lease = (struct lease){.key = 0};
	} else {
		fetch_cache_notify(&job->lease, job_is_answered(job) ? now_ms : 0);
	}
}

/* Puts the RRsets that are new into the cache. */
static void store(struct job *job, uint64_t now_ms)
{
	unsigned fresh = job->known & ~job->stored;
	struct entry_rrset rrs[ENTRY_NTYPES] = {0};

	if (fresh == 0)
		return;
	job->stored |= fresh;
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((fresh & 1u << t) &&
		    !(job->late && job->kept[t].rrset.kind == RESOLVER_FAILURE))
			fetch_kept_describe(&job->kept[t], &rrs[t]);
	fetch_cache_store(job->first, rrs, now_ms);
	tell_others(job, now_ms);
}

bool job_has_addresses(const struct job *job)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((job->known & 1u << t) && job->kept[t].rrset.naddrs > 0)
			return true;
	return false;
}

static bool satisfied(const struct job *job, const struct fetch *f)
{
	if ((job->known & f->types) == f->types)
		return true;
	return job->delay_over && (job->known & f->types) != 0 && job_has_addresses(job);
}

void job_finish_fetch(struct fetch *f, struct blob *blob, uint64_t now_ms)
{
	uint32_t waiting = FETCH_WAITING;

	if (f->job != NULL && (f->types & ~f->job->known) != 0 && job_has_addresses(f->job))
		f->job->partial = f->race;
	io_timer_stop(&f->at_deadline);
	f->blob = blob_retain(blob);
	if (atomic_compare_exchange_strong(&f->state, &waiting, FETCH_DONE)) {
		if (f->done != NULL)
			f->done(f->arg, blob, now_ms);
		else
			sys_futex_wake(&f->state, 1, false);
	}
	fetch_unref(f);
}

/* Whoever is told of an answer finds it in the cache. A program may be over before this thread gets
 * another chance to store it. */
static void finish_satisfied(struct job *job, uint64_t now_ms)
{
	struct blob *blob = NULL;

	for (struct fetch **link = &job->waiting; *link != NULL;) {
		struct fetch *f = *link;

		if (!satisfied(job, f)) {
			link = &f->next_waiting;
			continue;
		}
		*link = f->next_waiting;
		if (blob == NULL) {
			store(job, now_ms);
			blob = job_blob(job);
		}
		job_finish_fetch(f, blob, now_ms);
	}
	blob_release(blob);
}

void job_on_delay(void *arg, uint64_t now_ms)
{
	struct job *job = arg;

	job->delay_over = true;
	finish_satisfied(job, now_ms);
}

/* The asker can wait no longer: it gets what is known. */
void job_on_deadline(void *arg, uint64_t now_ms)
{
	struct fetch *f = arg;
	struct fetch **link = &f->job->waiting;
	struct blob *blob = job_blob(f->job);

	while (*link != f)
		link = &(*link)->next_waiting;
	*link = f->next_waiting;
	job_finish_fetch(f, blob, now_ms);
	blob_release(blob);
}

/* The failure is remembered, and who waits is told. The question goes on, for the cache's sake. */
void job_on_overdue(void *arg, uint64_t now_ms)
{
	const struct entry_rrset failed = {.kind = RESOLVER_FAILURE, .failure = RESOLVER_TIMEOUT};
	struct entry_rrset rrs[ENTRY_NTYPES] = {0};
	struct job *job = arg;
	struct blob *blob = job_blob(job);
	struct fetch *f;

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((job->wanted & ~job->known) & 1u << t)
			rrs[t] = failed;
	fetch_cache_store(job->first, rrs, now_ms);
	fetch_cache_release(&job->lease, job_is_answered(job));
	job->lease = (struct lease){.key = 0};
	job->late = true;
	while ((f = job->waiting) != NULL) {
		job->waiting = f->next_waiting;
		job_finish_fetch(f, blob, now_ms);
	}
	blob_release(blob);
}

/* After each change: who has what it wants, and whether the job is over. Frees it then. */
void job_settle(struct job *job, uint64_t now_ms)
{
	finish_satisfied(job, now_ms);
	if (job->wanted != job->known)
		return;
	store(job, now_ms);
	job_free(job);
}
