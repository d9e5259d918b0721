// SPDX-License-Identifier: MIT
/*
 * getaddrinfo.h - the steps that getaddrinfo() and getaddrinfo_a() have in common.
 */
#ifndef NOBLOCKDNS_GETADDRINFO_H
#define NOBLOCKDNS_GETADDRINFO_H

#include "shim/addrinfo.h"
#include "shim/resolve.h"

#include <netdb.h>
#include <stdbool.h>

/* ai_flags with which a name is still to be looked up, AI_NUMERICHOST not being one. glibc's last
 * two did something for IDN once (AI_IDN_*) and warn when they are spelt out. */
#define GETADDRINFO_LOOKUP_FLAGS                                                                   \
	(AI_PASSIVE | AI_CANONNAME | AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL | AI_NUMERICSERV |       \
	 AI_IDN | AI_CANONIDN | 0x100 | 0x200)

/* Are these arguments a name to be looked up? Numeric nodes, NULL, and errors are libc's. Pure. */
bool getaddrinfo_is_ours(const char *node, const struct addrinfo *hints);

/* Checks hints and service against the network and the services. 0 or EAI_*. Inside
 * rcu_read_lock(). */
int getaddrinfo_prepare(const char *service, const struct addrinfo *hints,
			const struct settings *settings, uint64_t now_ms,
			struct addrinfo_request *ret);

/*
 * AI_IDN: the name as DNS has it, to be freed, in *ret_owned; NULL where it is the name itself. 0
 * or EAI_IDN_ENCODE.
 */
int getaddrinfo_encode(const struct addrinfo_request *request, const char *node, char **ret_owned);

/* Fills in all but the name of `query` (lookup_query_name). */
void getaddrinfo_query(const struct addrinfo_request *request, const struct resolve *call,
		       struct lookup_query *query);

#endif
