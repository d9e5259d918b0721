// SPDX-License-Identifier: MIT
/*
 * lookup.c - the story of a lookup: nsswitch's modules one after the other, until one answers.
 *
 * glibc asks the modules in three different ways, which differ in details that programs see:
 *
 *	AF_UNSPEC              gethostbyname4_r: both families at once, statuses combined
 *	AF_INET without canon  gethostbyname2_r and its own loop over the modules
 *	the others             gethostbyname3_r: IPv6, then IPv4 as AI_V4MAPPED wants it
 */
#include "shim/lookup.h"

#include "shim/fetch.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

void lookup_query_name(struct lookup_query *q, const char *name)
{
	q->name = name;
	q->fits = name_fold(name, &q->folded) == 0;
}

void lookup_answer_init(struct lookup_answer *answer)
{
	answer->eai = 0;
	answer->h_err = 0;
	answer->err = 0;
	answer->has_canon = false;
	answer->addrs.n = 0;
	answer->addrs.mapped = false;
	answer->addrs.order = NULL;
	answer->addrs.room = LOOKUP_INLINE;
	answer->addrs.v = answer->addrs.inlined;
	answer->names.naliases = 0;
	answer->names.aliases_len = 0;
}

void lookup_answer_free(struct lookup_answer *answer)
{
	if (answer->addrs.v != answer->addrs.inlined)
		free(answer->addrs.v);
	answer->addrs.v = answer->addrs.inlined;
}

bool lookup_addrs_add(struct lookup_addrs *addrs, int family, const void *addr)
{
	struct order_dest *dest;

	if (addrs->n == addrs->room) {
		bool inlined = addrs->v == addrs->inlined;
		struct order_dest *grown;

		assert(addrs->room > 0); /* since lookup_answer_init() */
		grown = realloc(inlined ? NULL : addrs->v, 2 * addrs->room * sizeof *grown);
		if (grown == NULL)
			return false;
		if (inlined)
			memcpy(grown, addrs->inlined, sizeof addrs->inlined);
		addrs->v = grown;
		addrs->room *= 2;
	}
	dest = &addrs->v[addrs->n++];
	memset(dest, 0, sizeof *dest);
	dest->family = family;
	memcpy(dest->addr, addr, family == AF_INET ? 4 : 16);
	return true;
}

/* ---- one module ---- */

static unsigned types_of(int family)
{
	return family == AF_INET ? FETCH_A : family == AF_INET6 ? FETCH_AAAA : FETCH_A | FETCH_AAAA;
}

static enum lookup_result ask_module(const struct lookup_query *q, unsigned i, int family,
				     bool mapped, struct lookup_answer *answer,
				     struct lookup_status *ret, struct lookup_question *question)
{
	enum nsswitch_module module = q->settings->plan.entries[i].module;

	switch (module) {
	case NSSWITCH_FILES:
		*ret = lookup_files(q, family, mapped, answer);
		return LOOKUP_DONE;
	case NSSWITCH_DNS:
		return lookup_dns(q, types_of(family), mapped, answer, ret, question);
	case NSSWITCH_MDNS_MINIMAL:
	case NSSWITCH_MYHOSTNAME:
	case NSSWITCH_FOREIGN:
		break;
	}
	if (!nsswitch_silent(module, q->name, q->settings->hostname, &ret->status))
		return LOOKUP_LIBC;
	ret->h_err = ret->status == NSSWITCH_NOTFOUND ? HOST_NOT_FOUND : NO_RECOVERY;
	ret->err = 0;
	return LOOKUP_DONE;
}

/* ---- getaddrinfo ---- */

enum no_data { DATA, NO_DATA_YET, NO_DATA_AGAIN };

static enum no_data no_data_of(const struct lookup_status *status)
{
	if (status->status == NSSWITCH_SUCCESS)
		return DATA;
	if (status->h_err == TRY_AGAIN)
		return NO_DATA_AGAIN;
	return status->h_err == NO_DATA ? NO_DATA_YET : DATA;
}

