// SPDX-License-Identifier: MIT
/* report.c - see report.h: the memory of a report. */
#include "shim/tool/report.h"

#include "shim/hash.h"

#include <stdlib.h>
#include <string.h>

void report_open(struct report *r)
{
	memset(r, 0, sizeof(*r));
	r->command = "";
	r->max_stall_ns = UINT64_MAX;
}

static void free_run(struct report_run *run)
{
	free(run->processes);
	free(run->threads);
	free(run->waits);
	free(run->turns);
	free(run->stalls);
}

void report_free(struct report *r)
{
	for (size_t i = 0; i < r->nruns; i++)
		free_run(&r->runs[i]);
	for (size_t i = 0; i < r->texts_room; i++)
		free(r->texts[i]);
	free(r->runs);
	free(r->texts);
	memset(r, 0, sizeof(*r));
}

/* ---- texts: open addressing, at most half full ---- */

static char **place_of(char **texts, size_t room, const char *text)
{
	size_t at = hash_bytes(text, strlen(text), HASH_K0) & (room - 1);

	while (texts[at] && strcmp(texts[at], text) != 0)
		at = (at + 1) & (room - 1);
	return &texts[at];
}

static bool make_room(struct report *r)
{
	size_t room = r->texts_room ? r->texts_room * 2 : 256;
	char **texts;

	if (r->ntexts * 2 < r->texts_room)
		return true;
	texts = calloc(room, sizeof(*texts));
	if (texts == NULL)
		return false;
	for (size_t i = 0; i < r->texts_room; i++)
		if (r->texts[i])
			*place_of(texts, room, r->texts[i]) = r->texts[i];
	free(r->texts);
	r->texts = texts;
	r->texts_room = room;
	return true;
}

const char *report_text(struct report *r, const char *text)
{
	char **place;

	if (text == NULL || *text == '\0')
		return "";
	if (!make_room(r)) {
		r->no_memory = true;
		return "";
	}
	place = place_of(r->texts, r->texts_room, text);
	if (*place == NULL) {
		*place = strdup(text);
		if (*place == NULL) {
			r->no_memory = true;
			return "";
		}
		r->ntexts++;
	}
	return *place;
}

/* ---- lists: they double at each power of two ---- */

static void *add(struct report *r, void **items, size_t *n, size_t size)
{
	void *grown, *item;

	if ((*n & (*n - 1)) == 0) {
		grown = reallocarray(*items, *n ? *n * 2 : 1, size);
		if (grown == NULL) {
			r->no_memory = true;
			return NULL;
		}
		*items = grown;
	}
	item = (char *)*items + *n * size;
	memset(item, 0, size);
	(*n)++;
	return item;
}

struct report_run *report_run_add(struct report *r)
{
	struct report_run *run = add(r, (void **)&r->runs, &r->nruns, sizeof(*run));

	if (run)
		run->complaint = "";
	return run;
}

struct report_process *report_process_add(struct report *r, struct report_run *run)
{
	struct report_process *p =
		add(r, (void **)&run->processes, &run->nprocesses, sizeof(*run->processes));

	if (p)
		p->program = "";
	return p;
}

struct report_thread *report_thread_add(struct report *r, struct report_run *run)
{
	struct report_thread *t =
		add(r, (void **)&run->threads, &run->nthreads, sizeof(*run->threads));

	if (t)
		t->name = "";
	return t;
}

struct report_wait *report_wait_add(struct report *r, struct report_run *run)
{
	struct report_wait *w = add(r, (void **)&run->waits, &run->nwaits, sizeof(*run->waits));

	if (w) {
		w->name = w->detail = w->result = "";
		w->turn = REPORT_NONE;
	}
	return w;
}

struct report_turn *report_turn_add(struct report *r, struct report_run *run)
{
	struct report_turn *t = add(r, (void **)&run->turns, &run->nturns, sizeof(*run->turns));

	if (t)
		t->longest_wait = REPORT_NONE;
	return t;
}

const char *report_side_to_str(enum report_side side)
{
	return side == REPORT_WITH ? "with" : "without";
}

const char *report_kind_to_str(enum report_kind kind)
{
	return kind == REPORT_CONNECT ? "connect" : "lookup";
}
