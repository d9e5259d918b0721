// SPDX-License-Identifier: MIT
/*
 * cache_stat.c - `noblockdns cache stat`: how full the cache is, and whose entries they are.
 */
#include "shim/cache_region.h"
#include "shim/history_slot.h"
#include "shim/lease.h"
#include "shim/tool/cache_json.h"
#include "shim/tool/cache_verbs.h"
#include "shim/tool/say.h"
#include "shim/tool/table.h"
#include "shim/tool/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct view_count {
	uint64_t view;
	unsigned long long names, failures;
};

struct tally {
	unsigned long long names, failures, rrsets[CACHE_FUTURE + 1];
	struct view_count *views; /* owns; [nviews] */
	size_t nviews;
	unsigned leases;    /* questions in flight */
	unsigned addresses; /* addresses and prefixes of which outcomes of connects are kept */
};

static const char *const class_names[CACHE_NCLASSES] = {"tiny", "small", "medium", "large"};

/* Entries are sorted by name: views come in any order, but they are few. */
static int count_view(struct tally *t, const struct cache_kept *kept)
{
	struct view_count *views;
	size_t i = 0;

	while (i < t->nviews && t->views[i].view != kept->entry.view)
		i++;
	if (i == t->nviews) {
		views = reallocarray(t->views, i + 1, sizeof(*views));
		if (views == NULL)
			return -ENOMEM;
		t->views = views;
		t->views[t->nviews++] = (struct view_count){.view = kept->entry.view};
	}
	t->views[i].names += !kept->failures;
	t->views[i].failures += kept->failures;
	return 0;
}

static int count_items(struct tally *t, const struct cache_job *job,
		       const struct cache_items *items)
{
	int err = 0;

	for (size_t i = 0; i < items->n && err == 0; i++) {
		const struct cache_kept *kept = &items->kept[i];
		uint64_t s;

		t->names += !kept->failures;
		t->failures += kept->failures;
		for (int type = 0; type < ENTRY_NTYPES; type++)
			if (!kept->failures && cache_is_known(&kept->entry.rr[type]))
				t->rrsets[cache_age_of(&job->self, kept, &kept->entry.rr[type],
						       &s)]++;
		err = count_view(t, kept);
	}
	return err;
}

/* Pages of the region that nobody has written to are left alone. */
static void count_region(struct tally *t, const struct cache_job *job)
{
	struct cache *cache = job->found.cache;
	size_t at, len;

	at = cache_region_leases_at(cache);
	len = cache_region_leases_len(cache);
	for (size_t page = 0; page < len; page += CACHE_PAGE) {
		const struct lease_place *place = cache_region_find(cache, at + page);

		for (size_t i = 0; place != NULL && i < CACHE_PAGE / sizeof(*place); i++)
			t->leases +=
				lease_left_ms(atomic_load(&place[i].who), job->self.now_ms) > 0;
	}
	at = cache_region_history_at(cache);
	len = cache_region_history_len(cache);
	for (size_t page = 0; page < len; page += CACHE_PAGE) {
		const struct history_slot *slot = cache_region_find(cache, at + page);

		for (size_t i = 0; slot != NULL && i < CACHE_PAGE / sizeof(*slot); i++)
			t->addresses += history_load(&slot[i].key) != 0;
	}
}

/* ---- text ---- */

static void print_classes(const struct cache_job *job, const struct cache_walk_count *count)
{
	static const struct table_column columns[] = {{"SLOTS", TABLE_LEFT},
						      {"BYTES", TABLE_RIGHT},
						      {"ALL", TABLE_RIGHT},
						      {"FILLED", TABLE_RIGHT}};
	struct table t;

	table_open(&t, 4, columns);
	for (int i = 0; i < CACHE_NCLASSES; i++) {
		table_cell(&t, "%s", class_names[i]);
		table_cell(&t, "%u", job->found.header.classes[i].slot_size);
		table_cell(&t, "%llu", count->ways[i]);
		table_cell(&t, "%llu", count->filled[i]);
	}
	table_write(&t, stdout);
	table_free(&t);
}

