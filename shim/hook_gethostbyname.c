// SPDX-License-Identifier: MIT
/*
 * hook_gethostbyname.c - gethostbyname(3), gethostbyname2(3) and their _r forms.
 *
 * One function does the work for a caller's buffer. The forms without a buffer keep one each, as
 * libc does: the result is valid until the next call, and threads that share it get what they
 * deserve, but no crash.
 */
#include "shim/cancel.h"
#include "shim/gai_libc.h"
#include "shim/hooks.h"
#include "shim/hostent.h"
#include "shim/init.h"
#include "shim/resolve.h"
#include "shim/siblings_lookup.h"
#include "shim/trace.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Result of one call; `libc` means that libc has to be called instead. */
struct outcome {
	bool libc;
	bool found;
	int h_err;
	int err; /* the _r forms' result; -1: errno as it was */
};

/* Numeric names go to libc: it knows them without asking anybody. */
static bool is_ours(const char *name, int family)
{
	if (name == NULL || *name == '\0' || strcmp(name, ".") == 0)
		return false;
	if (family != AF_INET && family != AF_INET6)
		return false;
	return name[strspn(name, "0123456789.")] != '\0' && strpbrk(name, ":%") == NULL;
}

static void succeed(const struct lookup_query *query, const struct lookup_answer *answer,
		    bool from_files, char *buf, size_t size, struct hostent *hostent,
		    struct outcome *ret)
{
	int r = from_files ? hosts_hostent(query->settings->hosts, query->name, query->family,
					   query->settings->host_conf.multi, hostent, buf, size)
			   : hostent_build(answer, query->family, buf, size, hostent);

	ret->found = r == 0;
	if (r < 0) {
		ret->h_err = NETDB_INTERNAL;
		ret->err = -r;
	}
}

/* What is not ours, or cannot be: as leave_to_libc() in hook_getaddrinfo.c. */
static struct outcome pass_on(const char *name)
{
	trace_note(TRACE_SOURCE_LIBC);
	if (init_stands_aside() || gai_libc_is_quick(name, NULL) || settings_libc_may())
		return (struct outcome){.libc = true};
	return (struct outcome){.h_err = TRY_AGAIN, .err = EAGAIN};
}

static struct outcome look_up(const char *name, int family, struct hostent *hostent, char *buf,
			      size_t size)
{
	struct outcome outcome = {.libc = true};
	struct lookup_answer answer;
	struct lookup_query query;
	struct resolve call;
	enum lookup_result r;
	bool from_files;

	if (!is_ours(name, family) || init_is_libcs() || !resolve_begin(&call))
		return pass_on(name);
	lookup_query_name(&query, name);
	resolve_expect(&call, &query);
	query.settings = call.settings;
	query.source = &call.source;
	query.family = family;
	query.want_names = true;
	query.want_canon = query.v4mapped = query.all = false;
	r = resolve_look_up(&call, &query, &from_files, &answer);
	if (r == LOOKUP_DONE) {
		outcome.libc = false;
		if (answer.eai == 0) {
			siblings_take(&answer, NULL, siblings_asked(family, false, false),
				      call.settings, call.now_ms);
			succeed(&query, &answer, from_files, buf, size, hostent, &outcome);
		} else {
			outcome.h_err = answer.h_err;
			outcome.err = lookup_hostent_error(&answer);
		}
	} else if (resolve_libc_may(&call)) {
		trace_note(TRACE_SOURCE_LIBC);
	} else {
		outcome = (struct outcome){.h_err = TRY_AGAIN, .err = EAGAIN};
	}
	lookup_answer_free(&answer);
	resolve_end(&call);
	return outcome;
}

/* The end of a _r form; `saved` is errno as the program had it. */
static int give(const struct outcome *outcome, int saved, struct hostent *hostent,
		struct hostent **result, int *h_errnop)
{
	int err = outcome->err < 0 ? saved : outcome->err;

	*result = outcome->found ? hostent : NULL;
	*h_errnop = outcome->h_err;
	errno = err != 0 ? err : saved;
	return err;
}