/* What one module leaves behind for the verdict after the loop. */
struct progress {
	struct lookup_status status;
	enum no_data no_data, no_inet6_data;
};

/* gethostbyname3_r: one family after the other. */
static enum lookup_result ask_families(const struct lookup_query *q, unsigned i,
				       struct lookup_answer *answer, struct progress *p,
				       struct lookup_question *question)
{
	struct lookup_status v6 = {NSSWITCH_UNAVAIL, 0, 0}, v4;
	enum lookup_result r;

	if (q->family == AF_INET6) {
		r = ask_module(q, i, AF_INET6, false, answer, &v6, question);
		if (r != LOOKUP_DONE)
			return r;
		p->status = v6;
		p->no_data = p->no_inet6_data = no_data_of(&v6);
	}
	if (q->family == AF_INET || (q->v4mapped && (q->all || v6.status != NSSWITCH_SUCCESS))) {
		answer->addrs.mapped = q->family == AF_INET6;
		r = ask_module(q, i, AF_INET, answer->addrs.mapped, answer, &v4, question);
		if (r != LOOKUP_DONE)
			return r;
		p->status = v4;
		p->no_data = no_data_of(&v4);
		if (q->family == AF_INET) {
			p->no_inet6_data = p->no_data;
			v6 = v4;
		}
	}
	if (v6.status == NSSWITCH_SUCCESS)
		p->status.status = NSSWITCH_SUCCESS;
	else if (p->status.status != NSSWITCH_SUCCESS && v6.status == NSSWITCH_TRYAGAIN)
		p->status.status = NSSWITCH_TRYAGAIN;
	else if (p->status.status == NSSWITCH_UNAVAIL && v6.status != NSSWITCH_UNAVAIL)
		p->status.status = v6.status;
	return LOOKUP_DONE;
}

static void conclude(const struct progress *p, struct lookup_answer *answer)
{
	const struct lookup_status *last = &p->status;

	answer->h_err = last->h_err;
	answer->err = last->err;
	if ((last->status == NSSWITCH_TRYAGAIN || last->status == NSSWITCH_UNAVAIL) &&
	    last->h_err == NETDB_INTERNAL)
		answer->eai = last->err == ENOMEM ? EAI_MEMORY : EAI_SYSTEM;
	else if (p->no_data != DATA && p->no_inet6_data != DATA)
		answer->eai = p->no_data == NO_DATA_AGAIN && p->no_inet6_data == NO_DATA_AGAIN
				      ? EAI_AGAIN
				      : EAI_NODATA;
	else
		answer->eai = answer->addrs.n > 0 ? 0 : EAI_NONAME;
}

static enum lookup_result lookup_nss(const struct lookup_query *q, struct lookup_answer *answer,
				     struct lookup_question *question)
{
	const struct nsswitch_plan *plan = &q->settings->plan;
	struct progress p = {.status = {NSSWITCH_UNAVAIL, 0, 0}};

	for (unsigned i = 0; i < plan->n; i++) {
		enum lookup_result r;

		answer->addrs.n = 0;
		answer->addrs.mapped = false;
		answer->has_canon = false;
		if (q->family == AF_UNSPEC) {
			r = ask_module(q, i, AF_UNSPEC, false, answer, &p.status, question);
			p.no_data = p.no_inet6_data = no_data_of(&p.status);
		} else {
			r = ask_families(q, i, answer, &p, question);
		}
		if (r != LOOKUP_DONE)
			return r;
		if (plan->entries[i].on[p.status.status] == NSSWITCH_RETURN)
			break;
	}
	conclude(&p, answer);
	return LOOKUP_DONE;
}

/* resolv.conf's sortlist moves IPv4 addresses about in the older functions; few have one. */
static bool reorders(const struct lookup_query *q)
{
	return q->settings->resolv.has_sortlist && q->family != AF_UNSPEC;
}

