// SPDX-License-Identifier: MIT
/*
 * cache_json.h - an entry of the cache as members of a JSON object; and views as text.
 */
#ifndef NOBLOCKDNS_TOOL_CACHE_JSON_H
#define NOBLOCKDNS_TOOL_CACHE_JSON_H

#include "shim/tool/cache_items.h"
#include "shim/tool/json.h"

struct cache_view_text {
	char text[17];
};

struct cache_view_text cache_view_text(uint64_t view);

/* Everything but what an address is known for. */
void cache_json_entry(struct json *j, const struct cache_self *self, const struct cache_kept *kept);

#endif
