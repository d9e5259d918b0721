// SPDX-License-Identifier: MIT
/* lookup_files.c - what nss_files does with the hosts file. Caller's thread; see lookup.h. */
#include "shim/lookup.h"

#include "shim/hash.h"
#include "shim/trace.h"
#include "shim/v4mapped.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

static void set_canon(struct lookup_answer *answer, const char *name)
{
	size_t len = strlen(name);

	if (answer->has_canon || len >= sizeof answer->names.canon)
		return;
	memcpy(answer->names.canon, name, len + 1);
	answer->has_canon = true;
}

static void set_origin(const struct lookup_query *q, struct lookup_answer *answer)
{
	const char *name = q->fits ? q->folded.text : q->name;

	trace_note(TRACE_SOURCE_HOSTS);
	answer->addrs.order = NULL;
	answer->entry =
		(struct entry){.key = hash_bytes(name, strlen(name), q->settings->view ^ HASH_K3)};
}

struct lookup_status lookup_files(const struct lookup_query *q, int family, bool mapped,
				  struct lookup_answer *answer)
{
	struct lookup_status status = {NSSWITCH_NOTFOUND, HOST_NOT_FOUND, 0};
	struct hosts_walk walk;
	struct hosts_line line;

	if (!hosts_may_have(q->settings->hosts, q->name))
		return status;
	hosts_walk_start(q->settings->hosts, q->name, family, &walk);
	while (hosts_walk_next(&walk, &line)) {
		bool map = mapped && line.family == AF_INET;
		struct in6_addr v6;

		if (answer->addrs.n == 0)
			set_origin(q, answer);
		if (map)
			v6 = v4mapped_make(line.addr);
		if (!lookup_addrs_add(&answer->addrs, map ? AF_INET6 : line.family,
				      map ? v6.s6_addr : line.addr))
			return (struct lookup_status){NSSWITCH_TRYAGAIN, NETDB_INTERNAL, ENOMEM};
		set_canon(answer, line.name);
		status = (struct lookup_status){NSSWITCH_SUCCESS, NETDB_SUCCESS, 0};
		if (!q->settings->host_conf.multi)
			break;
	}
	return status;
}
