// SPDX-License-Identifier: MIT
/* cache_items.c - see cache_items.h. */
#include "shim/tool/cache_items.h"

#include "shim/failures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries are copied into chunks, since what they point to must not move. */
#define CHUNK ((size_t)256 << 10)

struct chunk {
	struct chunk *next;
	size_t used;
	_Alignas(ENTRY_ALIGN) unsigned char bytes[];
};

struct reading {
	struct cache_items *items;
	const struct cache_self *self;
	const struct cache_filter *filter;
};

/* ---- what is wanted ---- */

static bool has_suffix(const struct entry *entry, const struct name *suffix)
{
	size_t len = entry->name_len;

	if (suffix->len == 0)
		return true;
	if (len < suffix->len ||
	    memcmp(entry->name + len - suffix->len, suffix->text, suffix->len) != 0)
		return false;
	return len == suffix->len || entry->name[len - suffix->len - 1] == '.';
}

static bool has_view(const struct cache_self *self, uint64_t view, const char *wanted)
{
	char text[17];

	if (strcmp(wanted, "own") == 0)
		return view == self->settings->view;
	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)view);
	return strncmp(text, wanted, strlen(wanted)) == 0;
}

static bool is_wanted(const struct reading *r, const struct entry *entry)
{
	const struct cache_filter *f = r->filter;

	if (f->name != NULL && (entry->name_len != f->name->len ||
				memcmp(entry->name, f->name->text, f->name->len) != 0))
		return false;
	if (f->suffix != NULL && !has_suffix(entry, f->suffix))
		return false;
	return f->view == NULL || has_view(r->self, entry->view, f->view);
}

/* An entry under a name's own view holds no failure. */
static bool holds_failures(const struct entry *entry)
{
	bool any = false;

	for (int t = 0; t < ENTRY_NTYPES; t++) {
		if (entry->rr[t].kind != RESOLVER_NONE && entry->rr[t].kind != RESOLVER_FAILURE)
			return false;
		any |= entry->rr[t].kind == RESOLVER_FAILURE;
	}
	return any;
}

/* ---- collecting ---- */

static void *keep(struct cache_items *items, const void *blob, size_t size)
{
	struct chunk *chunk = items->memory;
	void *to;

	if (chunk == NULL || CHUNK - chunk->used < size) {
		chunk = malloc(sizeof(*chunk) + CHUNK);
		if (chunk == NULL)
			return NULL;
		*chunk = (struct chunk){.next = items->memory};
		items->memory = chunk;
	}
	to = chunk->bytes + chunk->used;
	chunk->used += (size + ENTRY_ALIGN - 1) / ENTRY_ALIGN * ENTRY_ALIGN;
	memcpy(to, blob, size);
	return to;
}

static int grow(struct cache_items *items)
{
	size_t room = items->room * 2 + 256;
	struct cache_kept *kept = reallocarray(items->kept, room, sizeof(*kept));

	if (kept == NULL)
		return -ENOMEM;
	items->kept = kept;
	items->room = room;
	return 0;
}

static int take(void *ctx, const struct cache_item *item)
{
	struct reading *r = ctx;
	struct cache_kept kept = {.entry = item->entry, .uses = item->uses};
	uint64_t view = kept.entry.view;
	void *blob;

	kept.failures = holds_failures(&kept.entry);
	if (kept.failures)
		kept.entry.view = view ^= FAILURES_VIEW;
	if (!is_wanted(r, &kept.entry))
		return 0;
	blob = keep(r->items, item->blob, item->blob_size);
	if (blob == NULL || (r->items->n == r->items->room && grow(r->items) < 0))
		return -ENOMEM;
	(void)entry_decode(blob, item->blob_size, &kept.entry); /* as before, but for where it is */
	kept.entry.view = view;
	if (view == r->self->settings->view)
		entry_cut(&kept.entry, r->self->since_ms);
	r->items->kept[r->items->n++] = kept;
	return 0;
}

static int compare_keys(const struct cache_kept *a, const struct cache_kept *b)
{
	size_t len = a->entry.name_len < b->entry.name_len ? a->entry.name_len : b->entry.name_len;
	int ret = memcmp(a->entry.name, b->entry.name, len);

	if (ret == 0)
		ret = (a->entry.name_len > b->entry.name_len) -
		      (a->entry.name_len < b->entry.name_len);
	if (ret == 0)
		ret = (a->entry.view > b->entry.view) - (a->entry.view < b->entry.view);
	return ret != 0 ? ret : (int)a->failures - (int)b->failures;
}

static uint64_t latest_ms(const struct cache_kept *kept)
{
	uint64_t a = kept->entry.rr[ENTRY_A].stored_ms, aaaa = kept->entry.rr[ENTRY_AAAA].stored_ms;

	return a > aaaa ? a : aaaa;
}

