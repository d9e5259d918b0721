// SPDX-License-Identifier: MIT
/* resolve.c - see resolve.h. */
#include "shim/resolve.h"

#include "shim/ask.h"
#include "shim/cancel.h"
#include "shim/clock.h"
#include "shim/counters.h"
#include "shim/netstate.h"
#include "shim/process.h"
#include "shim/siblings_lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

struct resolve_fetched {
	struct resolve_fetched *next;
	struct name name;
	struct blob *blob; /* one reference; NULL: the deadline passed */
};

/* What a call's own fetch did not bring counts as timed out, or the lookup would ask for ever. */
static void fill_missing(struct entry *entry, unsigned types)
{
	for (int t = 0; t < ENTRY_NTYPES; t++) {
		if (entry->rr[t].kind != RESOLVER_NONE)
			continue;
		entry->rr[t] =
			(struct entry_rrset){.kind = RESOLVER_FAILURE, .failure = RESOLVER_TIMEOUT};
		if (types & 1u << t)
			entry->partial = true;
	}
}

/* Does it hold anything about these types? A call may have asked for AAAA, and for A later. */
static bool has_any(const struct entry *entry, unsigned types)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((types & 1u << t) && entry->rr[t].kind != RESOLVER_NONE)
			return true;
	return false;
}

static int find_fetched(const struct resolve *call, const struct name *name, unsigned types,
			struct entry *ret)
{
	for (const struct resolve_fetched *f = call->fetched; f != NULL; f = f->next) {
		if (f->name.len != name->len || memcmp(f->name.text, name->text, name->len) != 0)
			continue;
		if (f->blob == NULL || entry_decode(f->blob->data, f->blob->size, ret) < 0)
			memset(ret, 0, sizeof *ret);
		else if (!has_any(ret, types))
			continue;
		fill_missing(ret, types);
		ret->key = siblings_key(call->settings, name);
		return 0;
	}
	return -ENOENT;
}

int resolve_find(struct resolve *call, const struct name *name, struct entry *ret)
{
	struct cache *cache = call->settings->cache;
	uint64_t view = call->settings->view, hash, since_ms;
	size_t need;
	int r;

	if (cache == NULL)
		return -ENOENT;
	hash = cache_hash(cache, view, name->text, name->len);
	r = cache_lookup(cache, hash, view, name->text, name->len, call->room, sizeof call->room,
			 ret, &need);
	if (r == -ENOBUFS) {
		free(call->large);
		call->large = malloc(need);
		if (call->large != NULL)
			r = cache_lookup(cache, hash, view, name->text, name->len, call->large,
					 need, ret, &need);
	}
	since_ms = netstate_since(call->settings, call->now_ms); /* failures.h needs it, too */
	if (r == 0)
		entry_cut(ret, since_ms);
	ret->key = hash;
	return r;
}

static inline __attribute__((always_inline)) int
find_cached(struct resolve *call, const struct name *name, unsigned types, struct entry *ret)
{
	unsigned used;

	if (resolve_find(call, name, ret) < 0)
		return -EAGAIN;
	used = cache_touch(ret);
	if (!entry_has_fresh(ret, types, call->now_ms))
		return -EAGAIN;
	if (__builtin_expect(used >= 2 && entry_is_aging(ret, types, call->now_ms), 0))
		ask_refresh(call, name, types, ret->key);
	return 0;
}

/* A later run of the lookup: what it finds in the cache the first has found as well. */
static __attribute__((noinline, cold)) int find_again(struct resolve *call, const struct name *name,
						      unsigned types, struct entry *ret)
{
	return find_fetched(call, name, types, ret) == 0 ? 0 : find_cached(call, name, types, ret);
}

static int find(void *ctx, const struct name *name, unsigned types, struct entry *ret)
{
	struct resolve *call = ctx;
	int r;

	if (__builtin_expect(call->fetched != NULL, 0))
		return find_again(call, name, types, ret);
	r = find_cached(call, name, types, ret);
	if (r == 0)
		counters_hit();
	return r;
}

