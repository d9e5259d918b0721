// SPDX-License-Identifier: MIT
/* fetch_guard.c - see fetch_guard.h. */
#include "shim/fetch_guard.h"

#include "shim/hash.h"
#include "shim/log.h"
#include "shim/rebind.h"

#include <string.h>

static uint64_t told[FETCH_GUARD_NAMES]; /* hashes of the names; io thread only */
static unsigned ntold;

/* The one line above level debug that has a name in it: the user must know which one to allow. */
static void tell(const struct name *name)
{
	uint64_t hash = hash_bytes(name->text, name->len, HASH_K0);

	for (unsigned i = 0; i < ntold; i++)
		if (told[i] == hash)
			return;
	if (ntold == FETCH_GUARD_NAMES)
		return;
	told[ntold++] = hash;
	log_warn("rebinding guard: %s has a private address, which is not given%s", name->text,
		 ntold == FETCH_GUARD_NAMES ? "; further names are not logged" : "");
}

/* The names of a CNAME chain are those of addresses that are there no more. */
static void empty(struct fetch_kept *kept)
{
	kept->rrset.kind = RESOLVER_NODATA;
	kept->rrset.nnames = 1;
	kept->names_len = strlen(kept->names) + 1;
}

void fetch_guard(struct fetch_kept *kept, const struct fetch *fetch)
{
	struct resolver_rrset *rrset = &kept->rrset;
	unsigned left;

	if (!fetch->guarded || rrset->kind != RESOLVER_ANSWER ||
	    rebind_may(&fetch->name, fetch->rebind_allow))
		return;
	left = rebind_sift(kept->addrs, rrset->naddrs, rrset->type == RESOLVER_A ? 4 : 16);
	if (left == rrset->naddrs)
		return;
	rrset->naddrs = left;
	rrset->ad = false; /* what was signed is no longer all there */
	if (left == 0)
		empty(kept);
	tell(&fetch->name);
}

void fetch_guard_reset(void)
{
	ntold = 0;
}
