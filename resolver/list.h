// SPDX-License-Identifier: MIT
/*
 * list.h - a circular, doubly linked, intrusive list: a member removes itself in constant time and
 * without knowing the list that it is on. An empty head, and a member of no list, link to
 * themselves. No locking: one thread at a time is inside the resolver.
 */
#ifndef NOBLOCKDNS_RESOLVER_LIST_H
#define NOBLOCKDNS_RESOLVER_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

/* The structure of type `type` whose member `member` is at `ptr`. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *head, struct list *member)
{
	member->next = head;
	member->prev = head->prev;
	head->prev->next = member;
	head->prev = member;
}

/* Of a member of no list: nothing happens. */
static inline void list_remove(struct list *member)
{
	member->next->prev = member->prev;
	member->prev->next = member->next;
	list_init(member);
}

#endif
