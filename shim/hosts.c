// SPDX-License-Identifier: MIT
/*
 * hosts.c - the index: lines in file order, and a hash table of references from names to lines.
 *
 * The index keeps one copy of the text, in which the names of each line are moved together, each
 * with its NUL. A chain of the table is in file order, so a walk is too.
 */
#include "shim/hosts.h"

#include "shim/lines.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NONE	 UINT32_MAX
#define TEXT_MAX ((size_t)INT32_MAX) /* offsets and counts fit 32 bits, NONE apart */

struct line {
	uint32_t name; /* offset in text; the aliases follow */
	uint32_t naliases;
	unsigned char addr[16];
	uint8_t family;
};

struct ref {
	uint32_t hash;
	uint32_t name; /* offset in text */
	uint32_t line; /* index */
	uint32_t next; /* index in refs, or NONE */
};

struct hosts {
	char *text; /* owned, as all below */
	struct line *lines;
	struct ref *refs;
	uint32_t *buckets; /* index of the first reference, or NONE */
	uint32_t nlines;
	uint32_t nrefs;
	uint32_t mask; /* number of buckets - 1 */
};

/* Bytes of a string of less than 8 as one word; a longer string's last 8. */
static uint64_t tail_word(const char *name, size_t len)
{
	uint64_t word = 0;
	uint32_t low, high;

	if (len >= sizeof(word)) {
		memcpy(&word, name + len - sizeof(word), sizeof(word));
	} else if (len >= sizeof(low)) {
		memcpy(&low, name, sizeof(low));
		memcpy(&high, name + len - sizeof(high), sizeof(high));
		word = (uint64_t)high << 32 | low;
	} else if (len > 0) {
		word = (uint64_t)(unsigned char)name[0] << 16 |
		       (uint64_t)(unsigned char)name[len / 2] << 8 | (unsigned char)name[len - 1];
	}
	return word;
}

/*
 * Eight bytes a step, the last ones overlapping. The bit that tells ASCII cases apart is set in all
 * of them: other characters collide by it, too, which the comparison of the names settles.
 */
static uint32_t hash_name(const char *name, size_t len)
{
	const uint64_t case_bits = 0x2020202020202020u;
	const uint64_t factor = 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio */
	uint64_t hash = len * factor;
	uint64_t word;

	for (size_t i = 0; i + sizeof(word) < len; i += sizeof(word)) {
		memcpy(&word, name + i, sizeof(word));
		hash = (hash ^ (word | case_bits)) * factor;
		hash ^= hash >> 32;
	}
	hash = (hash ^ (tail_word(name, len) | case_bits)) * factor;
	return (uint32_t)(hash >> 32);
}

/* The array with room for element `n`; it grows by doubling. NULL: no memory, nothing changed. */
static void *grown(void *array, uint32_t n, size_t size)
{
	if (n != 0 && (n & (n - 1)) != 0)
		return array;
	return realloc(array, (n ? 2 * (size_t)n : 1) * size);
}

static bool add_ref(struct hosts *hosts, const char *name, size_t len)
{
	struct ref *refs = grown(hosts->refs, hosts->nrefs, sizeof(*refs));

	if (!refs)
		return false;
	hosts->refs = refs;
	refs[hosts->nrefs++] = (struct ref){
		.hash = hash_name(name, len),
		.name = (uint32_t)(name - hosts->text),
		.line = hosts->nlines,
	};
	return true;
}

/*
 * Moves the names that begin at `p` together at *out, which is not behind `p`, and refers to them.
 * A line without a name has the empty one.
 */
static bool add_names(struct hosts *hosts, char *p, char **out, struct line *line)
{
	uint32_t n = 0;

	line->name = (uint32_t)(*out - hosts->text);
	do {
		char *end = lines_skip_word(p);
		size_t len = (size_t)(end - p);

		p = lines_skip_space(end);
		memmove(*out, end - len, len);
		(*out)[len] = '\0';
		if (!add_ref(hosts, *out, len))
			return false;
		*out += len + 1;
		n++;
	} while (*p);
	line->naliases = n - 1;
	return true;
}

/* Indexes one line. False: no memory. */
static bool add_line(struct hosts *hosts, char *text, char **out)
{
	struct line *lines, line = {0};
	char *rest;

	text[lines_until(text, "#")] = '\0';
	text = lines_skip_space(text);
	rest = lines_skip_word(text);
	if (*rest) {
		*rest++ = '\0';
		rest = lines_skip_space(rest);
	}
	if (inet_pton(AF_INET, text, line.addr) > 0)
		line.family = AF_INET;
	else if (inet_pton(AF_INET6, text, line.addr) > 0)
		line.family = AF_INET6;
	else
		return true;
	lines = grown(hosts->lines, hosts->nlines, sizeof(*lines));
	if (!lines)
		return false;
	hosts->lines = lines;
	if (!add_names(hosts, rest, out, &line))
		return false;
	lines[hosts->nlines++] = line;
	return true;
}

