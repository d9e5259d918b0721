// SPDX-License-Identifier: MIT
/*
 * report_group.c - see report_stats.h: waits by name and by program. Keys are texts of the report,
 * so equal ones are the same pointer: all waits are listed with their keys, sorted, and summed up.
 */
#include "shim/tool/report_stats.h"

#include <stdlib.h>
#include <string.h>

struct member {
	const char *key;
	const struct report_wait *wait; /* NULL: a process */
	enum report_side side;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static uint64_t blocked(const struct report_group *g, enum report_side side)
{
	return g->blocked_ns[side][REPORT_LOOKUP] + g->blocked_ns[side][REPORT_CONNECT];
}

static int compare_groups(const void *a, const void *b)
{
	const struct report_group *x = a, *y = b;
	uint64_t of_x = blocked(x, REPORT_WITHOUT) + blocked(x, REPORT_WITH);
	uint64_t of_y = blocked(y, REPORT_WITHOUT) + blocked(y, REPORT_WITH);

	if (of_x != of_y)
		return of_x > of_y ? -1 : 1;
	return strcmp(x->key, y->key);
}

static void count(struct report_group *g, const struct member *m)
{
	if (m->wait == NULL) {
		g->processes[m->side]++;
		return;
	}
	g->n[m->side][m->wait->kind]++;
	g->blocked_ns[m->side][m->wait->kind] += m->wait->ns;
	if (m->wait->ns > g->longest_ns[m->side])
		g->longest_ns[m->side] = m->wait->ns;
}

static struct report_group *sum_up(struct report *r, struct member *members, size_t n,
				   size_t *ret_n)
{
	struct report_group *groups = calloc(n, sizeof(*groups));
	size_t last = 0;

	if (groups == NULL) {
		r->no_memory = true;
		return NULL;
	}
	qsort(members, n, sizeof(*members), compare_members);
	for (size_t i = 0; i < n; i++) {
		last += i > 0 && strcmp(members[i - 1].key, members[i].key) != 0;
		groups[last].key = members[i].key;
		count(&groups[last], &members[i]);
	}
	qsort(groups, last + 1, sizeof(*groups), compare_groups);
	*ret_n = last + 1;
	return groups;
}

static const char *program_of(const struct report_run *run, const struct report_wait *w)
{
	return run->processes[run->threads[w->thread].process].program;
}

static size_t list(const struct report *r, bool by_program, struct member *members)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nruns; i++) {
		const struct report_run *run = &r->runs[i];

		for (size_t k = 0; by_program && k < run->nprocesses; k++, n++)
			if (members)
				members[n] =
					(struct member){run->processes[k].program, NULL, run->side};
		for (size_t k = 0; k < run->nwaits; k++, n++)
			if (members)
				members[n] =
					(struct member){by_program ? program_of(run, &run->waits[k])
								   : run->waits[k].name,
							&run->waits[k], run->side};
	}
	return n;
}

static struct report_group *group(struct report *r, bool by_program, size_t *ret_n)
{
	size_t n = list(r, by_program, NULL);
	struct member *members;
	struct report_group *groups = NULL;

	*ret_n = 0;
	if (n == 0)
		return NULL;
	members = calloc(n, sizeof(*members));
	if (members == NULL) {
		r->no_memory = true;
		return NULL;
	}
	(void)list(r, by_program, members);
	groups = sum_up(r, members, n, ret_n);
	free(members);
	return groups;
}

struct report_group *report_by_name(struct report *r, size_t *ret_n)
{
	return group(r, false, ret_n);
}

struct report_group *report_by_program(struct report *r, size_t *ret_n)
{
	return group(r, true, ret_n);
}
