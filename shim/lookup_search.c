// SPDX-License-Identifier: MIT
/*
 * lookup_search.c - see lookup_search.h. The procedure (resolv.conf(5), glibc 2.36):
 *	1. with a trailing dot, the name alone; with at least ndots dots, the name first;
 *	2. each domain of the search list, until one has records, or the servers do not answer;
 *	3. the name as it is, where 1 did not ask it already (not for a name without dots under
 *	   no-tld-query).
 * An answer that has records of any kind, a CNAME that leads nowhere included, ends the search.
 * The error is that of the name as it is, where it was asked first; else "no data" if any name had
 * that; else the last.
 */
#include "shim/lookup_search.h"

#include "shim/fetch.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#define PORTION_MAX 1025 /* glibc's MAXDNAME */
#define WIRE_MAX    255	 /* bytes of a name in a message (RFC 1035 2.3.4) */

static unsigned first_type(unsigned types)
{
	return types & FETCH_A ? ENTRY_A : ENTRY_AAAA;
}

/* Does the message carry records in its answer section? One that is no good (a CNAME loop, say)
 * does: glibc finds no address in it and looks no further. */
static bool has_records(const struct entry_rrset *rr)
{
	return rr->kind == RESOLVER_ANSWER || (rr->kind == RESOLVER_NODATA && rr->nnames > 1) ||
	       (rr->kind == RESOLVER_FAILURE && rr->failure == RESOLVER_MALFORMED);
}

/* Did a server say something that glibc counts as a response? Over UDP it takes SERVFAIL, REFUSED
 * and NOTIMP for none. */
static bool responded(const struct search *s, const struct entry_rrset *rr)
{
	if (rr->kind != RESOLVER_FAILURE)
		return true;
	switch (rr->failure) {
	case RESOLVER_SERVFAIL:
	case RESOLVER_REFUSED:
		return s->q->settings->resolv.use_vc;
	case RESOLVER_FORMERR:
	case RESOLVER_MALFORMED:
	case RESOLVER_BAD_NAME:
		return true;
	case RESOLVER_FAILURE_NONE:
	case RESOLVER_TIMEOUT:
	case RESOLVER_UNREACHABLE:
	case RESOLVER_CANCELLED:
	case RESOLVER_LOCAL_ERROR:
		break;
	}
	return false;
}

static int rrset_h_err(const struct search *s, const struct entry_rrset *rr)
{
	switch (rr->kind) {
	case RESOLVER_NXDOMAIN:
		return HOST_NOT_FOUND;
	case RESOLVER_FAILURE:
		return responded(s, rr) && rr->failure != RESOLVER_SERVFAIL ? NO_RECOVERY
									    : TRY_AGAIN;
	case RESOLVER_NONE:
	case RESOLVER_ANSWER:
	case RESOLVER_NODATA:
		return NO_DATA;
	}
	return NO_RECOVERY;
}

/* Did no answer come that could be believed? */
static bool lost(const struct entry_rrset *rr)
{
	return rr->kind == RESOLVER_FAILURE &&
	       (rr->failure == RESOLVER_TIMEOUT || rr->failure == RESOLVER_UNREACHABLE);
}

/* Neither type has records: whose error? A refusal says nothing where the other type has an answer,
 * and "no data" is true only when the other has it, too. */
static const struct entry_rrset *blame(const struct search *s)
{
	const struct entry_rrset *a = &s->entry->rr[first_type(s->types)];
	const struct entry_rrset *b = &s->entry->rr[ENTRY_AAAA];

	if (s->types != (FETCH_A | FETCH_AAAA))
		return a;
	if (responded(s, b) ? !responded(s, a) && !lost(a) : lost(b) && a->kind == RESOLVER_NODATA)
		return b;
	return a->kind == RESOLVER_NODATA && responded(s, b) ? b : a;
}

static void judge_negative(struct search *s)
{
	const struct entry_rrset *rr = blame(s);

	s->h_err = rrset_h_err(s, rr);
	if (s->aaaa_as_a && lost(rr))
		s->h_err = NO_DATA; /* it reads a message that never came */
	s->servfail = rr->kind == RESOLVER_FAILURE && rr->failure == RESOLVER_SERVFAIL;
	s->err = responded(s, rr)		       ? 0
		 : rr->failure == RESOLVER_UNREACHABLE ? ECONNREFUSED
						       : ETIMEDOUT;
}

static enum search_verdict judge(struct search *s)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((s->types & 1u << t) && has_records(&s->entry->rr[t]))
			return SEARCH_FOUND;
	judge_negative(s);
	return SEARCH_NOT_FOUND;
}

/* no-aaaa: glibc asks for A in AAAA's place, to learn whether the name exists, and drops every
 * record of the answer. */
static void empty_aaaa(struct entry *entry)
{
	const struct entry_rrset *a = &entry->rr[ENTRY_A];
	struct entry_rrset *aaaa = &entry->rr[ENTRY_AAAA];

	*aaaa = (struct entry_rrset){.kind = a->kind, .failure = a->failure};
	if (has_records(a))
		*aaaa = (struct entry_rrset){.kind = RESOLVER_NODATA};
}

