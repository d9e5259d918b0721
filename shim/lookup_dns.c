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
 * Names that are no host names, and names with escapes, are not searched for (refuse_name()).
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
#define WIRE_MAX    255	 /* bytes of a name in a message (RFC 1035 2.3.4) */

/* What one candidate, or the search so far, came to. */
struct search {
	const struct lookup_query *q;
	unsigned types;			   /* that count; under no-aaaa one at most */
	bool aaaa_as_a;			   /* no-aaaa: AAAA alone is wanted, A is asked */
	struct entry entry;		   /* of the candidate that ended the search */
	char candidate[RESOLVER_NAME_MAX]; /* as spelt */
	int h_err;
	int err;       /* errno after the last candidate, as glibc's statuses depend on it */
	bool servfail; /* the last candidate failed with SERVFAIL */
	struct lookup_question *ret_question;
};

enum verdict { FOUND, NOT_FOUND, ASK };

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
	case RESOLVER_NO_MEMORY:
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
	const struct entry_rrset *a = &s->entry.rr[first_type(s->types)];
	const struct entry_rrset *b = &s->entry.rr[ENTRY_AAAA];

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

static enum verdict judge(struct search *s)
{
	for (int t = 0; t < ENTRY_NTYPES; t++)
		if ((s->types & 1u << t) && has_records(&s->entry.rr[t]))
			return FOUND;
	judge_negative(s);
	return NOT_FOUND;
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
	int r = source->find(source->ctx, name, asked_types(s), &s->entry);

	if (r == 0 && s->aaaa_as_a)
		empty_aaaa(&s->entry);
	return r;
}

/* Does it fit a question: labels of 1 to 63 bytes, 255 bytes in all? There are no escapes here. */
static bool fits(const struct name *name)
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

static enum verdict no_recovery(struct search *s, int err)
{
	s->h_err = NO_RECOVERY;
	if (err != 0)
		s->err = err;
	s->servfail = false;
	return NOT_FOUND;
}

/* Asks for `name`, or for `name`.`domain`. */
static enum verdict try_candidate(struct search *s, const char *name, const char *domain)
{
	size_t n = strlen(name), d = domain == NULL ? 0 : strlen(domain);
	struct name folded;

	if (n == 0 || n + d + 1 >= PORTION_MAX)
		return no_recovery(s, 0);
	memcpy(s->candidate, name, n);
	if (d > 0) {
		s->candidate[n++] = '.';
		memcpy(s->candidate + n, domain, d);
		n += d;
	}
	if (s->candidate[n - 1] == '.')
		n--;
	s->candidate[n] = '\0';
	if (name_fold(s->candidate, &folded) < 0 || folded.trailing_dot || !fits(&folded))
		return no_recovery(s, EMSGSIZE);
	if (find(s, &folded) < 0) {
		s->ret_question->name = folded;
		s->ret_question->types = asked_types(s);
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

static struct lookup_status take_answer(const struct search *s, bool both, bool mapped,
					struct lookup_answer *answer)
{
	bool any = false;

	if (!is_host_name(s->candidate)) /* by its search domain */
		return (struct lookup_status){NSSWITCH_NOTFOUND, HOST_NOT_FOUND, ENOENT};
	for (int t = 0; t < ENTRY_NTYPES; t++) {
		const struct entry_rrset *rr = &s->entry.rr[t];

		if (!(s->types & 1u << t) || rr->kind != RESOLVER_ANSWER)
			continue;
		if (!any && !answer->has_canon)
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

/* What has no question: *ret is set, or it is libc's. True: there is nothing to ask. */
static bool refuse_name(const struct lookup_query *q, struct lookup_status *ret,
			enum lookup_result *ret_result)
{
	/* getaddrinfo() calls the module's gethostbyname3_r for these, which does not look at the
	 * name before it asks; the others do. */
	bool checked = q->family == AF_UNSPEC || !q->want_canon;
	struct name folded;

	*ret_result = LOOKUP_DONE;
	if (strchr(q->name, '\\') != NULL) {
		*ret_result = LOOKUP_LIBC; /* an escape may stand for anything */
		return true;
	}
	if (is_host_name(q->name) &&
	    (!checked || (name_fold(q->name, &folded) == 0 && fits(&folded))))
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
	struct name folded;
	enum verdict v;

	if (refuse_name(q, ret_status, &result))
		return result;
	s.q = q;
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
		v = try_candidate(&s, only, NULL);
	else if (name_fold(name, &folded) < 0)
		v = no_recovery(&s, EMSGSIZE);
	else
		v = search(&s, name, &folded);
	if (v == ASK)
		return LOOKUP_ASK;
	*ret_status = v == FOUND ? take_answer(&s, both, mapped, answer) : take_error(&s);
	return LOOKUP_DONE;
}
