// SPDX-License-Identifier: MIT
/*
 * entry.c - the flat form of an entry.
 *
 *	struct wire | name | names of A | names of AAAA | addresses of A | addresses of AAAA | NULs
 *
 * up to a multiple of 8 bytes. The names of the AAAA RRset are left out where they are those of the
 * A RRset, as nearly always, and the entry's own where the first of A is spelt like it: one cache
 * line less to fetch. No offset is stored: each part begins where the one before ends, and the sum
 * must be the size. The byte order is the machine's: the file's header names it.
 */
#include "shim/entry.h"

#include "shim/hash.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define WIRE_FORMAT 1

enum wire_flags {
	WIRE_AD = 1,
	WIRE_SAME_NAMES = 2, /* AAAA only: the names are those of the A RRset */
	WIRE_NAMED = 4,	     /* A only: its first name is the entry's, which is left out */
};

struct wire_rrset {
	uint32_t ttl_s;
	uint16_t names_len;
	uint16_t naddrs;
	uint8_t kind;
	uint8_t failure;
	uint8_t flags;
	uint8_t nnames;
};

struct wire {
	uint64_t checksum; /* of everything behind it */
	uint32_t size;	   /* of everything */
	uint16_t format;
	uint16_t name_len;
	uint64_t view;
	uint64_t stored_ms[ENTRY_NTYPES];
	struct wire_rrset rr[ENTRY_NTYPES];
};

static_assert(sizeof(struct wire) == ENTRY_HEAD_SIZE, "the layout of the shared file");
static_assert(offsetof(struct wire, size) == ENTRY_SIZE_AT, "entry.h says where the size stands");

static const size_t addr_len[ENTRY_NTYPES] = {4, 16};

static uint64_t checksum(const struct wire *wire)
{
	return hash_bytes(&wire->size, wire->size - sizeof(wire->checksum), ENTRY_SEED);
}

static bool same_names(const struct entry *entry)
{
	const struct entry_rrset *a = &entry->rr[ENTRY_A], *aaaa = &entry->rr[ENTRY_AAAA];

	return a->nnames > 0 && a->nnames == aaaa->nnames && a->names_len == aaaa->names_len &&
	       memcmp(a->names, aaaa->names, a->names_len) == 0;
}

/* Is the first name of the A RRset the entry's own, byte for byte? */
static bool is_named(const struct entry *entry)
{
	const struct entry_rrset *a = &entry->rr[ENTRY_A];

	return a->nnames > 0 && a->names_len > entry->name_len &&
	       a->names[entry->name_len] == '\0' &&
	       memcmp(a->names, entry->name, entry->name_len) == 0;
}

size_t entry_encoded_size(const struct entry *entry)
{
	size_t size = sizeof(struct wire) + (is_named(entry) ? 0 : entry->name_len);

	for (int i = 0; i < ENTRY_NTYPES; i++)
		size += entry->rr[i].names_len + entry->rr[i].naddrs * addr_len[i];
	if (same_names(entry))
		size -= entry->rr[ENTRY_AAAA].names_len;
	return (size + 7) & ~(size_t)7;
}

static unsigned char *put(unsigned char *at, const void *data, size_t len)
{
	if (len > 0)
		memcpy(at, data, len);
	return at + len;
}

ssize_t entry_encode(const struct entry *entry, void *buf, size_t size)
{
	size_t need = entry_encoded_size(entry);
	bool same = same_names(entry), named = is_named(entry);
	struct wire *wire = buf;
	unsigned char *at = (unsigned char *)(wire + 1);

	if (need > size || need > ENTRY_SIZE_MAX || entry->name_len > ENTRY_NAME_MAX)
		return -EMSGSIZE;
	for (int i = 0; i < ENTRY_NTYPES; i++) {
		const struct entry_rrset *rr = &entry->rr[i];

		if (rr->nnames > RESOLVER_CHAIN_MAX || rr->names_len > UINT16_MAX ||
		    rr->naddrs > UINT16_MAX)
			return -EMSGSIZE;
	}
	*wire = (struct wire){.size = (uint32_t)need,
			      .format = WIRE_FORMAT,
			      .name_len = (uint16_t)entry->name_len,
			      .view = entry->view};
	at = put(at, entry->name, named ? 0 : entry->name_len);
	for (int i = 0; i < ENTRY_NTYPES; i++) {
		const struct entry_rrset *rr = &entry->rr[i];
		bool skip = same && i == ENTRY_AAAA;

		wire->stored_ms[i] = rr->stored_ms;
		wire->rr[i] = (struct wire_rrset){
			.ttl_s = rr->ttl_s,
			.names_len = (uint16_t)(skip ? 0 : rr->names_len),
			.naddrs = (uint16_t)rr->naddrs,
			.kind = (uint8_t)rr->kind,
			.failure = (uint8_t)rr->failure,
			.flags = (uint8_t)((rr->ad ? WIRE_AD : 0) | (skip ? WIRE_SAME_NAMES : 0)),
			.nnames = (uint8_t)rr->nnames};
		if (named && i == ENTRY_A)
			wire->rr[i].flags |= WIRE_NAMED;
		at = put(at, rr->names, skip ? 0 : rr->names_len);
	}
	for (int i = 0; i < ENTRY_NTYPES; i++)
		at = put(at, entry->rr[i].addrs, entry->rr[i].naddrs * addr_len[i]);
	memset(at, 0, (size_t)((unsigned char *)buf + need - at));
	wire->checksum = checksum(wire);
	return (ssize_t)need;
}