bool resolve_begin(struct resolve *call)
{
	/* A forked child is cleaned up first: that resets the readers' counters. */
	if (!process_is_clean() && process_check() != PROCESS_OWNER)
		return false;
	call->now_ms = clock_boot_ms();
	call->token = rcu_read_lock();
	call->settings = settings_get(call->now_ms);
	if (call->settings == NULL || call->settings->stand_aside) {
		rcu_read_unlock(call->token);
		return false;
	}
	call->source.find = find;
	call->source.ctx = call;
	call->deadline_ms = call->now_ms + call->settings->deadline_ms;
	call->fetched = NULL;
	call->large = NULL;
	call->name_owned = NULL;
	return true;
}

enum lookup_result resolve_keep_private(const struct resolve *call, enum lookup_result result,
					int *ret_eai)
{
	if (result != LOOKUP_LIBC || resolve_libc_may(call))
		return result;
	*ret_eai = EAI_AGAIN;
	return LOOKUP_DONE;
}

void resolve_expect(const struct resolve *call, const struct lookup_query *query)
{
	const struct settings *s = call->settings;
	const struct name *name = &query->folded;

	if (query->fits && s->cache != NULL &&
	    (name->trailing_dot || name->dots >= s->resolv.ndots))
		cache_prefetch(s->cache, cache_hash(s->cache, s->view, name->text, name->len));
}

static void free_fetched(struct resolve_fetched *fetched)
{
	struct resolve_fetched *next;

	for (; fetched != NULL; fetched = next) {
		next = fetched->next;
		blob_release(fetched->blob);
		free(fetched);
	}
}

void resolve_end(struct resolve *call)
{
	rcu_read_unlock(call->token);
	free_fetched(call->fetched);
	free(call->large);
	free(call->name_owned);
}

bool resolve_resume(struct resolve *call, struct resolve_kept *kept)
{
	if (!resolve_begin(call))
		return false;
	call->deadline_ms = kept->deadline_ms;
	call->fetched = kept->fetched;
	kept->fetched = NULL;
	return true;
}

void resolve_pause(struct resolve *call, struct resolve_kept *ret)
{
	*ret = (struct resolve_kept){.deadline_ms = call->deadline_ms, .fetched = call->fetched};
	call->fetched = NULL;
	resolve_end(call);
}

void resolve_forget(struct resolve_kept *kept)
{
	free_fetched(kept->fetched);
	kept->fetched = NULL;
}

int resolve_take(struct resolve *call, const struct name *name, struct blob *blob)
{
	struct resolve_fetched *f = malloc(sizeof *f);

	if (f == NULL) {
		blob_release(blob);
		return -ENOMEM;
	}
	f->name = *name;
	f->blob = blob;
	f->next = call->fetched;
	call->fetched = f;
	return 0;
}

/* A lookup that may be cancelled while it waits. */
struct pending {
	struct resolve *call;
	const struct lookup_query *query;
	bool *from_files; /* NULL: lookup_addrinfo() */
	struct lookup_answer *answer;
	struct lookup_question *question;
};

static enum lookup_result run(struct pending *p)
{
	if (p->from_files != NULL)
		return lookup_hostent(p->query, p->answer, p->from_files, p->question);
	return lookup_addrinfo(p->query, p->answer, p->question);
}

static enum lookup_result ask_all(struct pending *p)
{
	enum lookup_result r;

	do {
		if (ask(p->call, p->question) < 0)
			return LOOKUP_LIBC;
		r = run(p);
	} while (r == LOOKUP_ASK);
	return r;
}

static void clean_up(void *arg)
{
	struct pending *p = arg;

	lookup_answer_free(p->answer);
	resolve_end(p->call);
}

/* Out of line: a hit has no part in it. */
__attribute__((noinline)) static enum lookup_result wait_for_all(struct pending *p)
{
	struct cancel_cleanup cleanup;
	enum lookup_result r;

	cancel_push(&cleanup, clean_up, p);
	r = ask_all(p);
	cancel_pop(&cleanup);
	return r;
}

enum lookup_result resolve_look_up(struct resolve *call, const struct lookup_query *query,
				   bool *ret_from_files, struct lookup_answer *ret)
{
	struct lookup_question question;
	struct pending pending = {call, query, ret_from_files, ret, &question};
	enum lookup_result r;

	lookup_answer_init(ret);
	r = run(&pending);
	return r == LOOKUP_ASK ? wait_for_all(&pending) : r;
}