/* The newest first, of those with the same key. */
static int compare_for_reading(const void *left, const void *right)
{
	const struct cache_kept *a = left, *b = right;
	int ret = compare_keys(a, b);

	return ret != 0 ? ret : (latest_ms(a) < latest_ms(b)) - (latest_ms(a) > latest_ms(b));
}

/* Two writers at once may have left a name in two slots. */
static void drop_doubles(struct cache_items *items)
{
	size_t n = 0;

	for (size_t i = 0; i < items->n; i++)
		if (i == 0 || compare_keys(&items->kept[n - 1], &items->kept[i]) != 0)
			items->kept[n++] = items->kept[i];
	items->n = n;
}

int cache_items_read(const struct cache_found *found, const struct cache_self *self,
		     const struct cache_filter *filter, struct cache_items *ret)
{
	struct reading reading = {.items = ret, .self = self, .filter = filter};
	int err;

	memset(ret, 0, sizeof(*ret));
	err = cache_walk(found, take, &reading, &ret->count);
	if (ret->n > 0)
		qsort(ret->kept, ret->n, sizeof(*ret->kept), compare_for_reading);
	drop_doubles(ret);
	return err;
}

void cache_items_free(struct cache_items *items)
{
	struct chunk *next;

	for (struct chunk *chunk = items->memory; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(items->kept);
	memset(items, 0, sizeof(*items));
}

/* ---- the order ---- */

struct sorting {
	const struct cache_self *self;
	enum cache_sort by;
	bool reverse;
};

/* Seconds until the first of the RRsets expires, below 0 since it has. */
static int64_t least_ttl(const struct cache_self *self, const struct cache_kept *kept)
{
	int64_t least = INT64_MAX;

	for (int t = 0; t < ENTRY_NTYPES; t++) {
		const struct entry_rrset *rr = &kept->entry.rr[t];
		int64_t left = (int64_t)(rr->stored_ms + (uint64_t)rr->ttl_s * 1000) -
			       (int64_t)self->now_ms;

		if (cache_is_known(rr) && left < least)
			least = left;
	}
	return least;
}

static int compare_by(const struct sorting *s, const struct cache_kept *a,
		      const struct cache_kept *b)
{
	int64_t left, right;

	switch (s->by) {
	case CACHE_SORT_NAME:
		return 0;
	case CACHE_SORT_TTL:
		left = least_ttl(s->self, a);
		right = least_ttl(s->self, b);
		return (left > right) - (left < right);
	case CACHE_SORT_AGE:
		return (latest_ms(a) < latest_ms(b)) - (latest_ms(a) > latest_ms(b));
	case CACHE_SORT_USES:
		return (int)b->uses - (int)a->uses;
	}
	return 0;
}

static int compare(const void *left, const void *right, void *ctx)
{
	const struct sorting *s = ctx;
	int ret = compare_by(s, left, right);

	if (ret == 0)
		ret = compare_keys(left, right);
	return s->reverse ? -ret : ret;
}

void cache_items_sort(struct cache_items *items, const struct cache_self *self, enum cache_sort by,
		      bool reverse)
{
	struct sorting sorting = {self, by, reverse};

	if (items->n > 0 && (by != CACHE_SORT_NAME || reverse))
		qsort_r(items->kept, items->n, sizeof(*items->kept), compare, &sorting);
}

/* ---- of an RRset ---- */

const char *cache_age_to_str(enum cache_age age)
{
	switch (age) {
	case CACHE_FRESH:
		return "fresh";
	case CACHE_STALE:
		return "stale";
	case CACHE_EXPIRED:
		return "expired";
	case CACHE_FUTURE:
		return "future";
	}
	return "unknown";
}

enum cache_age cache_age_of(const struct cache_self *self, const struct cache_kept *kept,
			    const struct entry_rrset *rr, uint64_t *ret_s)
{
	uint64_t age_ms = self->now_ms - rr->stored_ms, ttl_ms = (uint64_t)rr->ttl_s * 1000;

	if (rr->stored_ms > self->now_ms) {
		*ret_s = (rr->stored_ms - self->now_ms) / 1000;
		return CACHE_FUTURE;
	}
	if (age_ms < ttl_ms) {
		*ret_s = (ttl_ms - age_ms + 999) / 1000;
		return CACHE_FRESH;
	}
	*ret_s = (age_ms - ttl_ms) / 1000;
	return rr->naddrs > 0 && !kept->failures && *ret_s < self->keep_s ? CACHE_STALE
									  : CACHE_EXPIRED;
}

bool cache_is_own(const struct cache_self *self, const struct cache_kept *kept)
{
	return kept->entry.view == self->settings->view;
}
