// SPDX-License-Identifier: MIT
/*
 * siblings.c - noting lists and finding them. How they are stored: siblings_table.h.
 *
 * An address that belongs to two names must not be replaced by one that belongs to only one of
 * them. So a list that holds is never dropped for another; where there is no room for a list, its
 * addresses are barred from races for as long as it would have held.
 */
#include "shim/siblings.h"

#include "shim/hot.h"
#include "shim/siblings_index.h"
#include "shim/siblings_table.h"
#include "shim/v4mapped.h"

#include <string.h>

/* How long an answer that is in time for no list waits for one: its asker is on its way. */
#define EARLY_MS 2000

HOT _Atomic bool siblings_noted;

/* ---- addresses ---- */

/* One spelling for each address: what goes out as IPv4 is IPv4. */
static struct order_dest plain(const struct order_dest *dest)
{
	bool mapped = dest->family == AF_INET6 && v4mapped_is(dest->addr);
	struct order_dest ret = {.family = mapped ? AF_INET : dest->family};

	if (mapped) {
		memcpy(ret.addr, dest->addr + V4MAPPED_PREFIX_LEN, 4);
	} else if (dest->family == AF_INET) {
		memcpy(ret.addr, dest->addr, 4);
	} else {
		memcpy(ret.addr, dest->addr, 16);
		ret.scope_id = dest->scope_id;
	}
	return ret;
}

/* Of a plain one: not loopback, unspecified, multicast. */
static bool is_raced(const struct order_dest *dest)
{
	static const unsigned char loopback[16] = {[15] = 1}, unspecified[16];
	const unsigned char *addr = dest->addr;

	if (dest->family == AF_INET)
		return addr[0] != 0 && addr[0] != 127 && addr[0] < 224;
	return addr[0] != 0xff && memcmp(addr, loopback, 16) != 0 &&
	       memcmp(addr, unspecified, 16) != 0;
}

/* Appends those that are raced and new. */
static void append(struct siblings_list *list, const struct order_dest *dests, unsigned n)
{
	for (unsigned i = 0; i < n && list->n < SIBLINGS_MAX; i++) {
		struct order_dest dest = plain(&dests[i]);

		if (is_raced(&dest) && !siblings_list_has(list, &dest))
			list->dests[list->n++] = dest;
	}
}

/* ---- noting ---- */

/* An answer that came too early for its list: it is complete now. */
static void add_early(struct siblings_list *list, const struct siblings_list *early,
		      uint64_t now_ms)
{
	if (!early->early || early->id != list->id || early->until_ms <= now_ms ||
	    list->more_until_ms == 0)
		return;
	append(list, early->dests, early->n);
	list->more_until_ms = 0;
}

bool siblings_note(uint64_t id, const struct order_dest *dests, unsigned n,
		   const struct siblings_hold *hold)
{
	uint64_t longest_ms = hold->now_ms + SIBLINGS_HOLD_MS;
	struct siblings_list list = {.id = id, .more_until_ms = hold->more_until_ms}, old;
	struct siblings_place *place;

	if (siblings_closed(hold->now_ms))
		return true;
	list.until_ms = hold->until_ms < longest_ms ? hold->until_ms : longest_ms;
	append(&list, dests, n);
	if (list.n == 0 && !siblings_any())
		return true; /* many a process looks up localhost alone */
	if (siblings_is_known(&list, hold->now_ms))
		return true;
	switch (siblings_claim(id, hold->now_ms, &place, &old)) {
	case SIBLINGS_CLAIMED:
		add_early(&list, &old, hold->now_ms);
		siblings_publish(place, &list, hold->now_ms);
		break;
	case SIBLINGS_NO_ROOM:
		for (unsigned i = 0; i < list.n; i++)
			siblings_bar(&list.dests[i], hold->now_ms, list.until_ms);
		break;
	case SIBLINGS_BUSY:
		return false;
	}
	atomic_store_explicit(&siblings_noted, true, memory_order_relaxed);
	return true;
}

void siblings_extend(uint64_t id, const struct order_dest *dests, unsigned n, uint64_t now_ms)
{
	struct siblings_list list;
	struct siblings_place *place;

	if (siblings_claim(id, now_ms, &place, &list) != SIBLINGS_CLAIMED)
		return;
	if (list.id != id || list.until_ms <= now_ms)
		list = (struct siblings_list){
			.id = id, .until_ms = now_ms + EARLY_MS, .early = true};
	if (list.early || list.more_until_ms != 0)
		append(&list, dests, n);
	list.more_until_ms = 0;
	siblings_publish(place, &list, now_ms);
}

/* ---- finding ---- */

static void keep_common(struct order_dest *dests, unsigned *n, const struct siblings_list *other)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *n; i++)
		if (siblings_list_has(other, &dests[i]))
			dests[kept++] = dests[i];
	*n = kept;
}

unsigned siblings_find(const struct order_dest *dest, uint64_t now_ms,
		       struct order_dest ret[SIBLINGS_MAX], bool *ret_more)
{
	struct order_dest wanted = plain(dest);
	struct siblings_walk walk;
	struct siblings_list list;
	enum siblings_found found;
	unsigned n = 0;
	bool more = false;

	*ret_more = false;
	if (!siblings_any() || !siblings_walk_start(&walk, &wanted, now_ms))
		return 0;
	while ((found = siblings_walk_next(&walk, &wanted, now_ms, &list)) == SIBLINGS_FOUND) {
		if (n == 0) {
			memcpy(ret, list.dests, list.n * sizeof *ret);
			n = list.n;
		} else {
			keep_common(ret, &n, &list);
		}
		more |= list.more_until_ms > now_ms;
	}
	if (found == SIBLINGS_UNKNOWN)
		return 0;
	*ret_more = more;
	return n;
}
