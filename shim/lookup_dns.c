// SPDX-License-Identifier: MIT
/*
 * lookup_dns.c - what libc's nss_dns module does with a name:
 *	1. a name that is no host name is not asked for, and one with escapes is libc's;
 *	2. a name without a dot may be an alias of $HOSTALIASES;
 *	3. the search list (lookup_search.h);
 *	4. how the answers to A and AAAA combine into one status.
 */
#include "shim/fetch.h"
#include "shim/host_alias.h"
#include "shim/lookup.h"
#include "shim/lookup_search.h"
#include "shim/v4mapped.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

static bool is_host_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

/* glibc's res_hnok(), for names without escapes. */
static bool is_host_name(const char *name)
{
	if (name[0] == '-')
		return false;
	while (is_host_letter(*name))
		name++;
	return *name == '\0';
}

static bool copy_addrs(const struct entry_rrset *rr, int type, bool mapped,
		       struct lookup_addrs *addrs)
{
	size_t size = type == ENTRY_A ? 4 : 16;

	for (unsigned i = 0; i < rr->naddrs; i++) {
		const unsigned char *addr = rr->addrs + i * size;
		int family = type == ENTRY_A ? AF_INET : AF_INET6;
		struct in6_addr v6;

		if (mapped) {
			v6 = v4mapped_make(addr);
			family = AF_INET6;
			addr = v6.s6_addr;
		}
		if (!lookup_addrs_add(addrs, family, addr))
			return false;
	}
	return true;
}

/* The CNAME chain: its last name is the host's, the others are aliases. The question itself is in
 * the letters of this lookup, not of the one that filled the cache. */
static void copy_names(const struct search *s, const struct entry_rrset *rr,
		       struct lookup_names *names)
{
	const char *name = rr->names;

	names->naliases = 0;
	names->aliases_len = 0;
	names->canon[0] = '\0';
	for (unsigned i = 0; i < rr->nnames; i++, name += strlen(name) + 1) {
		const char *text = i == 0 ? s->candidate : name;
		size_t len = strlen(text) + 1;

		if (len > sizeof names->canon)
			continue; /* no DNS message holds one, a damaged cache may */
		if (i + 1 == rr->nnames) {
			memcpy(names->canon, text, len);
		} else if (names->aliases_len + len <= sizeof names->aliases) {
			memcpy(names->aliases + names->aliases_len, text, len);
			names->aliases_len += len;
			names->naliases++;
		}
	}
}

static struct lookup_status take_answer(const struct search *s, bool both, bool mapped,
					struct lookup_answer *answer)
{
	bool any = false, named = answer->has_canon;

	if (s->by_domain && !is_host_name(s->candidate))
		return (struct lookup_status){NSSWITCH_NOTFOUND, HOST_NOT_FOUND, ENOENT};
	for (int t = 0; t < ENTRY_NTYPES; t++) {
		const struct entry_rrset *rr = &s->entry->rr[t];

		if (!(s->types & 1u << t) || rr->kind != RESOLVER_ANSWER)
			continue;
		if (!any && !answer->has_canon && s->q->want_names) {
			copy_names(s, rr, &answer->names);
			named = true;
		}
		any = true;
		answer->addrs.order = s->entry->order;
		if (!copy_addrs(rr, t, mapped, &answer->addrs))
			return (struct lookup_status){NSSWITCH_TRYAGAIN, NETDB_INTERNAL, ENOMEM};
	}
	if (any) {
		answer->has_canon = named;
		return (struct lookup_status){NSSWITCH_SUCCESS, NETDB_SUCCESS, 0};
	}
	/* Only a CNAME that leads nowhere. nss_dns's two functions differ in the error. */
	if (both)
		return (struct lookup_status){NSSWITCH_NOTFOUND, HOST_NOT_FOUND, 0};
	return (struct lookup_status){NSSWITCH_TRYAGAIN, NO_RECOVERY, ENOENT};
}

static struct lookup_status take_error(const struct search *s)
{
	struct lookup_status status = {NSSWITCH_NOTFOUND, s->h_err, 0};

	if (s->err == ETIMEDOUT || s->err == ECONNREFUSED)
		status.status = NSSWITCH_UNAVAIL;
	if (s->h_err == TRY_AGAIN)
		status.err = EAGAIN;
	return status;
}

/* The alias of a name without dots, in `buf`; or NULL. */
static const char *alias_of(const struct lookup_query *q, const char *name,
			    char buf[HOST_ALIAS_MAX])
{
	const char *path = q->settings->host_aliases;

	if (path == NULL || strchr(name, '.') != NULL || host_alias_lookup(path, name, buf) < 0)
		return NULL;
	return buf;
}

/* The same of the name that was given, of which one walk has already noted the unusual bytes. */
static bool asks_for_host_name(const struct lookup_query *q)
{
	return q->fits ? q->name[0] != '-' && !q->folded.unusual && !q->folded.non_ascii
		       : is_host_name(q->name);
}

/* What has no question: *ret is set, or it is libc's. True: there is nothing to ask. */
static bool refuse_name(const struct lookup_query *q, struct lookup_status *ret,
			enum lookup_result *ret_result)
{
	/* getaddrinfo() calls the module's gethostbyname3_r for these, which does not look at the
	 * name before it asks; the others do. */
	bool checked = q->family == AF_UNSPEC || !q->want_canon;
	bool plain = asks_for_host_name(q);

	*ret_result = LOOKUP_DONE;
	if (!plain && strchr(q->name, '\\') != NULL) {
		*ret_result = LOOKUP_LIBC; /* an escape may stand for anything */
		/* also for a way around the guard: libc has none */
		if (q->settings->config->rebind_guard)
			*ret_result = LOOKUP_DONE;
		*ret = (struct lookup_status){NSSWITCH_NOTFOUND, HOST_NOT_FOUND, 0};
		return true;
	}
	if (plain && (!checked || (q->fits && search_name_fits(&q->folded))))
		return false;
	*ret = (struct lookup_status){NSSWITCH_NOTFOUND, HOST_NOT_FOUND, 0};
	if (!checked)
		*ret_result = LOOKUP_LIBC;
	return true;
}

enum lookup_result lookup_dns(const struct lookup_query *q, unsigned types, bool mapped,
			      struct lookup_answer *answer, struct lookup_status *ret_status,
			      struct lookup_question *ret_question)
{
	bool both = types == (FETCH_A | FETCH_AAAA);
	struct search s;
	char alias[HOST_ALIAS_MAX], alias2[HOST_ALIAS_MAX];
	const char *name, *only = NULL; /* nss_dns resolves an alias, and res_search once more */
	enum lookup_result result;
	enum search_verdict v;

	if (refuse_name(q, ret_status, &result))
		return result;
	s.q = q;
	s.entry = &answer->entry;
	s.types = both && q->settings->resolv.no_aaaa ? FETCH_A : types;
	s.aaaa_as_a = types == FETCH_AAAA && q->settings->resolv.no_aaaa;
	s.err = 0;
	s.servfail = false;
	s.ret_question = ret_question;
	name = alias_of(q, q->name, alias);
	if (name != NULL)
		only = alias_of(q, name, alias2);
	else
		name = q->name;
	if (only != NULL)
		v = search_candidate(&s, only, NULL);
	else
		v = search_run(&s, name);
	if (v == SEARCH_ASK)
		return LOOKUP_ASK;
	*ret_status = v == SEARCH_FOUND ? take_answer(&s, both, mapped, answer) : take_error(&s);
	return LOOKUP_DONE;
}
