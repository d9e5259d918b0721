// SPDX-License-Identifier: MIT
/*
 * cache_layout.h - where everything stands in the cache file.
 *
 *	header    one page; written once, before the file gets its name; read once, with read(2)
 *	tags      for each class, half a cache line a set: 16 tags of 16 bits, 0 = way is empty
 *	reserved  a sixteenth of the size and two pages, for what is known of the network and of
 *		  questions in flight (cache_region.h)
 *	slots     for each class, sets * ways slots
 *
 *	class    slot      ways  share  holds
 *	tiny     192 B     16    30 %   a name and a few addresses, two of each family at least
 *	small    384 B     16    48 %   a chain of two or three besides
 *	medium   1 KiB     16    14 %   long chains, a dozen addresses
 *	large    8 KiB     4     8 %    up to about 500 addresses; beyond that nothing is cached
 *
 * Tiny slots are three cache lines: most names fit, and the more densely names in use lie, the
 * fewer lines and pages they touch. For the same reason tags are short: with 50,000 names in use,
 * a lookup waited longer for its tags than for its slot.
 *
 * Fixed slots instead of a heap: no free list, no offset and no length to follow, so nothing to
 * corrupt, nothing to compact, and a slot can be reused by a writer that knows nothing of its past.
 * Each position is computed from the size of the file and the hash; a reader follows no pointer.
 *
 * A name has two candidate sets in each class, from the two halves of its hash (power of two
 * choices). It goes into the first while that is not half full, so that most lookups need one
 * line of tags, and there into a way that its hash names, so that its slot can be fetched
 * together with the tags; and from there on where more ways are empty: sets fill evenly, so that
 * a class is six sevenths full before it evicts the first time. The number of sets needs no power
 * of two: the half hash times the number of sets, divided by 2^32, is the set.
 *
 * A slot:
 *
 *	u64 seq       counter << 32 | time of the lock in ms, 31 bits << 1 | being written
 *	u32 stamp     how much it is in use (cache_slot.h); a hint for eviction
 *	u32 until_s   when it is of no use any more, CLOCK_BOOTTIME; a hint for eviction
 *	u64 order     in what order its addresses were given last (order_cache.h); a hint, guarded
 *	              by nothing: here, it comes with the line that is read anyhow
 *	u64 words[]   the entry (entry.h), which has its own size and checksum
 *
 * Each slot is its own lock. A lock per set or bucket would make a killed writer block sixteen
 * neighbours for the time of a takeover, and what it guards beyond the slot, the tag, needs no
 * guard: a tag is a hint that the slot's own name confirms or refutes.
 *
 * Everything is in the machine's byte order and has the same place in 32-bit and in 64-bit
 * processes, so both share one file: the header names the byte order, and no word size.
 *
 * Memory. The file is sparse, and on a full tmpfs the first touch of a page that has no memory
 * ends in SIGBUS: a write, and also a read, through a read-only mapping too, since tmpfs fills a
 * hole when it is read (measured on Linux 6.18). So header, tags and the region's first two pages
 * get their memory before the file gets its name, a writer asks for a slot's pages before it
 * touches them (MADV_POPULATE_WRITE, which returns an error instead), and a reader goes only
 * where a tag sends it, hence where a writer was. What remains: a file with holes that a tag
 * points to (made by punching them, or by damage to the tags) on a tmpfs that is full at that
 * moment; and truncation by another process of the same user, which nothing prevents and
 * cache_is_current() notices within a second.
 */
#ifndef NOBLOCKDNS_CACHE_LAYOUT_H
#define NOBLOCKDNS_CACHE_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_LAYOUT	   5 /* also in the file's name */
#define CACHE_MAGIC	   "NBDCACHE"
#define CACHE_BYTE_ORDER   0x01020304u
#define CACHE_HEADER_SEED  UINT64_C(0x6361636865686472) /* of its checksum */
#define CACHE_PAGE	   4096u
#define CACHE_REGION_FIXED (2 * CACHE_PAGE) /* of the region; has memory from the beginning */
#define CACHE_TAGS	   16u		    /* to a set: half a cache line */

enum cache_class_id { CACHE_TINY, CACHE_SMALL, CACHE_MEDIUM, CACHE_LARGE, CACHE_NCLASSES };

/* One class: where its tags and slots stand, in bytes from the start of the file. */
struct cache_class {
	uint64_t tags_at;
	uint64_t slots_at;
	uint32_t nsets;
	uint32_t ways;
	uint32_t slot_size;
	uint32_t zero;
};

struct cache_header {
	char magic[8];
	uint32_t byte_order;
	uint32_t layout;
	uint64_t size; /* of the file */
	uint64_t boot; /* hash of the boot's id: CLOCK_BOOTTIME of another boot means nothing */
	uint64_t seed; /* of the names' hashes; random */
	uint64_t tags_end;
	uint64_t reserved_at;
	uint64_t reserved_len;
	struct cache_class classes[CACHE_NCLASSES];
	uint64_t checksum; /* of everything before it */
};

struct cache_slot {
	_Atomic uint64_t seq;
	_Atomic uint32_t stamp;
	_Atomic uint32_t until_s;
	_Atomic uint64_t order;
	_Atomic uint64_t words[];
};

/* The tags of one set, four to a word: way 4i in the lowest bits of word i. */
struct cache_set {
	_Atomic uint64_t quads[CACHE_TAGS / 4];
};

static_assert(sizeof(struct cache_class) == 32, "the layout of the shared file");
static_assert(sizeof(struct cache_header) == 200, "the layout of the shared file");
static_assert(sizeof(struct cache_slot) == 24, "the layout of the shared file");
static_assert(sizeof(struct cache_set) == 32, "the layout of the shared file");

enum cache_verdict {
	CACHE_HEADER_OK,
	CACHE_HEADER_FOREIGN,	 /* not a cache file */
	CACHE_HEADER_BYTE_ORDER, /* of a machine with another byte order */
	CACHE_HEADER_LAYOUT,	 /* of another version of the library */
	CACHE_HEADER_DAMAGED,	 /* checksum or geometry wrong */
	CACHE_HEADER_TRUNCATED,	 /* the file has not the size that the header says */
	CACHE_HEADER_OTHER_BOOT,
	CACHE_HEADER_SMALLER, /* whole, but smaller than what is wanted */
};

const char *cache_verdict_to_str(enum cache_verdict verdict);

/* Lays out a file of `size` bytes (a multiple of CACHE_PAGE from CACHE_SIZE_MIN to CACHE_SIZE_MAX),
 * checksum included. */
void cache_header_fill(struct cache_header *ret, uint64_t size, uint64_t boot, uint64_t seed);

/* Where that ends which has memory from the beginning. */
static inline uint64_t cache_header_backed(const struct cache_header *header)
{
	return header->reserved_at + CACHE_REGION_FIXED;
}

/* Judges the first bytes of a file of `file_size` bytes, of which `len` could be read. */
enum cache_verdict cache_header_check(const struct cache_header *header, size_t len,
				      uint64_t file_size, uint64_t want_size, uint64_t boot);

#endif
