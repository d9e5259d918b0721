// SPDX-License-Identifier: MIT
/*
 * dnscount.c - counters by (name, type, transport) in an open-addressed table, and a ring of the
 * last queries, in shared memory.
 *
 * One spin lock guards all: the server holds it for a few hundred nanoseconds a query, a test
 * for one scan. Neither is killed while it holds it (the server is stopped under the lock).
 */
#include "dnscount.h"

#include <ctype.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define SLOTS 16384 /* more names than that are counted in the totals alone */
#define RING  4096

struct slot {
	char name[256]; /* lower case; only where total > 0 */
	uint16_t type;
	uint16_t transport;
	uint64_t total;
};

struct dns_counts {
	atomic_flag lock;
	uint64_t by_type[65536][3]; /* [type][transport]; [.][0] unused; [0] all types */
	uint64_t connections;
	uint64_t nqueries;
	struct slot slots[SLOTS];
	struct lab_dns_query ring[RING];
};

struct dns_counts *dns_counts_new(void)
{
	void *map = mmap(NULL, sizeof(struct dns_counts), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

void dns_counts_free(struct dns_counts *counts)
{
	munmap(counts, sizeof(*counts));
}

void dns_counts_lock(const struct dns_counts *counts)
{
	/* Readers lock too; only the flag changes under their const. */
	while (atomic_flag_test_and_set_explicit(&((struct dns_counts *)counts)->lock,
						 memory_order_acquire))
		sched_yield();
}

void dns_counts_unlock(const struct dns_counts *counts)
{
	atomic_flag_clear_explicit(&((struct dns_counts *)counts)->lock, memory_order_release);
}

void dns_counts_reset(struct dns_counts *counts)
{
	dns_counts_lock(counts);
	memset(counts->by_type, 0, sizeof(counts->by_type));
	memset(counts->slots, 0, sizeof(counts->slots));
	counts->connections = 0;
	counts->nqueries = 0;
	dns_counts_unlock(counts);
}

static void lower(const char *name, char *ret)
{
	size_t i;

	for (i = 0; name[i] && i < 255; i++)
		ret[i] = (char)tolower((unsigned char)name[i]);
	if (i > 1 && ret[i - 1] == '.')
		i--;
	ret[i] = '\0';
}

static uint32_t hash(const char *name, uint16_t type, uint16_t transport)
{
	uint32_t h = 2166136261u ^ type ^ (uint32_t)transport << 16; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

/* The slot of that key, or the empty one where it belongs, or NULL when the table is full. */
static const struct slot *find_slot(const struct dns_counts *counts, const char *name,
				    uint16_t type, uint16_t transport)
{
	uint32_t h = hash(name, type, transport);

	for (uint32_t i = 0; i < SLOTS; i++) {
		const struct slot *s = &counts->slots[(h + i) % SLOTS];

		if (s->total == 0 ||
		    (s->type == type && s->transport == transport && strcmp(s->name, name) == 0))
			return s;
	}
	return NULL;
}

void dns_counts_query(struct dns_counts *counts, const struct lab_dns_query *query)
{
	char name[256];
	struct slot *s;

	lower(query->name, name);
	dns_counts_lock(counts);
	counts->by_type[query->type][query->transport]++;
	if (query->type != LAB_ANY_TYPE)
		counts->by_type[LAB_ANY_TYPE][query->transport]++;
	counts->ring[counts->nqueries++ % RING] = *query;
	s = (struct slot *)find_slot(counts, name, query->type, query->transport);
	if (s) {
		memcpy(s->name, name, sizeof(name));
		s->type = query->type;
		s->transport = query->transport;
		s->total++;
	}
	dns_counts_unlock(counts);
}

void dns_counts_connection(struct dns_counts *counts)
{
	dns_counts_lock(counts);
	counts->connections++;
	dns_counts_unlock(counts);
}

static uint64_t count_name(const struct dns_counts *counts, const char *name, uint16_t type,
			   uint16_t transport)
{
	const struct slot *s;
	uint64_t total = 0;

	if (type != LAB_ANY_TYPE) {
		s = find_slot(counts, name, type, transport);
		return s ? s->total : 0;
	}
	for (s = counts->slots; s < counts->slots + SLOTS; s++)
		if (s->total && s->transport == transport && strcmp(s->name, name) == 0)
			total += s->total;
	return total;
}

uint64_t dns_counts_get(const struct dns_counts *counts, const char *name, uint16_t type,
			enum lab_dns_transport transport)
{
	char key[256];
	uint64_t total = 0;

	if (name)
		lower(name, key);
	dns_counts_lock(counts);
	for (uint16_t t = LAB_UDP; t <= LAB_TCP; t++) {
		if (transport != LAB_ANY_TRANSPORT && transport != t)
			continue;
		total += name ? count_name(counts, key, type, t) : counts->by_type[type][t];
	}
	dns_counts_unlock(counts);
	return total;
}

uint64_t dns_counts_connections(const struct dns_counts *counts)
{
	uint64_t n;

	dns_counts_lock(counts);
	n = counts->connections;
	dns_counts_unlock(counts);
	return n;
}

bool dns_counts_query_at(const struct dns_counts *counts, uint64_t i, struct lab_dns_query *ret)
{
	bool there;

	dns_counts_lock(counts);
	there = i < counts->nqueries && i + RING >= counts->nqueries;
	if (there)
		*ret = counts->ring[i % RING];
	dns_counts_unlock(counts);
	return there;
}
