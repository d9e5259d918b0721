// SPDX-License-Identifier: MIT
/*
 * siblings_table.h - the memory of siblings.c: lists of addresses, and an index of them by address.
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

struct siblings_place; /* where one list stands */

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

/* No list is found by this address until then. */
void siblings_bar(const struct order_dest *dest, uint64_t now_ms, uint64_t until_ms);

enum siblings_found { SIBLINGS_FOUND, SIBLINGS_END, SIBLINGS_UNKNOWN };

/* A walk along the lists that may stand under one key. All zero but for the key: at its begin. */
struct siblings_walk {
	uint64_t key;
	unsigned lane;
};

/* Begins a walk along those of an address; false where it is barred. */
bool siblings_walk_start(struct siblings_walk *walk, const struct order_dest *dest,
			 uint64_t now_ms);

/* The next one that holds and has the address; SIBLINGS_UNKNOWN where one cannot be read. */
enum siblings_found siblings_walk_next(struct siblings_walk *walk, const struct order_dest *dest,
				       uint64_t now_ms, struct siblings_list *ret);

#endif
