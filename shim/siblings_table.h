// SPDX-License-Identifier: MIT
/*
 * siblings_table.h - the memory of siblings.c: places for lists of addresses.
 *
 * Any thread, also in a signal handler: nobody waits for longer than a few looks.
 */
#ifndef NOBLOCKDNS_SIBLINGS_TABLE_H
#define NOBLOCKDNS_SIBLINGS_TABLE_H

#include "shim/siblings.h"

#include <stdatomic.h>

/* One list, as a copy of the reader's or the writer's own. */
struct siblings_list {
	uint64_t id;
	uint64_t until_ms, more_until_ms; /* see struct siblings_hold */
	bool early;			  /* late addresses whose list has not been noted yet */
	unsigned n;
	struct order_dest dests[SIBLINGS_MAX]; /* those of IPv4 with nothing behind 4 bytes */
};

#define SIBLINGS_PLACES	    8192 /* as many names as the shared cache holds by default */
#define SIBLINGS_DEST_WORDS (sizeof(struct order_dest) / 8)
#define SIBLINGS_WORDS	    4  /* of a bucket */
#define SIBLINGS_SMALL	    63 /* buckets of the index that stand beside the lists */

/* Where one list stands; its fields are siblings_table.c's. */
struct siblings_place {
	_Alignas(512) _Atomic uint32_t seq;
	_Atomic uint32_t n;
	_Atomic bool early;
	_Atomic uint64_t id, until_ms, more_until_ms;
	_Atomic uint64_t words[SIBLINGS_MAX * SIBLINGS_DEST_WORDS];
};

struct siblings_bucket {
	_Atomic uint64_t words[SIBLINGS_WORDS]; /* lanes are filled from the first on, and not
						 * emptied */
};

extern struct siblings_memory {
	_Alignas(4096) _Atomic bool touched; /* written before anything on the page is read: a read
					      * that comes first would be one first touch more */
	_Atomic uint32_t next;		     /* place */
	_Alignas(32) struct siblings_bucket small[SIBLINGS_SMALL];
	struct siblings_place places[SIBLINGS_PLACES];
} siblings_memory;

/* Copies the list that stands there. False: it is claimed. */
bool siblings_read(const struct siblings_place *place, struct siblings_list *ret);

bool siblings_list_has(const struct siblings_list *list, const struct order_dest *dest);

/* Is the same list noted already, for about as long? */
bool siblings_is_known(const struct siblings_list *list, uint64_t now_ms);

enum siblings_claim {
	SIBLINGS_CLAIMED, /* ours until siblings_publish(): *ret_place, what it held: *ret_old */
	SIBLINGS_NO_ROOM, /* other lists hold wherever it was looked */
	SIBLINGS_BUSY,	  /* claimed by somebody with the same id */
};

/* Takes the place of the list `id`, or else one for it. */
enum siblings_claim siblings_claim(uint64_t id, uint64_t now_ms, struct siblings_place **ret_place,
				   struct siblings_list *ret_old);

/* Gives it back with this list, and has it found by those addresses for which the index has room;
 * the others are barred. */
void siblings_publish(struct siblings_place *place, const struct siblings_list *list,
		      uint64_t now_ms);

enum siblings_found { SIBLINGS_FOUND, SIBLINGS_END, SIBLINGS_UNKNOWN };

/* A walk along the lists that may stand under one key. All zero but for the key: at its begin. */
struct siblings_walk {
	uint64_t key;
	unsigned lane;
};

/* The next one that holds and has the address; SIBLINGS_UNKNOWN where one cannot be read. */
enum siblings_found siblings_walk_next(struct siblings_walk *walk, const struct order_dest *dest,
				       uint64_t now_ms, struct siblings_list *ret);

#endif
