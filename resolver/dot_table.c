// SPDX-License-Identifier: MIT
/* dot_table.c - see dot_table.h. Called on the thread that entered the resolver. */
#include "resolver/dot_table.h"

#include <arpa/nameser.h>

#include "resolver/dot_message.h"

void dot_table_init(struct dot_table *table)
{
	*table = (struct dot_table){.n = 0};
	list_init(&table->sent);
}

/* Ids are random, so their low bits are as good as any hash. */
static struct attempt **bucket_of(const struct dot_table *table, const unsigned char *id)
{
	return (struct attempt **)&table->buckets[id[1] % DOT_TABLE_BUCKETS];
}

static bool is_taken(const struct dot_table *table, const unsigned char *id)
{
	const struct attempt *a = *bucket_of(table, id);

	while (a && (a->packet[0] != id[0] || a->packet[1] != id[1]))
		a = a->next;
	return a;
}

void dot_table_add(struct dot_table *table, struct reactor *reactor, struct attempt *a)
{
	struct attempt **bucket;
	unsigned id = reactor_random16(reactor);

	/* From a random one on: an end to the search, should chance be broken. */
	do
		ns_put16(id++ & 0xffff, a->packet);
	while (is_taken(table, a->packet));
	bucket = bucket_of(table, a->packet);
	a->next = *bucket;
	*bucket = a;
	list_append(&table->sent, &a->link);
	table->n++;
}

void dot_table_remove(struct dot_table *table, struct attempt *a)
{
	struct attempt **place = bucket_of(table, a->packet);

	while (*place != a)
		place = &(*place)->next;
	*place = a->next;
	list_remove(&a->link);
	table->n--;
}

struct attempt *dot_table_find(const struct dot_table *table, const unsigned char *message,
			       size_t len)
{
	struct attempt *a;

	if (len < 2)
		return NULL;
	for (a = *bucket_of(table, message); a; a = a->next)
		if (dot_message_answers(message, len, a->packet, a->len))
			return a;
	return NULL;
}

struct attempt *dot_table_oldest(const struct dot_table *table)
{
	return list_empty(&table->sent) ? NULL
					: container_of(table->sent.next, struct attempt, link);
}
