// SPDX-License-Identifier: MIT
/*
 * lookup_search.h - the search list: which names are asked for one that a program gave, and when
 * the search ends. Used by lookup_dns.c alone; pure, any thread.
 */
#ifndef NOBLOCKDNS_LOOKUP_SEARCH_H
#define NOBLOCKDNS_LOOKUP_SEARCH_H

#include "shim/lookup.h"

/* A search: what it is for, and what it, or the last candidate so far, came to. */
struct search {
	const struct lookup_query *q;
	unsigned types;	     /* enum fetch_types that count; under no-aaaa one at most */
	bool aaaa_as_a;	     /* no-aaaa: AAAA alone is wanted, A is asked */
	struct entry *entry; /* of the candidate that ended the search; the answer's */
	char candidate[RESOLVER_NAME_MAX]; /* as spelt */
	bool by_domain; /* candidate is the name with a domain of the search list after it */
	int h_err;
	int err;       /* errno after the last candidate, as glibc's statuses depend on it */
	bool servfail; /* the last candidate failed with SERVFAIL */
	struct lookup_question *ret_question; /* borrowed; filled with SEARCH_ASK */
};

enum search_verdict {
	SEARCH_FOUND,	  /* `candidate` has records: `entry` */
	SEARCH_NOT_FOUND, /* h_err and err say why */
	SEARCH_ASK,	  /* *ret_question has to be asked first */
};

/* Searches for `name`; the caller has set what stands above `entry`, err, servfail and
 * ret_question. */
enum search_verdict search_run(struct search *s, const char *name);

/* Asks for `name` as it stands, or with `domain` (NULL: none) after it. */
enum search_verdict search_candidate(struct search *s, const char *name, const char *domain);

/* Does it fit a question: labels of 1 to 63 bytes, 255 bytes in all? Without regard to escapes. */
bool search_name_fits(const struct name *name);

#endif
