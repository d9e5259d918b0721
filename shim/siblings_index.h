// SPDX-License-Identifier: MIT
/*
 * siblings_index.h - which places of siblings_table.h may have a list, by what it is found by: its
 * id and each of its addresses; and which addresses are barred. A hint: the list itself says.
 *
 * Each bucket holds the numbers (plus 1) of places. A page that is touched for the first time costs
 * up to 3 us, where a whole lookup takes a quarter of one. So there is a small level, which stands
 * with the first lists on one page, and a large one, for what does not fit the small one's bucket.
 *
 * Where too many addresses are barred, noting would be work for nothing: for SIBLINGS_HOLD_MS
 * nothing is noted, and for the same time again nothing is found, until all that was not noted is
 * over.
 *
 * Any thread, also in a signal handler.
 */
#ifndef NOBLOCKDNS_SIBLINGS_INDEX_H
#define NOBLOCKDNS_SIBLINGS_INDEX_H

#include "shim/siblings_table.h"

/* What a list is found by, of an address; of a list it is the id. */
uint64_t siblings_key_of(const struct order_dest *dest);

/* The next place under the key; NULL: no more. */
struct siblings_place *siblings_index_walk(struct siblings_walk *walk);

/* False: there is no room. */
bool siblings_index_add(uint64_t key, const struct siblings_place *place, uint64_t now_ms);

/* No list is found by this address until then. */
void siblings_bar(const struct order_dest *dest, uint64_t now_ms, uint64_t until_ms);

/* Begins a walk along the lists of an address; false where it is barred. */
bool siblings_walk_start(struct siblings_walk *walk, const struct order_dest *dest,
			 uint64_t now_ms);

#endif