static void print_views(const struct cache_job *job, const struct tally *tally)
{
	static const struct table_column columns[] = {
		{"VIEW", TABLE_LEFT}, {"NAMES", TABLE_RIGHT}, {"FAILURES", TABLE_RIGHT}};
	struct table t;

	table_open(&t, 3, columns);
	for (size_t i = 0; i < tally->nviews; i++) {
		const struct view_count *v = &tally->views[i];

		table_cell(&t, "%s%s", cache_view_text(v->view).text,
			   v->view == job->self.settings->view ? "*" : "");
		table_cell(&t, "%llu", v->names);
		table_cell(&t, "%llu", v->failures);
	}
	if (tally->nviews > 0) {
		(void)putchar('\n');
		table_write(&t, stdout);
	}
	table_free(&t);
}

static void print(const struct cache_job *job, const struct cache_walk_count *count,
		  const struct tally *t)
{
	(void)printf("%s: %llu KB, of which %llu KB are in use\n", job->found.path,
		     (unsigned long long)job->found.size / 1024,
		     (unsigned long long)job->found.in_use / 1024);
	(void)printf("%llu names; of their record sets %llu are fresh, %llu stale, %llu expired\n",
		     t->names, t->rrsets[CACHE_FRESH], t->rrsets[CACHE_STALE],
		     t->rrsets[CACHE_EXPIRED]);
	(void)printf("%llu names that had no answer, %u questions in flight\n", t->failures,
		     t->leases);
	(void)printf("outcomes of connects to %u addresses and prefixes\n", t->addresses);
	if (count->damaged + count->strays + count->lost > 0)
		(void)printf("%llu entries are damaged, %llu misplaced, %llu sets missing\n",
			     count->damaged, count->strays, count->lost);
	(void)putchar('\n');
	print_classes(job, count);
	print_views(job, t);
}

/* ---- JSON ---- */

static void put_classes(struct json *j, const struct cache_job *job,
			const struct cache_walk_count *count)
{
	json_array(j, "slots");
	for (int i = 0; i < CACHE_NCLASSES; i++) {
		json_object(j, NULL);
		json_text(j, "class", class_names[i]);
		json_uint(j, "bytes", job->found.header.classes[i].slot_size);
		json_uint(j, "all", count->ways[i]);
		json_uint(j, "filled", count->filled[i]);
		json_end(j);
	}
	json_end(j);
}

static void put_views(struct json *j, const struct cache_job *job, const struct tally *t)
{
	json_array(j, "views");
	for (size_t i = 0; i < t->nviews; i++) {
		json_object(j, NULL);
		json_text(j, "view", cache_view_text(t->views[i].view).text);
		json_bool(j, "own", t->views[i].view == job->self.settings->view);
		json_uint(j, "names", t->views[i].names);
		json_uint(j, "failures", t->views[i].failures);
		json_end(j);
	}
	json_end(j);
}

static void print_json(const struct cache_job *job, const struct cache_walk_count *count,
		       const struct tally *t)
{
	struct json j;

	json_open(&j, stdout);
	json_object(&j, NULL);
	json_text(&j, "file", job->found.path);
	json_text(&j, "header", cache_verdict_to_str(job->found.verdict));
	json_uint(&j, "bytes", job->found.size);
	json_uint(&j, "bytes_in_use", job->found.in_use);
	json_uint(&j, "names", t->names);
	json_uint(&j, "failures", t->failures);
	json_uint(&j, "fresh", t->rrsets[CACHE_FRESH]);
	json_uint(&j, "stale", t->rrsets[CACHE_STALE]);
	json_uint(&j, "expired", t->rrsets[CACHE_EXPIRED] + t->rrsets[CACHE_FUTURE]);
	json_uint(&j, "damaged", count->damaged);
	json_uint(&j, "misplaced", count->strays);
	json_uint(&j, "missing_sets", count->lost);
	json_uint(&j, "in_flight", t->leases);
	json_uint(&j, "addresses", t->addresses);
	put_classes(&j, job, count);
	put_views(&j, job, t);
	json_end(&j);
}

int cache_stat(const struct cache_job *job)
{
	struct tally tally = {.names = 0};
	struct cache_items items;
	int status = cache_job_read(job, &items);

	if (status >= 0)
		return status;
	status = TOOL_FINE;
	if (count_items(&tally, job, &items) < 0)
		status = say_trouble("cache: no memory for all of it");
	if (job->found.cache != NULL)
		count_region(&tally, job);
	if (job->json)
		print_json(job, &items.count, &tally);
	else
		print(job, &items.count, &tally);
	free(tally.views);
	cache_items_free(&items);
	return status;
}
