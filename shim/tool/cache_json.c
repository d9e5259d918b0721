// SPDX-License-Identifier: MIT
/* cache_json.c - see cache_json.h. */
#include "shim/tool/cache_json.h"

#include "shim/tool/cache_verbs.h"

#include <stdio.h>
#include <string.h>

struct cache_view_text cache_view_text(uint64_t view)
{
	struct cache_view_text ret;

	(void)snprintf(ret.text, sizeof(ret.text), "%016llx", (unsigned long long)view);
	return ret;
}

static void put_addrs(struct json *j, const struct entry_rrset *rr, int t)
{
	char addr[64];

	json_array(j, "addresses");
	for (unsigned i = 0; i < rr->naddrs; i++) {
		cache_addr_to_str(rr, t, i, addr);
		json_text(j, NULL, addr);
	}
	json_end(j);
}

static void put_rrset(struct json *j, const struct cache_self *self, const struct cache_kept *kept,
		      int t)
{
	const struct entry_rrset *rr = &kept->entry.rr[t];
	const char *name = rr->names;
	uint64_t s;
	enum cache_age age = cache_age_of(self, kept, rr, &s);

	json_object(j, NULL);
	json_text(j, "type", cache_type_names[t]);
	json_text(j, "kind", cache_kind_to_str(rr));
	json_text(j, "state", cache_age_to_str(age));
	json_uint(j, "for_s", s);
	json_uint(j, "ttl_s", rr->ttl_s);
	json_uint(j, "age_s",
		  rr->stored_ms <= self->now_ms ? (self->now_ms - rr->stored_ms) / 1000 : 0);
	json_bool(j, "ad", rr->ad);
	json_array(j, "chain");
	for (unsigned i = 0; i < rr->nnames; i++, name += strlen(name) + 1)
		json_text(j, NULL, name);
	json_end(j);
	put_addrs(j, rr, t);
	json_end(j);
}

void cache_json_entry(struct json *j, const struct cache_self *self, const struct cache_kept *kept)
{
	json_bytes(j, "name", kept->entry.name, kept->entry.name_len);
	json_text(j, "view", cache_view_text(kept->entry.view).text);
	json_bool(j, "own_view", cache_is_own(self, kept));
	json_bool(j, "failures", kept->failures);
	json_uint(j, "uses", kept->uses);
	json_array(j, "rrsets");
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (cache_is_known(&kept->entry.rr[t]))
			put_rrset(j, self, kept, t);
	json_end(j);
}
