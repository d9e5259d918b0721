// SPDX-License-Identifier: MIT
/* fetch_kept.c - see fetch_kept.h. */
#include "shim/fetch_kept.h"

#include "shim/fetch_guard.h"

#include <stdlib.h>
#include <string.h>

static size_t pack_names(const struct resolver_rrset *rrset, char *ret)
{
	size_t len = 0;

	for (unsigned i = 0; i < rrset->nnames; i++) {
		size_t n = strlen(rrset->names[i]) + 1;

		if (ret != NULL)
			memcpy(ret + len, rrset->names[i], n);
		len += n;
	}
	return len;
}

void fetch_kept_refuse(struct fetch_kept *ret, uint64_t now_ms)
{
	*ret = (struct fetch_kept){
		.rrset = {.kind = RESOLVER_FAILURE, .failure = RESOLVER_LOCAL_ERROR},
		.stored_ms = now_ms};
}

/* A negative answer that may not be kept (TTL 0: without a SOA, RFC 2308 section 5) stays one. */
static void clamp_ttl(struct resolver_rrset *rrset, const struct fetch *f)
{
	if (rrset->ttl_s > f->max_ttl_s)
		rrset->ttl_s = f->max_ttl_s;
	if (rrset->ttl_s < f->min_ttl_s && (rrset->kind == RESOLVER_ANSWER || rrset->ttl_s > 0))
		rrset->ttl_s = f->min_ttl_s;
}

void fetch_kept_take(struct fetch_kept *ret, const struct fetch *fetch, int type,
		     const struct resolver_rrset *rrset, uint64_t now_ms)
{
	size_t addrs_len = (size_t)rrset->naddrs * (type == ENTRY_A ? 4 : 16);

	*ret = (struct fetch_kept){.rrset = *rrset, .stored_ms = now_ms};
	ret->names_len = pack_names(rrset, NULL);
	ret->names = malloc(ret->names_len + 1);
	ret->addrs = malloc(addrs_len + 1);
	if (ret->names == NULL || ret->addrs == NULL) {
		fetch_kept_free(ret);
		fetch_kept_refuse(ret, now_ms);
		return;
	}
	pack_names(rrset, ret->names);
	if (addrs_len > 0)
		memcpy(ret->addrs, rrset->addrs, addrs_len);
	clamp_ttl(&ret->rrset, fetch);
	fetch_guard(ret, fetch);
}

void fetch_kept_describe(const struct fetch_kept *kept, struct entry_rrset *ret)
{
	*ret = (struct entry_rrset){
		.kind = kept->rrset.kind,
		.failure = kept->rrset.failure,
		.ad = kept->rrset.ad,
		.ttl_s = kept->rrset.ttl_s,
		.stored_ms = kept->stored_ms,
		.nnames = kept->rrset.nnames,
		.names = kept->names,
		.names_len = kept->names_len,
		.naddrs = kept->rrset.naddrs,
		.addrs = kept->addrs,
	};
}

void fetch_kept_free(struct fetch_kept *kept)
{
	free(kept->names);
	free(kept->addrs);
}
