// SPDX-License-Identifier: MIT
/*
 * ask_rig.h - a lookup call of www.test over a private cache, by a clock that is given, and what
 * the cache has of the name: one word for each type.
 *
 *	fresh       an address whose TTL runs
 *	stale       one whose TTL is over
 *	old         one that is too old to be given
 *	ahead       one from the future
 *	nodata      a fresh negative answer
 *	was-nodata  a stale one
 *	failure     a failure among the answers, where none belongs
 *	-           nothing
 */
#ifndef ASK_RIG_H
#define ASK_RIG_H

#include "shim/ask_plan.h"
#include "shim/failures.h"
#include "shim/resolve.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define RIG_VIEW	SAMPLE_VIEW
#define RIG_TTL_S	60u
#define RIG_MAX_S	1000u /* NOBLOCKDNS_STALE_MAX */
#define RIG_AFTER_MS	300u
#define RIG_DEADLINE_MS 5000u

static const struct lookup_question rig_question = {
	.name = {.text = "www.test", .len = 8},
	.spelling = "www.test",
	.types = FETCH_A | FETCH_AAAA,
};

static struct config rig_config;
static struct settings rig_settings;
static struct resolve rig_call;
static uint64_t rig_now_ms; /* what "fresh" and the like are told by */

static inline void rig_start(uint64_t now_ms)
{
	rig_now_ms = now_ms;
	rig_config = (struct config){.stale_max_s = RIG_MAX_S,
				     .stale_after_ms = RIG_AFTER_MS,
				     .resolution_delay_ms = 50};
	rig_settings = (struct settings){
		.config = &rig_config, .view = RIG_VIEW, .cache = private_cache(CACHE_SIZE_MIN)};
	rig_call = (struct resolve){.settings = &rig_settings,
				    .now_ms = now_ms,
				    .deadline_ms = now_ms + RIG_DEADLINE_MS};
}

static inline void rig_end(void)
{
	cache_close(rig_settings.cache);
}

/* What the word stands for; the address ends with `last`. */
static inline struct entry_rrset rig_rrset(const char *word, int type, unsigned char last)
{
	static unsigned char addrs[256][16];
	const uint64_t now_ms = rig_now_ms, ttl_ms = RIG_TTL_S * 1000;
	struct entry_rrset rr = {.kind = RESOLVER_ANSWER, .ttl_s = RIG_TTL_S, .stored_ms = now_ms};

	if (strcmp(word, "-") == 0)
		return (struct entry_rrset){.kind = RESOLVER_NONE};
	if (strcmp(word, "stale") == 0 || strcmp(word, "was-nodata") == 0)
		rr.stored_ms = now_ms - ttl_ms;
	else if (strcmp(word, "old") == 0)
		rr.stored_ms = now_ms - ttl_ms - RIG_MAX_S * 1000 - 1;
	else if (strcmp(word, "ahead") == 0)
		rr.stored_ms = now_ms + 1;
	if (strstr(word, "nodata") != NULL)
		rr.kind = RESOLVER_NODATA;
	if (strcmp(word, "failure") == 0) {
		rr.kind = RESOLVER_FAILURE;
		rr.failure = RESOLVER_SERVFAIL;
		rr.stored_ms = now_ms - ttl_ms;
	}
	if (rr.kind != RESOLVER_ANSWER)
		return rr;
	addrs[last][type == ENTRY_A ? 3 : 15] = last;
	rr.naddrs = 1;
	rr.addrs = addrs[last];
	return rr;
}

static inline struct entry rig_entry(const char *a, const char *aaaa, unsigned char last)
{
	return (struct entry){
		.view = RIG_VIEW,
		.name = rig_question.name.text,
		.name_len = rig_question.name.len,
		.rr = {rig_rrset(a, ENTRY_A, last), rig_rrset(aaaa, ENTRY_AAAA, last)}};
}

/* Into the cache. */
static inline void rig_store(const char *a, const char *aaaa)
{
	const struct entry entry = rig_entry(a, aaaa, 1);
	struct blob *blob = blob_encode(&entry);

	cr_assert(blob != NULL);
	cr_assert_eq(
		cache_store(rig_settings.cache,
			    cache_hash(rig_settings.cache, RIG_VIEW, entry.name, entry.name_len),
			    blob->data, blob->size, rig_now_ms),
		0);
	blob_release(blob);
}

/* These types have failed a moment ago. */
static inline void rig_fail(unsigned types)
{
	struct entry_rrset rrs[ENTRY_NTYPES] = {0};

	for (int t = 0; t < ENTRY_NTYPES; t++)
		if (types & 1u << t)
			rrs[t] = (struct entry_rrset){.kind = RESOLVER_FAILURE,
						      .failure = RESOLVER_SERVFAIL};
	failures_note(rig_settings.cache, RIG_VIEW, &rig_question.name, rrs, rig_now_ms);
}

/* What is in an RRset: its address's last byte, or a letter; of one that has no use, "!". */
static inline const char *rig_rrset_str(const struct entry_rrset *rr, int type, char ret[8])
{
	switch (rr->kind) {
	case RESOLVER_NONE:
		return "-";
	case RESOLVER_FAILURE:
		return "failure";
	case RESOLVER_NXDOMAIN:
	case RESOLVER_NODATA:
		return entry_fresh(rr, rig_call.now_ms) ? "nodata" : "!";
	case RESOLVER_ANSWER:
		break;
	}
	if (!entry_fresh(rr, rig_call.now_ms))
		return "!";
	snprintf(ret, 8, "%u%s", rr->addrs[type == ENTRY_A ? 3 : 15],
		 rr->ttl_s == ASK_STALE_TTL_S ? "s" : "");
	return ret;
}

/* "A AAAA", as above; an address that is given stale has an s. "none" where there is no blob. */
static inline const char *rig_blob_str(const struct blob *blob)
{
	static char text[32];
	struct entry entry;
	char a[8], aaaa[8];

	if (blob == NULL)
		return "none";
	cr_assert_eq(entry_decode(blob->data, blob->size, &entry), 0);
	snprintf(text, sizeof text, "%s %s", rig_rrset_str(&entry.rr[ENTRY_A], ENTRY_A, a),
		 rig_rrset_str(&entry.rr[ENTRY_AAAA], ENTRY_AAAA, aaaa));
	return text;
}

#endif
