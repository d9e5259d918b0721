// SPDX-License-Identifier: MIT
/*
 * query_lookup.c - the lookup of `noblockdns query`, by the code that programs use: drives lookup.h
 * as getaddrinfo() does, and tells each step (query.h).
 *
 * What the cache has is seen by a lookup_source put before the call's own; what servers do is told
 * by query_host.c.
 */
#include "shim/ask.h"
#include "shim/getaddrinfo.h"
#include "shim/tool/cache_json.h"
#include "shim/tool/cache_verbs.h"
#include "shim/tool/query.h"
#include "shim/tool/upstream_text.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

/* What the lookup goes by. */
struct query {
	const char *name;
	struct resolve call;
	struct lookup_source source;
	bool asked;	/* a question was put */
	bool was_stale; /* the cache had something that has expired */
	unsigned heard; /* query_heard() before it was put */
	struct query_result *result;
};

/* ---- what is known of a name ---- */

/* "A: 2 records, TTL 300, good for 297 s" */
static void tell_rrset(const struct query *q, const char *what, const struct entry_rrset *rr, int t)
{
	uint64_t age_s = (q->call.now_ms - rr->stored_ms) / 1000;
	const char *last = rr->names;
	char known[160];

	if (rr->naddrs > 0)
		(void)snprintf(known, sizeof(known), "%u record%s", rr->naddrs,
			       rr->naddrs == 1 ? "" : "s");
	else
		(void)snprintf(known, sizeof(known), "%s", cache_kind_to_str(rr));
	for (unsigned i = 1; i < rr->nnames; i++)
		last += strlen(last) + 1;
	query_step(what, "%s: %s, TTL %u%s%s%s%s", cache_type_names[t], known, rr->ttl_s,
		   rr->ad ? ", authenticated (AD)" : "", rr->nnames > 1 ? ", an alias of " : "",
		   rr->nnames > 1 ? last : "", entry_fresh(rr, q->call.now_ms) ? "" : ", expired");
	if (!q->asked && rr->kind != RESOLVER_NONE && rr->stored_ms <= q->call.now_ms)
		query_step(what, "%s: stored %llu s ago", cache_type_names[t],
			   (unsigned long long)age_s);
}

static void tell_entry(struct query *q, const char *what, unsigned types, const struct entry *entry)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && entry->rr[t].kind != RESOLVER_NONE)
			tell_rrset(q, what, &entry->rr[t], t);
}

static bool has_any(const struct entry *entry, unsigned types)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && entry->rr[t].kind != RESOLVER_NONE)
			return true;
	return false;
}

static const char *types_text(unsigned types)
{
	if (types == (FETCH_A | FETCH_AAAA))
		return "A and AAAA";
	return types == FETCH_A ? "A" : "AAAA";
}

/* lookup_source.find: the call's own, with a report. After a question its answer is found here. */
static int find(void *ctx, const struct name *name, unsigned types, struct entry *ret)
{
	struct query *q = ctx;
	bool answered = q->asked;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = q->call.source.find(q->call.source.ctx, name, types, ret);
	if (r == 0 && answered) {
		tell_entry(q, "answer", types, ret);
		if (q->was_stale && query_heard() == q->heard)
			query_step("answer", "this is stale: no server has answered in time");
		q->asked = false;
		return r;
	}
	if (r == 0) {
		query_step("cache", "%s: %s found", name->text, types_text(types));
		tell_entry(q, "cache", types, ret);
		return r;
	}
	q->was_stale = has_any(ret, types);
	query_step("cache", "%s: no fresh answer for %s", name->text, types_text(types));
	if (q->was_stale)
		tell_entry(q, "cache", types, ret);
	return r;
}

/* ---- the steps of a lookup ---- */

static void tell_settings(const struct settings *s)
{
	char modules[NSSWITCH_MAX * 16] = "", text[UPSTREAM_TEXT];

	for (unsigned i = 0; i < s->plan.n; i++)
		(void)snprintf(modules + strlen(modules), sizeof(modules) - strlen(modules), " %s",
			       nsswitch_module_to_str(s->plan.entries[i].module));
	query_step("nsswitch", "modules:%s", modules);
	for (unsigned i = 0; i < s->upstreams.nupstreams; i++) {
		upstream_text(&s->upstreams.upstreams[i], text);
		query_step("settings", "upstream %s", text);
	}
	query_step("settings", "view %s, deadline %u ms%s", cache_view_text(s->view).text,
		   s->deadline_ms,
		   s->cache == NULL			     ? ", no cache"
		   : cache_backing(s->cache) == CACHE_SHARED ? ""
							     : ", a cache of its own");
}

/* Does this module by itself know the name? The lookup of a plan that has no other one. */
static bool files_know(const struct query *q, const struct lookup_query *query)
{
	static struct settings alone;
	struct lookup_query files = *query;
	struct lookup_question question;
	struct lookup_answer answer;
	bool known;

	alone = *q->call.settings;
	alone.plan.n = 1;
	alone.plan.entries[0].module = NSSWITCH_FILES;
	files.settings = &alone;
	lookup_answer_init(&answer);
	known = lookup_addrinfo(&files, &answer, &question) == LOOKUP_DONE && answer.eai == 0;
	lookup_answer_free(&answer);
	return known;
}