/* How many bytes of the word are NUL: exact, no carry crosses a byte. */
static inline unsigned count_nuls(uint64_t word)
{
	const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t nuls = ~(((word & low7) + low7) | word | low7);

	return (unsigned)(((nuls >> 7) * UINT64_C(0x0101010101010101)) >> 56);
}

/* Are there exactly `n` NUL-terminated strings in the `len` bytes? So many NULs, one at the end. */
static bool names_ok(const char *names, size_t len, unsigned n)
{
	unsigned found = 0;
	size_t i = 0;

	for (; i + 8 <= len; i += 8)
		found += count_nuls(hash_read64(names + i));
	for (; i < len; i++)
		found += names[i] == '\0';
	return found == n && (len == 0 || names[len - 1] == '\0');
}

/* Do the values of one RRset lie in their ranges? The lengths are checked by the caller. */
static bool rrset_ok(const struct wire_rrset *rr)
{
	return rr->kind <= RESOLVER_FAILURE && rr->failure <= RESOLVER_LOCAL_ERROR &&
	       rr->nnames <= RESOLVER_CHAIN_MAX &&
	       (rr->kind == RESOLVER_ANSWER) == (rr->naddrs > 0);
}

/* The entry's own name, as far as it is not the first of the A RRset. */
static size_t own_name_len(const struct wire *wire)
{
	return wire->rr[ENTRY_A].flags & WIRE_NAMED ? 0 : wire->name_len;
}

/* Sum of all lengths; cannot overflow: every term has 16 bits. */
static size_t wire_size(const struct wire *wire)
{
	size_t size = sizeof(*wire) + own_name_len(wire);

	for (int i = 0; i < ENTRY_NTYPES; i++)
		size += wire->rr[i].names_len + wire->rr[i].naddrs * addr_len[i];
	return (size + 7) & ~(size_t)7;
}

static bool wire_ok(const struct wire *wire, size_t size)
{
	const struct wire_rrset *a = &wire->rr[ENTRY_A], *aaaa = &wire->rr[ENTRY_AAAA];

	return wire->size == size && wire->format == WIRE_FORMAT &&
	       wire->name_len <= ENTRY_NAME_MAX && checksum(wire) == wire->checksum &&
	       wire_size(wire) == size && rrset_ok(a) && rrset_ok(aaaa) &&
	       !(a->flags & WIRE_SAME_NAMES) && !(aaaa->flags & WIRE_NAMED) &&
	       (!(a->flags & WIRE_NAMED) || a->names_len > wire->name_len) &&
	       (!(aaaa->flags & WIRE_SAME_NAMES) ||
		(aaaa->names_len == 0 && aaaa->nnames == a->nnames));
}

int entry_decode(const void *buf, size_t size, struct entry *ret)
{
	const struct wire *wire = buf;
	const char *name = (const char *)(wire + 1);
	const char *names[ENTRY_NTYPES], *addrs;
	bool same;

	if (size < sizeof(*wire) || size > ENTRY_SIZE_MAX || size % 8 || !wire_ok(wire, size))
		return -EBADMSG;
	same = wire->rr[ENTRY_AAAA].flags & WIRE_SAME_NAMES;
	names[ENTRY_A] = name + own_name_len(wire);
	addrs = names[ENTRY_A] + wire->rr[ENTRY_A].names_len;
	names[ENTRY_AAAA] = same ? names[ENTRY_A] : addrs;
	addrs += wire->rr[ENTRY_AAAA].names_len;
	for (int i = 0; i < (same ? 1 : ENTRY_NTYPES); i++) {
		if (!names_ok(names[i], wire->rr[i].names_len, wire->rr[i].nnames))
			return -EBADMSG;
	}
	*ret = (struct entry){.view = wire->view,
			      .name = name,
			      .name_len = wire->name_len,
			      .checksum = wire->checksum};
	for (int i = 0; i < ENTRY_NTYPES; i++) {
		const struct wire_rrset *rr = &wire->rr[i];

		ret->rr[i] =
			(struct entry_rrset){.kind = rr->kind,
					     .failure = rr->failure,
					     .ad = rr->flags & WIRE_AD,
					     .ttl_s = rr->ttl_s,
					     .stored_ms = wire->stored_ms[i],
					     .nnames = rr->nnames,
					     .names = names[i],
					     .names_len = wire->rr[same ? ENTRY_A : i].names_len,
					     .naddrs = rr->naddrs,
					     .addrs = (const unsigned char *)addrs};
		addrs += rr->naddrs * addr_len[i];
	}
	return 0;
}

void entry_cut_rrset(struct entry_rrset *rr, uint64_t since_ms)
{
	uint64_t ttl_s = (since_ms - rr->stored_ms) / 1000;

	if (rr->ttl_s > ttl_s)
		rr->ttl_s = (uint32_t)ttl_s;
}
