// SPDX-License-Identifier: MIT
/*
 * lookup_dns.c - what libc's nss_dns module does with a name: host aliases, the search list, and
 * how the answers to A and AAAA combine into one status.
 *
 * Search (resolv.conf(5), glibc 2.36):
 *	1. a name without a dot may be an alias of $HOSTALIASES: that one alone is asked;
 *	2. with a trailing dot, the name alone; with at least ndots dots, the name first;
 *	3. each domain of the search list, until one has records, or the servers do not answer;
 *	4. the name as it is, where 2 did not ask it already (not for a name without dots under
 *	   no-tld-query).
 * An answer that has records of any kind, a CNAME that leads nowhere included, ends the search.
 * The error is that of the name as it is, where it was asked first; else "no data" if any name had
 * that; else the last.
 */
#include "shim/fetch.h"
#include "shim/host_alias.h"
#include "shim/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#define PORTION_MAX 1025 /* glibc's MAXDNAME */

/* What one candidate, or the search so far, came to. */
struct search {
	const struct lookup_query *q;
	unsigned types;
	struct entry entry;		   /* of the candidate that ended the search */
	char candidate[RESOLVER_NAME_MAX]; /* as spelt */
	int h_err;
	int err;       /* sticks, as errno does in glibc: 0, ETIMEDOUT or ECONNREFUSED */
	bool servfail; /* the last candidate failed with SERVFAIL */
	struct lookup_question *ret_question;
};

enum verdict { FOUND, NOT_FOUND, ASK };

static unsigned first_type(unsigned types)
{
	return types & FETCH_A ? ENTRY_A : ENTRY_AAAA;
}

/* Does the message carry records in its answer section? */
static bool has_records(const struct entry_rrset *rr)
{
	return rr->kind == RESOLVER_ANSWER || (rr->kind == RESOLVER_NODATA && rr->nnames > 1);
}

/* Did a server say something that glibc counts as a response? */
static bool responded(const struct entry_rrset *rr)
{
	return rr->kind != RESOLVER_FAILURE || rr->failure == RESOLVER_FORMERR;
}

static int rrset_h_err(const struct entry_rrset *rr)
{
	switch (rr->kind) {
	case RESOLVER_NXDOMAIN:
		return HOST_NOT_FOUND;
	case RESOLVER_FAILURE:
		return rr->failure == RESOLVER_FORMERR || rr->failure == RESOLVER_BAD_NAME
			       ? NO_RECOVERY
			       : TRY_AGAIN;
	case RESOLVER_NONE:
	case RESOLVER_ANSWER:
	case RESOLVER_NODATA:
		return NO_DATA;
	}
	return NO_RECOVERY;
}

/* Neither type has records: which error? The first type's, unless it is only "no data". */
static void judge_negative(struct search *s)
{
	const struct entry_rrset *a = &s->entry.rr[first_type(s->types)];
	const struct entry_rrset *b =
		s->types == (FETCH_A | FETCH_AAAA) ? &s->entry.rr[ENTRY_AAAA] : a;

	if (!responded(a) && responded(b))
		a = b;
	if (!responded(b) && responded(a))
		b = a;
	s->h_err = rrset_h_err(a->kind == RESOLVER_NODATA ? b : a);
	s->servfail = a->kind == RESOLVER_FAILURE && a->failure == RESOLVER_SERVFAIL;
	if (a->kind == RESOLVER_FAILURE && s->h_err == TRY_AGAIN)
		s->err = a->failure == RESOLVER_UNREACHABLE ? ECONNREFUSED : ETIMEDOUT;
}

static enum verdict judge(struct search *s)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((s->types & 1u << t) && has_records(&s->entry.rr[t]))
			return FOUND;
	judge_negative(s);
	return NOT_FOUND;
}

