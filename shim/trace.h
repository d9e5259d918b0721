// SPDX-License-Identifier: MIT
/*
 * trace.h - what a program's calls took, for `noblockdns trace` and `compare` (NOBLOCKDNS_TRACE).
 *
 *	lookups    their name, result, addresses, and where the answer came from
 *	connects   to Internet addresses; and the races of those that had one
 *	turns      of the program's loops: from the return of epoll_wait(), poll() or select() to
 *	           the same thread's next call of one
 *	under way  the lookup or connect that a thread is in, and may never come back from
 *
 * Each process writes one file of its own (trace_file.h), from its first record on; a forked child
 * begins its own at its first, a child of vfork() or of a raw clone() that makes its own first
 * record none. Records are written by the thread that they are about, also in signal handlers: no
 * lock but for the making of the file, no allocation, no system call but for each thread's first
 * record. Nothing is done where init_is_traced() says no, and only that is to be asked there.
 */
#ifndef NOBLOCKDNS_TRACE_H
#define NOBLOCKDNS_TRACE_H

#include "shim/init.h"
#include "shim/trace_format.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* No call that is not traced comes by. */
#define TRACE_COLD __attribute__((cold, noinline))

struct config;
struct order_dest;

/* Does the environment ask for one? It does not know about /etc/noblockdns.conf. */
bool trace_is_wanted(void);

/* The configuration has been loaded, and decides. */
void trace_configure(const struct config *config);

/* Where the answer to the lookup under way on this thread comes from; the last word counts. */
extern __thread uint8_t trace_source;

static inline void trace_note(enum trace_source source)
{
	trace_source = (uint8_t)source;
}

/* A lookup of the program's. */
struct trace_call {
	bool traced;
	uint64_t start_ns;
	unsigned name_len, naddrs, n_kept;
	char tail[TRACE_NAME_MAX + TRACE_ADDRS_MAX * 16]; /* as in struct trace_lookup */
};

/* Before the call; `name` may be gone when it is over. NULL: it has none. */
TRACE_COLD void trace_begin(struct trace_call *call, const char *name);

/* After it; keep errno. `result` is one of EAI_*, `h_err` of h_errno's; `list` and `hostent` are
 * NULL where nothing was found. */
TRACE_COLD void trace_end(struct trace_call *call, enum trace_function function, int family,
			  int result);
TRACE_COLD void trace_end_addrinfo(struct trace_call *call, int family, int result,
				   const struct addrinfo *list);
TRACE_COLD void trace_end_hostent(struct trace_call *call, enum trace_function function, int family,
				  int h_err, const struct hostent *hostent);

/* Both, where a call is traced at all. */
static inline void trace_begin_if(struct trace_call *call, const char *name)
{
	call->traced = init_is_traced();
	if (call->traced)
		trace_begin(call, name);
}

static inline void trace_end_hostent_if(struct trace_call *call, enum trace_function function,
					int family, int h_err, const struct hostent *hostent)
{
	if (call->traced)
		trace_end_hostent(call, function, family, h_err, hostent);
}

/* Before connect() to this address; the time, for the next. */
TRACE_COLD uint64_t trace_connect_begin(const struct sockaddr *addr, socklen_t len);

/* connect(), begun at start_ns, has returned this. Keeps errno. */
TRACE_COLD void trace_connect(int fd, const struct sockaddr *addr, socklen_t len, uint64_t start_ns,
			      int r);

/* The race of a connect() is over; `race` without its addresses. `winner` may be NULL. */
TRACE_COLD void trace_race_over(struct trace_race *race, const struct order_dest *asked,
				const struct order_dest *winner, uint64_t start_ns, int error);

/* Around a call of epoll_wait() or its like. Keep errno. */
void trace_wait_begin(void);
void trace_wait_end(void);

#endif
