// SPDX-License-Identifier: MIT
/* cache_list.c - `noblockdns cache list`: a line for each RRset, or with JSON for each entry. */
#include "shim/tool/cache_json.h"
#include "shim/tool/cache_verbs.h"
#include "shim/tool/say.h"
#include "shim/tool/table.h"
#include "shim/tool/verb.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ADDRS_SHOWN 4 /* of one RRset; the others are counted */

const char *const cache_type_names[ENTRY_NTYPES] = {"A", "AAAA"};

const char *cache_kind_to_str(const struct entry_rrset *rr)
{
	switch (rr->kind) {
	case RESOLVER_NONE:
		return "unknown";
	case RESOLVER_ANSWER:
		return "answer";
	case RESOLVER_NODATA:
		return "no data";
	case RESOLVER_NXDOMAIN:
		return "no such name";
	case RESOLVER_FAILURE:
		break;
	}
	switch (rr->failure) {
	case RESOLVER_TIMEOUT:
		return "timed out";
	case RESOLVER_UNREACHABLE:
		return "unreachable";
	case RESOLVER_SERVFAIL:
		return "SERVFAIL";
	case RESOLVER_REFUSED:
		return "REFUSED";
	case RESOLVER_FORMERR:
		return "FORMERR";
	case RESOLVER_MALFORMED:
		return "malformed";
	case RESOLVER_FAILURE_NONE:
	case RESOLVER_BAD_NAME:
	case RESOLVER_CANCELLED:
	case RESOLVER_LOCAL_ERROR:
		break;
	}
	return "failed";
}

void cache_addr_to_str(const struct entry_rrset *rr, int t, unsigned i, char ret[64])
{
	int family = t == ENTRY_A ? AF_INET : AF_INET6;
	unsigned char addr[16] = {0};

	memcpy(addr, rr->addrs + (size_t)i * (t == ENTRY_A ? 4 : 16), t == ENTRY_A ? 4 : 16);
	if (inet_ntop(family, addr, ret, 64) == NULL)
		ret[0] = '\0';
}

/* The addresses, or why there are none. */
static void describe(const struct entry_rrset *rr, int t, char *buf, size_t size)
{
	size_t len = 0;
	char addr[64];

	if (rr->naddrs == 0) {
		(void)snprintf(buf, size, "%s", cache_kind_to_str(rr));
		return;
	}
	for (unsigned i = 0; i < rr->naddrs && i < ADDRS_SHOWN; i++) {
		cache_addr_to_str(rr, t, i, addr);
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? " " : "", addr);
	}
	if (rr->naddrs > ADDRS_SHOWN)
		(void)snprintf(buf + len, size - len, " and %u more", rr->naddrs - ADDRS_SHOWN);
}

static enum terminal_style style_of(enum cache_age age)
{
	switch (age) {
	case CACHE_FRESH:
		return TERMINAL_GOOD;
	case CACHE_STALE:
		return TERMINAL_WARN;
	case CACHE_EXPIRED:
	case CACHE_FUTURE:
		break;
	}
	return TERMINAL_DIM;
}

static void add_row(struct table *t, const struct cache_self *self, const struct cache_kept *kept,
		    int type)
{
	const struct entry_rrset *rr = &kept->entry.rr[type];
	char text[512];
	uint64_t s;
	enum cache_age age = cache_age_of(self, kept, rr, &s);

	table_cell(t, "%.*s", (int)kept->entry.name_len, kept->entry.name);
	table_cell(t, "%s", cache_type_names[type]);
	table_cell_styled(t, style_of(age), "%s", cache_age_to_str(age));
	table_cell(t, "%" PRIu64, s);
	table_cell(t, "%" PRIu64,
		   rr->stored_ms <= self->now_ms ? (self->now_ms - rr->stored_ms) / 1000 : 0);
	table_cell(t, "%u", kept->uses);
	table_cell(t, "%.*s%s", CACHE_VIEW_DIGITS, cache_view_text(kept->entry.view).text,
		   cache_is_own(self, kept) ? "*" : "");
	describe(rr, type, text, sizeof(text));
	table_cell(t, "%s", text);
}

static int print_table(const struct cache_job *job, const struct cache_items *items, size_t n)
{
	static const struct table_column columns[] = {
		{"NAME", TABLE_LEFT}, {"TYPE", TABLE_LEFT},  {"STATE", TABLE_LEFT},
		{"FOR", TABLE_RIGHT}, {"AGE", TABLE_RIGHT},  {"USES", TABLE_RIGHT},
		{"VIEW", TABLE_LEFT}, {"ANSWER", TABLE_LEFT}};
	struct table table;
	int err;

	table_open(&table, sizeof(columns) / sizeof(columns[0]), columns);
	for (size_t i = 0; i < n; i++)
		for (int t = 0; t < ENTRY_NTYPES; t++)
			if (cache_is_known(&items->kept[i].entry.rr[t]))
				add_row(&table, &job->self, &items->kept[i], t);
	err = table.n > 0 ? table_write(&table, stdout) : 0;
	table_free(&table);
	return err < 0 ? say_trouble("cache: no memory for all of it") : TOOL_FINE;
}

static void print_json(const struct cache_job *job, const struct cache_items *items, size_t n)
{
	struct json j;

	json_open(&j, stdout);
	j.lines = true;
	for (size_t i = 0; i < n; i++) {
		json_object(&j, NULL);
		cache_json_entry(&j, &job->self, &items->kept[i]);
		json_end(&j);
	}
}

int cache_list(const struct cache_job *job)
{
	struct cache_items items;
	int status = cache_job_read(job, &items);
	size_t n = items.n;

	if (status >= 0)
		return status;
	if (job->limit > 0 && job->limit < n)
		n = job->limit;
	status = TOOL_FINE;
	if (job->json)
		print_json(job, &items, n);
	else
		status = print_table(job, &items, n);
	cache_items_free(&items);
	return status;
}