/* resolv.conf's no-aaaa: the question is not put, and there is no data. */
static int find(struct search *s, const struct name *name)
{
	unsigned types = s->types;
	int r;

	if (s->q->settings->resolv.no_aaaa)
		types &= ~(unsigned)FETCH_AAAA;
	if (types == 0) {
		memset(&s->entry, 0, sizeof s->entry);
		r = 0;
	} else {
		r = s->q->source->find(s->q->source->ctx, name, types, &s->entry);
	}
	if (r == 0 && types != s->types)
		s->entry.rr[ENTRY_AAAA] = (struct entry_rrset){.kind = RESOLVER_NODATA};
	return r;
}

/* Is every label 1 to 63 bytes? An escape counts longer than it is: the resolver decides then. */
static bool labels_fit(const struct name *name)
{
	size_t label = 0;

	for (size_t i = 0; i < name->len; i++) {
		if (name->text[i] == '\\')
			return true;
		if (name->text[i] != '.') {
			label++;
		} else {
			if (label == 0 || label > 63)
				return false;
			label = 0;
		}
	}
	return label > 0 && label <= 63;
}

static enum verdict no_recovery(struct search *s)
{
	s->h_err = NO_RECOVERY;
	s->servfail = false;
	return NOT_FOUND;
}

/* Asks for `name`, or for `name`.`domain`. */
static enum verdict try_candidate(struct search *s, const char *name, const char *domain)
{
	size_t n = strlen(name), d = domain == NULL ? 0 : strlen(domain);
	struct name folded;

	if (n == 0 || n + d + 1 >= PORTION_MAX)
		return no_recovery(s);
	memcpy(s->candidate, name, n);
	if (d > 0) {
		s->candidate[n++] = '.';
		memcpy(s->candidate + n, domain, d);
		n += d;
	}
	if (s->candidate[n - 1] == '.')
		n--;
	s->candidate[n] = '\0';
	if (name_fold(s->candidate, &folded) < 0 || folded.trailing_dot || !labels_fit(&folded))
		return no_recovery(s);
	if (find(s, &folded) < 0) {
		s->ret_question->name = folded;
		s->ret_question->types = s->types;
		if (s->q->settings->resolv.no_aaaa)
			s->ret_question->types &= ~(unsigned)FETCH_AAAA;
		memcpy(s->ret_question->spelling, s->candidate, n + 1);
		return ASK;
	}
	return judge(s);
}

struct tally {
	bool nodata, servfail, root;
	bool stop; /* asking further domains is of no use */
};

/* After a search domain failed: does the search go on? */
static void count_failure(const struct search *s, struct tally *tally)
{
	switch (s->h_err) {
	case NO_DATA:
		tally->nodata = true;
		break;
	case HOST_NOT_FOUND:
		break;
	case TRY_AGAIN:
		tally->servfail |= s->servfail;
		tally->stop = !s->servfail;
		break;
	default:
		tally->stop = true;
	}
}

static enum verdict search_domains(struct search *s, const char *name, struct tally *tally)
{
	const struct resolv_conf *conf = &s->q->settings->resolv;

	for (unsigned i = 0; i < conf->nsearch && !tally->stop; i++) {
		const char *domain = conf->search[i];
		enum verdict v;

		if (domain[0] == '.')
			domain++;
		if (domain[0] == '\0')
			tally->root = true;
		v = try_candidate(s, name, domain);
		if (v != NOT_FOUND)
			return v;
		if (s->err == ECONNREFUSED) {
			s->h_err = TRY_AGAIN;
			return NOT_FOUND;
		}
		count_failure(s, tally);
	}
	return NOT_FOUND;
}

static enum verdict search(struct search *s, const char *name, const struct name *folded)
{
	const struct resolv_conf *conf = &s->q->settings->resolv;
	bool as_is =
		folded->dots + folded->trailing_dot >= (int)conf->ndots || folded->trailing_dot;
	bool searched = conf->nsearch > 0 && !folded->trailing_dot;
	struct tally tally = {0};
	int saved_h_err = 0;
	enum verdict v;