int nbd_gethostbyname2_r(const char *name, int af, struct hostent *ret, char *buf, size_t buflen,
			 struct hostent **result, int *h_errnop)
{
	struct outcome outcome;
	struct trace_call call;
	int saved = errno, r;

	trace_begin_if(&call, name);
	outcome = look_up(name, af, ret, buf, buflen);
	errno = saved;
	r = outcome.libc ? real_gethostbyname2_r(name, af, ret, buf, buflen, result, h_errnop)
			 : give(&outcome, saved, ret, result, h_errnop);
	trace_end_hostent_if(&call, TRACE_GETHOSTBYNAME2_R, af, *h_errnop, *result);
	return r;
}

int nbd_gethostbyname_r(const char *name, struct hostent *ret, char *buf, size_t buflen,
			struct hostent **result, int *h_errnop)
{
	struct outcome outcome;
	struct trace_call call;
	int saved = errno, r;

	trace_begin_if(&call, name);
	outcome = look_up(name, AF_INET, ret, buf, buflen);
	errno = saved;
	r = outcome.libc ? real_gethostbyname_r(name, ret, buf, buflen, result, h_errnop)
			 : give(&outcome, saved, ret, result, h_errnop);
	trace_end_hostent_if(&call, TRACE_GETHOSTBYNAME_R, AF_INET, *h_errnop, *result);
	return r;
}

/* ---- the forms without a buffer ---- */

/* One result, in one allocation; owned by the function that returned it, until its next call. */
struct kept {
	struct hostent hostent;
	char buf[];
};

static void free_kept(void *arg)
{
	struct kept **kept = arg;

	free(*kept);
}

/* Looks up with a buffer as large as it takes, which is the caller's in any case. */
static void look_up_growing(struct kept **kept, const char *name, int family,
			    struct outcome *ret_outcome)
{
	size_t size = 1024;

	do {
		struct kept *grown = realloc(*kept, sizeof *grown + (size *= 2));

		if (grown == NULL) {
			*ret_outcome = (struct outcome){.h_err = NETDB_INTERNAL, .err = ENOMEM};
			return;
		}
		*kept = grown;
		*ret_outcome = look_up(name, family, &grown->hostent, grown->buf, size);
	} while (ret_outcome->err == ERANGE);
}

/* Looks up, and puts the result in place of the last one. A thread that still reads that one reads
 * freed memory, as it does in libc. */
static struct hostent *keep(_Atomic(struct kept *) *slot, const char *name, int family,
			    bool *ret_libc)
{
	struct cancel_cleanup cleanup;
	struct outcome outcome;
	struct kept *kept = NULL;
	int saved = errno;

	cancel_push(&cleanup, free_kept, &kept);
	look_up_growing(&kept, name, family, &outcome);
	cancel_pop(&cleanup);
	*ret_libc = outcome.libc;
	if (outcome.found) {
		free(atomic_exchange(slot, kept));
		errno = saved;
		return &kept->hostent;
	}
	free(kept);
	if (outcome.h_err != 0)
		h_errno = outcome.h_err;
	errno = outcome.err > 0 ? outcome.err : saved;
	return NULL;
}

struct hostent *nbd_gethostbyname(const char *name)
{
	static _Atomic(struct kept *) slot;
	struct trace_call call;
	struct hostent *hostent;
	bool libc = false;

	trace_begin_if(&call, name);
	hostent = keep(&slot, name, AF_INET, &libc);
	if (libc)
		hostent = real_gethostbyname(name);
	trace_end_hostent_if(&call, TRACE_GETHOSTBYNAME, AF_INET, h_errno, hostent);
	return hostent;
}

struct hostent *nbd_gethostbyname2(const char *name, int af)
{
	static _Atomic(struct kept *) slot;
	struct trace_call call;
	struct hostent *hostent;
	bool libc = false;

	trace_begin_if(&call, name);
	hostent = keep(&slot, name, af, &libc);
	if (libc)
		hostent = real_gethostbyname2(name, af);
	trace_end_hostent_if(&call, TRACE_GETHOSTBYNAME2, af, h_errno, hostent);
	return hostent;
}
