// SPDX-License-Identifier: MIT
/*
 * cache_walk.c - see cache_walk.h.
 *
 *	1. the tags of a class, at once
 *	2. of each set that has any, the slots from the first to the last that has one
 *	3. a slot that does not hold is read again, up to READ_TRIES times
 */
#include "shim/tool/cache_walk.h"

#include "shim/cache_internal.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_TRIES 4

struct walk {
	const struct cache_found *found;
	int (*each)(void *ctx, const struct cache_item *item);
	void *ctx;
	struct cache_walk_count *count;
	const struct cache_class *class;
	enum cache_class_id class_id;
	unsigned char *set; /* owns; room for the slots of one set */
};

enum found_slot { SLOT_ENTRY, SLOT_STRAY, SLOT_DAMAGED };

/* As much as there is. */
static size_t read_at(const struct walk *w, void *buf, size_t len, uint64_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(w->found->fd, (char *)buf + done, len - done, (off_t)(at + done));

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/* Would a reader look for it here? Without the seed nobody can tell. */
static bool is_in_place(const struct walk *w, const struct entry *entry, uint32_t set)
{
	uint64_t hash;

	if (w->found->cache == NULL)
		return true;
	hash = cache_hash(w->found->cache, entry->view, entry->name, entry->name_len);
	return set == hash_set(w->class, hash, 0) || set == hash_set(w->class, hash, 1);
}

static enum found_slot look(const struct walk *w, const unsigned char *slot, uint32_t set,
			    struct cache_item *ret)
{
	const unsigned char *blob = slot + sizeof(struct cache_slot);
	uint32_t stamp, size;

	memcpy(&stamp, slot + offsetof(struct cache_slot, stamp), sizeof(stamp));
	memcpy(&size, blob + ENTRY_SIZE_AT, sizeof(size));
	if (size > slot_capacity(w->class) || entry_decode(blob, size, &ret->entry) < 0)
		return SLOT_DAMAGED;
	ret->blob = blob;
	ret->blob_size = size;
	ret->class = w->class_id;
	ret->uses = stamp & SLOT_HITS;
	return is_in_place(w, &ret->entry, set) ? SLOT_ENTRY : SLOT_STRAY;
}

static uint64_t slot_position(const struct walk *w, uint32_t set, unsigned way)
{
	return w->class->slots_at + ((uint64_t)set * w->class->ways + way) * w->class->slot_size;
}

/* `slot` has been read once, as far as the file goes. */
static int visit(struct walk *w, unsigned char *slot, size_t len, uint32_t set, unsigned way)
{
	struct cache_item item = {.blob = NULL};
	enum found_slot is = SLOT_DAMAGED;

	for (int i = 0; i < READ_TRIES && len == w->class->slot_size; i++) {
		if (i > 0) {
			(void)sched_yield();
			len = read_at(w, slot, len, slot_position(w, set, way));
		}
		is = len == w->class->slot_size ? look(w, slot, set, &item) : SLOT_DAMAGED;
		if (is == SLOT_ENTRY) {
			w->count->filled[w->class_id]++;
			return w->each(w->ctx, &item);
		}
	}
	if (is == SLOT_STRAY)
		w->count->strays++;
	else
		w->count->damaged++;
	return 0;
}

static int visit_set(struct walk *w, const struct cache_set *tags, uint32_t set)
{
	unsigned first = w->class->ways, last = 0;
	size_t got, slot_size = w->class->slot_size;
	int err = 0;

	for (unsigned way = 0; way < w->class->ways; way++)
		if (set_tag(tags, way) != 0) {
			first = way < first ? way : first;
			last = way;
		}
	if (first > last)
		return 0;
	got = read_at(w, w->set, (last - first + 1) * slot_size, slot_position(w, set, first));
	for (unsigned way = first; way <= last && err == 0; way++) {
		size_t at = (way - first) * slot_size;
		size_t len = got <= at ? 0 : got - at < slot_size ? got - at : slot_size;

		if (set_tag(tags, way) != 0)
			err = visit(w, w->set + at, len, set, way);
	}
	return err;
}

static int visit_class(struct walk *w)
{
	size_t size = w->class->nsets * sizeof(struct cache_set), got;
	struct cache_set *tags = malloc(size);
	int err = tags == NULL ? -ENOMEM : 0;

	w->set = malloc((size_t)w->class->ways * w->class->slot_size);
	if (tags != NULL && w->set != NULL) {
		got = read_at(w, tags, size, w->class->tags_at) / sizeof(*tags);
		w->count->ways[w->class_id] = (uint64_t)w->class->nsets * w->class->ways;
		w->count->lost += w->class->nsets - got;
		for (uint32_t set = 0; set < got && err == 0; set++)
			err = visit_set(w, &tags[set], set);
	} else {
		err = -ENOMEM;
	}
	free(w->set);
	free(tags);
	return err;
}

int cache_walk(const struct cache_found *found,
	       int (*each)(void *ctx, const struct cache_item *item), void *ctx,
	       struct cache_walk_count *ret)
{
	struct walk w = {.found = found, .each = each, .ctx = ctx, .count = ret};
	int err = 0;

	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < CACHE_NCLASSES && err == 0; i++) {
		w.class = &found->header.classes[i];
		w.class_id = (enum cache_class_id)i;
		err = visit_class(&w);
	}
	return err;
}