	s->h_err = HOST_NOT_FOUND;
	if (as_is) {
		v = try_candidate(s, name, NULL);
		if (v != NOT_FOUND || folded->trailing_dot)
			return v;
		saved_h_err = s->h_err;
	}
	if (searched) {
		v = search_domains(s, name, &tally);
		if (v != NOT_FOUND || s->err == ECONNREFUSED)
			return v;
	}
	if ((folded->dots > 0 || !searched || !conf->no_tld_query) && !as_is && !tally.root) {
		v = try_candidate(s, name, NULL);
		if (v != NOT_FOUND)
			return v;
	}
	if (as_is)
		s->h_err = saved_h_err;
	else if (tally.nodata)
		s->h_err = NO_DATA;
	else if (tally.servfail)
		s->h_err = TRY_AGAIN;
	return NOT_FOUND;
}

static bool copy_addrs(const struct entry_rrset *rr, int type, bool mapped,
		       struct lookup_addrs *addrs)
{
	size_t size = type == ENTRY_A ? 4 : 16;

	for (unsigned i = 0; i < rr->naddrs; i++) {
		unsigned char v6[16] = {[10] = 0xff, [11] = 0xff};
		const unsigned char *addr = rr->addrs + i * size;
		int family = type == ENTRY_A ? AF_INET : AF_INET6;

		if (mapped) {
			memcpy(v6 + 12, addr, 4);
			family = AF_INET6;
			addr = v6;
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

static struct lookup_status take_answer(const struct search *s, bool mapped,
					struct lookup_answer *answer)
{
	bool both = s->types == (FETCH_A | FETCH_AAAA);
	bool any = false;

	for (int t = 0; t < ENTRY_NTYPES; t++) {
		const struct entry_rrset *rr = &s->entry.rr[t];

		if (!(s->types & 1u << t) || rr->kind != RESOLVER_ANSWER)
			continue;
		if (!any)
			copy_names(s, rr, &answer->names);
		any = true;
		if (!copy_addrs(rr, t, mapped, &answer->addrs))
			return (struct lookup_status){NSSWITCH_TRYAGAIN, NETDB_INTERNAL, ENOMEM};
	}
	if (any) {
		answer->has_canon = true;
		return (struct lookup_status){NSSWITCH_SUCCESS, NETDB_SUCCESS, 0};
	}
	/* Only a CNAME that leads nowhere. nss_dns's two functions differ in the error. */
	return (struct lookup_status){NSSWITCH_NOTFOUND, both ? HOST_NOT_FOUND : NO_RECOVERY, 0};
}

static struct lookup_status take_error(const struct search *s)
{
	struct lookup_status status = {NSSWITCH_NOTFOUND, s->h_err, 0};

	if (s->err != 0)
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

enum lookup_result lookup_dns(const struct lookup_query *q, unsigned types, bool mapped,
			      struct lookup_answer *answer, struct lookup_status *ret_status,
			      struct lookup_question *ret_question)
{
	struct search s;
	char alias[HOST_ALIAS_MAX], alias2[HOST_ALIAS_MAX];
	const char *name = alias_of(q, q->name, alias);
	const char *only = NULL; /* nss_dns resolves an alias, and res_search once more */
	struct name folded;
	enum verdict v;

	s.q = q;
	s.types = types;
	s.err = 0;
	s.servfail = false;
	s.ret_question = ret_question;
	if (name != NULL)
		only = alias_of(q, name, alias2);
	else
		name = q->name;
	if (only != NULL)
		v = try_candidate(&s, only, NULL);
	else if (name_fold(name, &folded) < 0)
		v = no_recovery(&s);
	else
		v = search(&s, name, &folded);
	if (v == ASK)
		return LOOKUP_ASK;
	*ret_status = v == FOUND ? take_answer(&s, mapped, answer) : take_error(&s);
	return LOOKUP_DONE;
}