/* `hosts:` with nothing after it. libc fails without a reason, or, where memory is not as it was in
 * a fresh process, crashes: it reads past the end of its list. */
static enum lookup_result no_source(struct lookup_answer *answer)
{
	answer->status = NSSWITCH_UNAVAIL;
	answer->eai = EAI_SYSTEM;
	answer->h_err = NETDB_INTERNAL;
	answer->err = EINVAL;
	return LOOKUP_DONE;
}

/* ---- gethostbyname ---- */

enum lookup_result lookup_hostent(const struct lookup_query *q, struct lookup_answer *answer,
				  bool *ret_from_files, struct lookup_question *question)
{
	const struct nsswitch_plan *plan = &q->settings->plan;
	struct lookup_status status;
	unsigned i;

	if (reorders(q) || q->settings->host_conf.reorder)
		return LOOKUP_LIBC;
	if (plan->n == 0) {
		*ret_from_files = false;
		return no_source(answer);
	}
	for (i = 0; i < plan->n; i++) {
		enum lookup_result r;

		answer->addrs.n = 0;
		answer->has_canon = false;
		r = ask_module(q, i, q->family, false, answer, &status, question);
		if (r != LOOKUP_DONE)
			return r;
		if (plan->entries[i].on[status.status] == NSSWITCH_RETURN)
			break;
	}
	*ret_from_files = status.status == NSSWITCH_SUCCESS && i < plan->n &&
			  plan->entries[i].module == NSSWITCH_FILES;
	answer->status = status.status;
	answer->eai = status.status == NSSWITCH_SUCCESS ? 0 : EAI_NONAME;
	answer->h_err = status.h_err;
	answer->err = status.err;
	return LOOKUP_DONE;
}

int lookup_hostent_error(const struct lookup_answer *answer)
{
	switch (answer->status) {
	case NSSWITCH_SUCCESS:
	case NSSWITCH_NOTFOUND:
	case NSSWITCH_NSTATUS:
		return 0;
	case NSSWITCH_UNAVAIL:
		if (answer->h_err != TRY_AGAIN && answer->h_err != NETDB_INTERNAL)
			return -1;
		break;
	case NSSWITCH_TRYAGAIN:
		break;
	}
	return answer->h_err == NETDB_INTERNAL ? answer->err : EAGAIN;
}

/* gethostbyname2_r takes such a name for an address, and where it is none, looks no further. */
static bool all_digits(const char *name)
{
	size_t n = strspn(name, "0123456789.");

	return name[n] == '\0' && n > 0 && name[0] != '.' && name[n - 1] != '.';
}

/* The short way that getaddrinfo takes for AF_INET: gethostbyname2_r, whose errors it reads
 * differently. */
static enum lookup_result lookup_inet(const struct lookup_query *q, struct lookup_answer *answer,
				      struct lookup_question *question)
{
	bool from_files;
	enum lookup_result r = lookup_hostent(q, answer, &from_files, question);

	if (r != LOOKUP_DONE || answer->eai == 0)
		return r;
	if (lookup_hostent_error(answer) <= 0)
		answer->eai = answer->h_err == NO_DATA ? EAI_NODATA : EAI_NONAME;
	else if (answer->h_err == NETDB_INTERNAL)
		answer->eai = answer->err == ENOMEM ? EAI_MEMORY : EAI_SYSTEM;
	else
		answer->eai = answer->h_err == TRY_AGAIN ? EAI_AGAIN : EAI_NODATA;
	return LOOKUP_DONE;
}

enum lookup_result lookup_addrinfo(const struct lookup_query *q, struct lookup_answer *answer,
				   struct lookup_question *question)
{
	if (reorders(q))
		return LOOKUP_LIBC;
	if (q->settings->plan.n == 0)
		return no_source(answer);
	if (q->family == AF_INET && !q->want_canon)
		return all_digits(q->name) ? LOOKUP_LIBC : lookup_inet(q, answer, question);
	return lookup_nss(q, answer, question);
}
