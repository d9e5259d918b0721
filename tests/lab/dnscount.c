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

#define SLOTS	   131072 /* for this many names, less some */
#define PROBES	   256 /* a name that finds no slot within these is counted in the totals alone */
#define TYPES	   8   /* of one name; likewise */
#define RING	   4096
#define TRANSPORTS 4 /* by enum lab_dns_transport; the first is unused */

struct type_count {
	uint16_t type;
	uint64_t n[TRANSPORTS];
};

struct slot {
	char name[256]; /* lower case; only where `used` */
	bool used;
	unsigned ntypes;
	struct type_count types[TYPES];
};

struct dns_counts {
	atomic_flag lock;
	uint64_t by_type[65536][TRANSPORTS]; /* of all names; [LAB_ANY_TYPE]: of all types */
	uint64_t connections;
	struct lab_dns_tls tls;
	atomic_bool away; /* not under the lock */
	uint64_t nqueries;
	struct lab_dns_query ring[RING];
	struct slot slots[SLOTS]; /* memory comes as names do */
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
	for (struct slot *s = counts->slots; s < counts->slots + SLOTS; s++)
		if (s->used)
			memset(s, 0, sizeof(*s));
	counts->connections = 0;
	memset(&counts->tls, 0, sizeof(counts->tls));
	counts->nqueries = 0;
	dns_counts_unlock(counts);
}

static void lower(const char *name, char *ret)
{
	size_t i;

	for (i = 0; i < 255 && name[i]; i++)
		ret[i] = (char)tolower((unsigned char)name[i]);
	if (i > 1 && ret[i - 1] == '.')
		i--;
	ret[i] = '\0';
}

static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

/* The name's slot, or the free one where it belongs, or NULL. */
static const struct slot *find_slot(const struct dns_counts *counts, const char *name)
{
	uint32_t h = hash(name);

	for (uint32_t i = 0; i < PROBES; i++) {
		const struct slot *s = &counts->slots[(h + i) % SLOTS];

		if (!s->used || strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

static void count_in_slot(struct slot *s, const char *name, uint16_t type, uint8_t transport)
{
	unsigned i = 0;

	if (!s->used)
		strcpy(s->name, name);
	s->used = true;
	while (i < s->ntypes && s->types[i].type != type)
		i++;
	if (i == TYPES)
		return;
	if (i == s->ntypes)
		s->types[s->ntypes++].type = type;
	s->types[i].n[transport]++;
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
	s = (struct slot *)find_slot(counts, name);
	if (s)
		count_in_slot(s, name, query->type, query->transport);
	dns_counts_unlock(counts);
}

void dns_counts_connection(struct dns_counts *counts)
{
	dns_counts_lock(counts);
	counts->connections++;
	dns_counts_unlock(counts);
}

void dns_counts_hello(struct dns_counts *counts, const char *sni, bool repeated)
{
	dns_counts_lock(counts);
	counts->tls.hellos++;
	counts->tls.repeated += repeated;
	snprintf(counts->tls.sni, sizeof(counts->tls.sni), "%s", sni);
	dns_counts_unlock(counts);
}

void dns_counts_handshake(struct dns_counts *counts, bool resumed)
{
	dns_counts_lock(counts);
	counts->tls.handshakes++;
	counts->tls.resumed += resumed;
	dns_counts_unlock(counts);
}

void dns_counts_handshake_failed(struct dns_counts *counts)
{
	dns_counts_lock(counts);
	counts->tls.failed++;
	dns_counts_unlock(counts);
}

void dns_counts_set_away(struct dns_counts *counts, bool away)
{
	atomic_store(&counts->away, away);
}

bool dns_counts_away(const struct dns_counts *counts)
{
	return atomic_load(&counts->away);
}

static uint64_t count_name(const struct dns_counts *counts, const char *name, uint16_t type,
			   unsigned transport)
{
	const struct slot *s = find_slot(counts, name);
	uint64_t total = 0;

	for (unsigned i = 0; s && i < s->ntypes; i++)
		if (type == LAB_ANY_TYPE || s->types[i].type == type)
			total += s->types[i].n[transport];
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
	for (unsigned t = LAB_UDP; t <= LAB_TLS; t++) {
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

void dns_counts_tls(const struct dns_counts *counts, struct lab_dns_tls *ret)
{
	dns_counts_lock(counts);
	*ret = counts->tls;
	dns_counts_unlock(counts);
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