static unsigned asked_types(const struct search *s)
{
	return s->aaaa_as_a ? FETCH_A : s->types;
}

static int find(struct search *s, const struct name *name)
{
	const struct lookup_source *source = s->q->source;
	int r = source->find(source->ctx, name, asked_types(s), s->entry);

	if (r == 0 && s->aaaa_as_a)
		empty_aaaa(s->entry);
	return r;
}

bool search_name_fits(const struct name *name)
{
	size_t label = 0;

	if (name->len > WIRE_MAX - 2)
		return false;
	for (size_t i = 0; i < name->len; i++) {
		if (name->text[i] != '.') {
			label++;
			continue;
		}
		if (label == 0 || label > 63)
			return false;
		label = 0;
	}
	return label > 0 && label <= 63;
}

static enum search_verdict no_recovery(struct search *s, int err)
{
	s->h_err = NO_RECOVERY;
	if (err != 0)
		s->err = err;
	s->servfail = false;
	return SEARCH_NOT_FOUND;
}

/* Spells the candidate. Its length; 0 where it is longer than glibc's buffer. */
static size_t spell(struct search *s, const char *name, const char *domain)
{
	size_t n = strlen(name), d = domain == NULL ? 0 : strlen(domain);

	if (n == 0 || n + d + 1 >= PORTION_MAX)
		return 0;
	memcpy(s->candidate, name, n);
	if (d > 0) {
		s->candidate[n++] = '.';
		memcpy(s->candidate + n, domain, d);
		n += d;
	}
	if (s->candidate[n - 1] == '.')
		n--;
	s->candidate[n] = '\0';
	return n;
}

static enum search_verdict ask(struct search *s, const struct name *folded, size_t len)
{
	if (!search_name_fits(folded))
		return no_recovery(s, EMSGSIZE);
	if (find(s, folded) == 0)
		return judge(s);
	s->ret_question->name = *folded;
	s->ret_question->types = asked_types(s);
	memcpy(s->ret_question->spelling, s->candidate, len + 1);
	return SEARCH_ASK;
}

enum search_verdict search_candidate(struct search *s, const char *name, const char *domain)
{
	size_t len = spell(s, name, domain);
	struct name folded;

	s->by_domain = domain != NULL && domain[0] != '\0';
	if (len == 0)
		return no_recovery(s, 0);
	/* Mostly it is the name that was given, and that is folded already. */
	if (!s->by_domain && name == s->q->name && s->q->fits)
		return ask(s, &s->q->folded, len);
	if (name_fold(s->candidate, &folded) < 0 || folded.trailing_dot)
		return no_recovery(s, EMSGSIZE);
	return ask(s, &folded, len);
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

static enum search_verdict search_domains(struct search *s, const char *name, struct tally *tally)
{
	const struct resolv_conf *conf = &s->q->settings->resolv;

	for (unsigned i = 0; i < conf->nsearch && !tally->stop; i++) {
		const char *domain = conf->search[i];
		enum search_verdict v;

		if (domain[0] == '.')
			domain++;
		if (domain[0] == '\0')
			tally->root = true;
		v = search_candidate(s, name, domain);
		if (v != SEARCH_NOT_FOUND)
			return v;
		if (s->err == ECONNREFUSED) {
			s->h_err = TRY_AGAIN;
			return SEARCH_NOT_FOUND;
		}
		count_failure(s, tally);
	}
	return SEARCH_NOT_FOUND;
}

static enum search_verdict search_folded(struct search *s, const char *name,
					 const struct name *folded)
{
	const struct resolv_conf *conf = &s->q->settings->resolv;
	bool as_is =
		folded->dots + folded->trailing_dot >= (int)conf->ndots || folded->trailing_dot;
	bool searched = conf->nsearch > 0 && !folded->trailing_dot;
	struct tally tally = {0};
	int saved_h_err = 0;
	enum search_verdict v;

	s->h_err = HOST_NOT_FOUND;
	if (as_is) {
		v = search_candidate(s, name, NULL);
		if (v != SEARCH_NOT_FOUND || folded->trailing_dot)
			return v;
		saved_h_err = s->h_err;
	}
	if (searched) {
		v = search_domains(s, name, &tally);
		if (v != SEARCH_NOT_FOUND || s->err == ECONNREFUSED)
			return v;
	}
	if ((folded->dots > 0 || !searched || !conf->no_tld_query) && !as_is && !tally.root) {
		v = search_candidate(s, name, NULL);
		if (v != SEARCH_NOT_FOUND)
			return v;
	}
	if (as_is)
		s->h_err = saved_h_err;
	else if (tally.nodata)
		s->h_err = NO_DATA;
	else if (tally.servfail)
		s->h_err = TRY_AGAIN;
	return SEARCH_NOT_FOUND;
}

enum search_verdict search_run(struct search *s, const char *name)
{
	struct name folded;

	if (name == s->q->name && s->q->fits)
		return search_folded(s, name, &s->q->folded);
	return name_fold(name, &folded) < 0 ? no_recovery(s, EMSGSIZE)
					    : search_folded(s, name, &folded);
}
