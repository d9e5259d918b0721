// SPDX-License-Identifier: MIT
/* diff_compare.c - see diff_compare.h. Each rule admits exactly one difference. */
#include "tests/e2e/diff_compare.h"

#include <netdb.h>
#include <sys/socket.h>

const char *const diff_verdict_names[DIFF_VERDICTS] = {
	[DIFF_SAME] = "same",
	[DIFF_ERRNO_KEPT] = "errno-kept",
	[DIFF_H_ERRNO_UNSET] = "h_errno-unset",
	[DIFF_BUFFER_NEED] = "buffer-need",
	[DIFF_CNAME_ORDER] = "cname-order",
	[DIFF_EDNS_RETRY] = "edns-retry",
	[DIFF_STALE_ERRNO] = "stale-errno",
	[DIFF_DIFFERENT] = "different",
};

struct answer {
	char line[65536];
	const char *result, *err, *h_err, *rest;
};

static void split(const char *line, struct answer *ret)
{
	char *at = ret->line;

	snprintf(ret->line, sizeof ret->line, "%s", line);
	ret->result = strsep(&at, "\t");
	ret->err = at != NULL ? strsep(&at, "\t") : "";
	ret->h_err = at != NULL ? strsep(&at, "\t") : "";
	ret->rest = at != NULL ? at : "";
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Some size is too small for the one and enough for the other. */
static bool buffer_rule(const struct diff_case *c, const struct answer *libc,
			const struct answer *ours)
{
	return (c->call == DIFF_GHBN_R || c->call == DIFF_GHBN2_R) && c->size < 4096 &&
	       (is(libc->result, "ERANGE") || is(ours->result, "ERANGE"));
}

/* libc fails, and we have an answer. */
static bool only_ours(const struct answer *libc, const struct answer *ours)
{
	return is(ours->result, "0") && !is(ours->rest, "NULL") &&
	       (!is(libc->result, "0") || is(libc->rest, "NULL"));
}

/* gethostbyname2_r() returned what errno was before the call, and getaddrinfo() read it. */
static bool stale_errno_rule(const struct diff_case *c, const struct answer *libc,
			     const struct answer *ours)
{
	return c->call == DIFF_GAI && !(c->flags & AI_CANONNAME) && is(libc->result, "NODATA") &&
	       is(ours->result, "NONAME") && is(libc->h_err, ours->h_err) &&
	       !is(libc->h_err, "NO_DATA");
}

static enum diff_verdict compare_results(const struct diff_case *c, const struct answer *libc,
					 const struct answer *ours)
{
	if (is(libc->result, ours->result) && is(libc->rest, ours->rest))
		return DIFF_SAME;
	if (buffer_rule(c, libc, ours))
		return DIFF_BUFFER_NEED;
	if (only_ours(libc, ours) && is(c->name, "reversed.other.test"))
		return DIFF_CNAME_ORDER;
	if (is(libc->h_err, "NO_RECOVERY") && is(c->name, "no-edns.other.test"))
		return DIFF_EDNS_RETRY;
	if (stale_errno_rule(c, libc, ours))
		return DIFF_STALE_ERRNO;
	return DIFF_DIFFERENT;
}

/* After success; and where every address found is a mapped one that is not wanted. */
static bool h_errno_rule(const struct diff_case *c, const struct answer *libc,
			 const struct answer *ours)
{
	bool none_wanted =
		is(libc->result, "NONAME") && (c->flags & AI_V4MAPPED) && is(ours->h_err, "kept");

	return (is(libc->result, "0") || none_wanted) &&
	       (is(ours->h_err, "kept") || is(ours->h_err, "SUCCESS"));
}

/* May the shim have left this question to libc? Then errno is libc's, and depends on what that has
 * opened and read before. */
static bool may_be_libcs(const struct diff_case *c, const struct answer *ours)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	if (!c->has_name || c->name[0] == '-' || c->name[strspn(c->name, letters)] != '\0' ||
	    c->name[strspn(c->name, "0123456789abcdefABCDEFxX.")] == '\0')
		return true;
	if (is(ours->result, "0") && !is(ours->h_err, "kept"))
		return true; /* the shim leaves h_errno alone */
	return c->call == DIFF_GAI &&
	       ((c->flags & AI_NUMERICHOST) || c->flags > 0xfff ||
		(c->family != AF_UNSPEC && c->family != AF_INET && c->family != AF_INET6));
}

enum diff_verdict diff_compare(const struct diff_case *c, const char *libc_line,
			       const char *our_line)
{
	static struct answer libc, ours;
	enum diff_verdict verdict;

	if (is(libc_line, our_line))
		return DIFF_SAME;
	split(libc_line, &libc);
	split(our_line, &ours);
	verdict = compare_results(c, &libc, &ours);
	if (verdict != DIFF_SAME)
		return verdict;
	if (!is(libc.h_err, ours.h_err)) {
		if (!h_errno_rule(c, &libc, &ours))
			return DIFF_DIFFERENT;
		verdict = DIFF_H_ERRNO_UNSET;
	}
	if (!is(libc.err, ours.err)) {
		if (!may_be_libcs(c, &ours) && (is(libc.result, "SYSTEM") || !is(ours.err, "kept")))
			return DIFF_DIFFERENT;
		verdict = DIFF_ERRNO_KEPT;
	}
	return verdict;
}