/* Up to the one that dns is, or that ends the list. */
static void tell_modules(const struct query *q, const struct lookup_query *query)
{
	const struct nsswitch_plan *plan = &q->call.settings->plan;

	for (unsigned i = 0; i < plan->n; i++) {
		enum nsswitch_module module = plan->entries[i].module;
		enum nsswitch_status status;

		switch (module) {
		case NSSWITCH_FILES:
			if (files_know(q, query)) {
				query_step("hosts", "%s is in the hosts file", q->name);
				return;
			}
			query_step("hosts", "%s is not in the hosts file", q->name);
			break;
		case NSSWITCH_DNS:
			return;
		case NSSWITCH_MDNS_MINIMAL:
		case NSSWITCH_MYHOSTNAME:
		case NSSWITCH_FOREIGN:
			if (!nsswitch_silent(module, q->name, q->call.settings->hostname,
					     &status)) {
				query_step("nsswitch", "%s may know it: libc is asked",
					   nsswitch_module_to_str(module));
				return;
			}
			query_step("nsswitch", "%s does not know such names",
				   nsswitch_module_to_str(module));
			break;
		}
	}
}

static enum lookup_result look_up(struct query *q, struct lookup_query *query,
				  struct lookup_answer *answer)
{
	struct lookup_question question;
	enum lookup_result r;

	while ((r = lookup_addrinfo(query, answer, &question)) == LOOKUP_ASK) {
		unsigned heard = query_heard();
		double begun = query_ms();

		q->heard = heard;
		query_step("dns", "%s has to be asked for: %s", question.name.text,
			   types_text(question.types));
		if (ask(&q->call, &question) < 0)
			return LOOKUP_LIBC;
		q->asked = true;
		if (query_heard() == heard && query_ms() - begun >= 1)
			query_step("dns", "no server has told this process anything: another one "
					  "has asked, or it was waited for in vain");
	}
	return r;
}

static int keep_addrs(struct query *q, struct lookup_answer *answer)
{
	uint16_t *perm = calloc(answer->addrs.n + 1, sizeof(*perm));

	q->result->addrs = calloc(answer->addrs.n + 1, sizeof(*q->result->addrs));
	if (perm == NULL || q->result->addrs == NULL) {
		free(perm);
		return -1;
	}
	query_order(&q->call, answer, perm);
	for (q->result->n = 0; q->result->n < answer->addrs.n; q->result->n++)
		query_address(&answer->addrs.v[perm[q->result->n]], q->result->addrs[q->result->n]);
	free(perm);
	return 0;
}

/* What is not ours. */
static void ask_libc(struct query *q, const struct addrinfo *hints)
{
	struct addrinfo *found = NULL;
	unsigned n = 0;

	q->result->by_libc = true;
	query_step("libc", "this one is libc's");
	q->result->eai = getaddrinfo(q->name, NULL, hints, &found);
	query_step("libc", "%s",
		   q->result->eai == 0 ? "has an answer" : gai_strerror(q->result->eai));
	for (struct addrinfo *a = found; q->result->eai == 0 && a; a = a->ai_next)
		n++;
	q->result->addrs = calloc(n + 1, sizeof(*q->result->addrs));
	for (struct addrinfo *a = found; q->result->addrs && q->result->eai == 0 && a;
	     a = a->ai_next)
		(void)getnameinfo(a->ai_addr, a->ai_addrlen, q->result->addrs[q->result->n++], 64,
				  NULL, 0, NI_NUMERICHOST);
	if (found != NULL)
		freeaddrinfo(found);
}

/* False: it is libc's. */
static bool resolve_it(struct query *q, const struct addrinfo *hints)
{
	struct addrinfo_request request;
	struct lookup_query query;
	struct lookup_answer answer;
	enum lookup_result r = LOOKUP_DONE;

	tell_settings(q->call.settings);
	lookup_query_name(&query, q->name);
	q->result->eai =
		getaddrinfo_prepare(NULL, hints, q->call.settings, q->call.now_ms, &request);
	if (q->result->eai != 0)
		return true;
	getaddrinfo_query(&request, &q->call, &query);
	query.source = &q->source;
	tell_modules(q, &query);
	lookup_answer_init(&answer);
	r = resolve_keep_private(&q->call, look_up(q, &query, &answer), &answer.eai);
	q->result->eai = answer.eai;
	if (r == LOOKUP_DONE && q->result->eai == 0) {
		if (answer.has_canon)
			memcpy(q->result->canon, answer.names.canon, sizeof(q->result->canon));
		if (keep_addrs(q, &answer) < 0)
			q->result->eai = EAI_MEMORY;
	}
	lookup_answer_free(&answer);
	return r != LOOKUP_LIBC;
}

static void perform(struct query *q, int family)
{
	const struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
	bool ours;

	query_begin();
	if (!getaddrinfo_is_ours(q->name, &hints)) {
		query_step("name", "an address, or nothing that is looked up");
		ask_libc(q, &hints);
		return;
	}
	if (!resolve_begin(&q->call)) {
		query_step("settings", "the shim stands aside");
		ask_libc(q, &hints);
		return;
	}
	q->source = (struct lookup_source){.find = find, .ctx = q};
	query_watch_resolver(&q->call.settings->upstreams);
	ours = resolve_it(q, &hints);
	resolve_end(&q->call);
	if (!ours)
		ask_libc(q, &hints);
}

void query_look_up(const char *name, int family, struct query_result *ret)
{
	static struct query q; /* a settled place: the source refers to it */

	memset(ret, 0, sizeof(*ret));
	q = (struct query){.name = name, .result = ret};
	perform(&q, family);
}
