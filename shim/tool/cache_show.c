// SPDX-License-Identifier: MIT
/*
 * cache_show.c - `noblockdns cache show NAME`: all that the cache has of one name, in every view:
 * its records, its failures, whether somebody is asking for it now, and of each address what
 * connects have shown on the present network (history.h).
 */
#include "shim/cache_region.h"
#include "shim/history_record.h"
#include "shim/lease.h"
#include "shim/name.h"
#include "shim/netstate.h"
#include "shim/tool/cache_json.h"
#include "shim/tool/cache_verbs.h"
#include "shim/tool/say.h"
#include "shim/tool/terminal.h"
#include "shim/tool/text.h"
#include "shim/tool/verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A name may be any bytes. */
struct shown {
	char text[4 * ENTRY_NAME_MAX + 1];
};

static struct shown shown(const char *name, size_t len)
{
	struct shown ret = {.text = ""};

	text_escape(name, len, ret.text, sizeof(ret.text));
	return ret;
}

/* False: nothing is known of it, or not on this network. */
static bool find_outcome(const struct cache_job *job, const struct entry_rrset *rr, int t,
			 unsigned i, struct history_outcome *ret)
{
	struct order_dest dest = {.family = t == ENTRY_A ? AF_INET : AF_INET6};
	size_t len = t == ENTRY_A ? 4 : 16;
	uint64_t network = netstate_hash(job->self.settings, job->self.now_ms);

	memcpy(dest.addr, rr->addrs + i * len, len);
	if (network == 0 || job->found.cache == NULL)
		return false;
	history_record_find(job->found.cache, network, &dest, job->self.now_ms, ret);
	return ret->verdict != RACE_UNKNOWN || ret->srtt_ms != 0;
}

static const char *verdict_to_str(const struct history_outcome *outcome)
{
	switch (outcome->verdict) {
	case RACE_UNKNOWN:
		return "not tried";
	case RACE_WORKS:
		return "works";
	case RACE_BROKEN:
		return outcome->suspected ? "without an answer so far" : "broken";
	}
	return "not tried";
}

/* How long a question for the name is asked by somebody, in ms; 0: it is not. */
static uint32_t lease_left(const struct cache_job *job, const struct cache_kept *kept)
{
	struct cache *cache = job->found.cache;
	struct lease_place *place;
	uint64_t key, who;
	size_t n;

	if (cache == NULL)
		return 0;
	key = cache_hash(cache, kept->entry.view, kept->entry.name, kept->entry.name_len);
	n = cache_region_leases_len(cache) / sizeof(*place);
	place = cache_region_find(cache, cache_region_leases_at(cache) + key % n * sizeof(*place));
	if (place == NULL)
		return 0;
	who = atomic_load_explicit(&place->who, memory_order_relaxed);
	return lease_is_of(who, key) ? lease_left_ms(who, job->self.now_ms) : 0;
}

/* ---- text ---- */

static void print_addr(const struct cache_job *job, const struct entry_rrset *rr, int t, unsigned i)
{
	struct history_outcome outcome;
	char addr[64];

	cache_addr_to_str(rr, t, i, addr);
	(void)printf("        %s", addr);
	if (find_outcome(job, rr, t, i, &outcome)) {
		(void)printf("  %s", verdict_to_str(&outcome));
		if (outcome.srtt_ms != 0)
			(void)printf(", round trip %u ms (+-%u)", outcome.srtt_ms,
				     outcome.rttvar_ms);
	}
	(void)putchar('\n');
}

static void print_chain(const struct entry_rrset *rr)
{
	const char *name = rr->names;

	if (rr->nnames < 2)
		return;
	(void)printf("        ");
	for (unsigned i = 0; i < rr->nnames; i++, name += strlen(name) + 1)
		(void)printf("%s%s", i ? " -> " : "", shown(name, strlen(name)).text);
	(void)putchar('\n');
}

static void print_rrset(const struct cache_job *job, const struct cache_kept *kept, int t)
{
	const struct entry_rrset *rr = &kept->entry.rr[t];
	uint64_t s;
	enum cache_age age = cache_age_of(&job->self, kept, rr, &s);

	(void)printf("  %-4s  %s, %s ", cache_type_names[t], cache_kind_to_str(rr),
		     cache_age_to_str(age));
	(void)printf(age == CACHE_FRESH ? "for %" PRIu64 " s" : "since %" PRIu64 " s", s);
	(void)printf(", TTL %u%s\n", rr->ttl_s, rr->ad ? ", authenticated (AD)" : "");
	print_chain(rr);
	for (unsigned i = 0; i < rr->naddrs; i++)
		print_addr(job, rr, t, i);
}

static void print(const struct cache_job *job, const struct cache_kept *kept)
{
	uint32_t left = lease_left(job, kept);

	terminal_write(stdout, TERMINAL_BOLD, shown(kept->entry.name, kept->entry.name_len).text);
	(void)printf("  view %s%s", cache_view_text(kept->entry.view).text,
		     cache_is_own(&job->self, kept) ? " (own)" : "");
	if (kept->failures)
		(void)printf(", failures\n");
	else
		(void)printf(", used %u%s\n", kept->uses, kept->uses == 3 ? " or more" : "");
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (cache_is_known(&kept->entry.rr[t]))
			print_rrset(job, kept, t);
	if (left > 0)
		(void)printf("  being asked for, others wait for up to %u ms\n", left);
}

/* ---- JSON ---- */

static void put_history(struct json *j, const struct cache_job *job, const struct cache_kept *kept)
{
	struct history_outcome outcome;
	char addr[64];

	json_object(j, "history");
	for (int t = 0; t < ENTRY_NTYPES; t++) {
		const struct entry_rrset *rr = &kept->entry.rr[t];

		for (unsigned i = 0; i < rr->naddrs; i++) {
			if (!find_outcome(job, rr, t, i, &outcome))
				continue;
			cache_addr_to_str(rr, t, i, addr);
			json_object(j, addr);
			json_text(j, "verdict", verdict_to_str(&outcome));
			if (outcome.srtt_ms != 0)
				json_uint(j, "round_trip_ms", outcome.srtt_ms);
			json_end(j);
		}
	}
	json_end(j);
}

static void print_json(const struct cache_job *job, const struct cache_items *items)
{
	struct json j;

	json_open(&j, stdout);
	json_array(&j, NULL);
	for (size_t i = 0; i < items->n; i++) {
		json_object(&j, NULL);
		cache_json_entry(&j, &job->self, &items->kept[i]);
		put_history(&j, job, &items->kept[i]);
		json_uint(&j, "lease_ms", lease_left(job, &items->kept[i]));
		json_end(&j);
	}
	json_end(&j);
}

int cache_show(const struct cache_job *job)
{
	const struct name *name = job->filter.name;
	struct cache_items items;
	int status = cache_job_read(job, &items);

	if (status >= 0)
		return status;
	status = items.n > 0 ? TOOL_FINE : TOOL_FINDING;
	if (job->json)
		print_json(job, &items);
	else if (items.n == 0)
		say("cache: there is no entry of %s", name->len > 0 ? name->text : ".");
	for (size_t i = 0; !job->json && i < items.n; i++)
		print(job, &items.kept[i]);
	cache_items_free(&items);
	return status;
}
