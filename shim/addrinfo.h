// SPDX-License-Identifier: MIT
/*
 * addrinfo.h - the list that getaddrinfo() returns, laid out as libc's freeaddrinfo() frees it:
 * each node is one malloc() with its address inside, the canonical name another.
 */
#ifndef NOBLOCKDNS_ADDRINFO_H
#define NOBLOCKDNS_ADDRINFO_H

#include "shim/lookup.h"
#include "shim/service.h"

#include <netdb.h>

/* One getaddrinfo() call after its arguments were checked. */
struct addrinfo_request {
	int flags;  /* as the program gave them; they are in each node */
	int family; /* narrowed by AI_ADDRCONFIG */
	unsigned ntuples;
	struct service_tuple tuples[SERVICE_MAX];
};

/*
 * One node for each address (in the order `perm`, NULL: as they are) and tuple. `canon` (NULL:
 * none) is copied to the first. 0 or EAI_MEMORY.
 */
int addrinfo_build(const struct addrinfo_request *request, const struct order_dest *dests,
		   unsigned n, const uint16_t *perm, const char *canon, struct addrinfo **ret);

/*
 * From the answer of a lookup to the result of the call: drops mapped addresses that are not
 * wanted, sorts, names. `name` is what the program gave. 0 or EAI_*. The caller is inside
 * rcu_read_lock().
 */
int addrinfo_finish(const struct addrinfo_request *request, const struct settings *settings,
		    const char *name, struct lookup_answer *answer, uint64_t now_ms,
		    struct addrinfo **ret);

#endif