/* Last reference first, so that each chain ends up in file order. */
static bool build_table(struct hosts *hosts)
{
	size_t size = 1;

	while (size < 2 * (size_t)hosts->nrefs)
		size *= 2;
	hosts->buckets = malloc(size * sizeof(*hosts->buckets));
	if (!hosts->buckets)
		return false;
	memset(hosts->buckets, 0xff, size * sizeof(*hosts->buckets));
	hosts->mask = (uint32_t)(size - 1);
	for (uint32_t i = hosts->nrefs; i-- > 0;) {
		uint32_t *head = &hosts->buckets[hosts->refs[i].hash & hosts->mask];

		hosts->refs[i].next = *head;
		*head = i;
	}
	return true;
}

int hosts_build(const char *text, size_t len, struct hosts **ret)
{
	struct hosts *hosts;
	struct lines lines;
	char *line, *out;
	bool ok = true;

	if (len > TEXT_MAX)
		return -EFBIG;
	if (!lines_open(&lines, text, len))
		return -ENOMEM;
	hosts = calloc(1, sizeof(*hosts));
	if (!hosts) {
		lines_close(&lines);
		return -ENOMEM;
	}
	hosts->text = out = lines.text;
	while (ok && (line = lines_next(&lines)))
		ok = add_line(hosts, line, &out);
	if (!ok || !build_table(hosts)) {
		hosts_free(hosts);
		return -ENOMEM;
	}
	*ret = hosts;
	return 0;
}

void hosts_free(struct hosts *hosts)
{
	if (!hosts)
		return;
	free(hosts->text);
	free(hosts->lines);
	free(hosts->refs);
	free(hosts->buckets);
	free(hosts);
}

/* The first reference from `at` on that has the hash, or NONE. */
static uint32_t find_hash(const struct hosts *hosts, uint32_t at, uint32_t hash)
{
	while (at != NONE && hosts->refs[at].hash != hash)
		at = hosts->refs[at].next;
	return at;
}

bool hosts_may_have(const struct hosts *hosts, const char *name)
{
	uint32_t hash;

	if (!hosts || hosts->nrefs == 0)
		return false;
	hash = hash_name(name, strlen(name));
	return find_hash(hosts, hosts->buckets[hash & hosts->mask], hash) != NONE;
}

void hosts_walk_start(const struct hosts *hosts, const char *name, int family,
		      struct hosts_walk *ret)
{
	uint32_t hash = hash_name(name, strlen(name));

	*ret = (struct hosts_walk){
		.hosts = hosts,
		.name = name,
		.family = family,
		.hash = hash,
		.at = hosts ? hosts->buckets[hash & hosts->mask] : NONE,
		.line = NONE,
	};
}

/* The address as `family` sees it. False: not at all. */
static bool convert(const struct line *line, int family, struct hosts_line *ret)
{
	const struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
	struct in6_addr in6;

	ret->family = line->family;
	memcpy(ret->addr, line->addr, sizeof(ret->addr));
	if (family == AF_UNSPEC || family == line->family)
		return true;
	if (family != AF_INET)
		return false;
	ret->family = AF_INET;
	memcpy(&in6, line->addr, sizeof(in6));
	if (IN6_IS_ADDR_V4MAPPED(&in6))
		memcpy(ret->addr, line->addr + 12, 4);
	else if (IN6_IS_ADDR_LOOPBACK(&in6))
		memcpy(ret->addr, &loopback, 4);
	else
		return false;
	return true;
}

bool hosts_walk_next(struct hosts_walk *walk, struct hosts_line *ret)
{
	const struct hosts *hosts = walk->hosts;

	while ((walk->at = hosts ? find_hash(hosts, walk->at, walk->hash) : NONE) != NONE) {
		const struct ref *ref = &hosts->refs[walk->at];
		const struct line *line = &hosts->lines[ref->line];

		walk->at = ref->next;
		if (ref->line == walk->line || strcasecmp(hosts->text + ref->name, walk->name) != 0)
			continue;
		walk->line = ref->line;
		if (!convert(line, walk->family, ret))
			continue;
		ret->name = hosts->text + line->name;
		ret->aliases = ret->name + strlen(ret->name) + 1;
		ret->naliases = line->naliases;
		return true;
	}
	return false;
}
