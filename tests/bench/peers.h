// SPDX-License-Identifier: MIT
/*
 * peers.h - the ways to look up a name that are compared.
 *
 * `getaddrinfo`, `stream`, `inet` (IPv4 alone) and `gethostbyname` are whatever the process is
 * linked with: libc, or the shim where it is preloaded; libc asks nscd where its socket is there.
 * `libc` is libc's own getaddrinfo beside a preloaded shim. `ares` and `ares-query` are c-ares
 * without a shim in between, with one channel whose sockets stay open. `floor` is what no lookup
 * can be cheaper than: a hash of the name, one probe into a table, one allocation with the
 * addresses in it.
 *
 * A lookup ends when its result has been freed. Each returns the number of addresses that it got,
 * so that no peer is fast because it fails.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "bench.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

typedef unsigned (*peer_lookup)(const char *name);

/* ---- the C library's interface ---- */

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *,
			      struct addrinfo **);

static inline unsigned peer_addrinfo(getaddrinfo_fn fn, const char *name,
				     const struct addrinfo *hints)
{
	struct addrinfo *list;
	unsigned n = 0;

	if (fn(name, NULL, hints, &list) != 0)
		return 0;
	for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		n++;
	freeaddrinfo(list);
	return n;
}

static inline unsigned peer_getaddrinfo(const char *name)
{
	return peer_addrinfo(getaddrinfo, name, NULL) / 3; /* stream, dgram, raw */
}

static inline unsigned peer_stream(const char *name)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	return peer_addrinfo(getaddrinfo, name, &hints);
}

/* One question instead of two. */
static inline unsigned peer_inet(const char *name)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};

	return peer_addrinfo(getaddrinfo, name, &hints);
}

static inline unsigned peer_gethostbyname(const char *name)
{
	const struct hostent *host = gethostbyname(name);
	unsigned n = 0;

	while (host != NULL && host->h_addr_list[n] != NULL)
		n++;
	return n;
}

static inline unsigned peer_libc(const char *name)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	static getaddrinfo_fn fn;

	if (fn == NULL) {
		void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

		fn = libc ? (getaddrinfo_fn)dlsym(libc, "getaddrinfo") : NULL;
		if (fn == NULL)
			bench_die("libc's getaddrinfo", dlerror());
	}
	return peer_addrinfo(fn, name, &hints);
}

/* ---- c-ares ---- */

struct peer_ares {
	unsigned pending, naddrs;
};

static inline ares_channel peer_channel(void)
{
	static ares_channel channel;
	struct ares_options options = {.flags = ARES_FLAG_STAYOPEN};
	int r;

	if (channel != NULL)
		return channel;
	r = ares_library_init(ARES_LIB_INIT_ALL);
	if (r == ARES_SUCCESS)
		r = ares_init_options(&channel, &options, ARES_OPT_FLAGS);
	if (r != ARES_SUCCESS)
		bench_die("c-ares", ares_strerror(r));
	return channel;
}

static inline void peer_ares_wait(ares_channel channel, const struct peer_ares *state)
{
	ares_socket_t fds[ARES_GETSOCK_MAXNUM];
	struct pollfd polls[ARES_GETSOCK_MAXNUM];

	while (state->pending > 0) {
		int bits = ares_getsock(channel, fds, ARES_GETSOCK_MAXNUM);
		struct timeval limit, *tv = ares_timeout(channel, NULL, &limit);
		int ms = tv ? (int)(tv->tv_sec * 1000 + tv->tv_usec / 1000 + 1) : 5000;
		unsigned n = 0;

		for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++)
			if (ARES_GETSOCK_READABLE(bits, i) || ARES_GETSOCK_WRITABLE(bits, i))
				polls[n++] = (struct pollfd){
					.fd = fds[i],
					.events = ARES_GETSOCK_WRITABLE(bits, i) ? POLLIN | POLLOUT
										 : POLLIN,
				};
		if (poll(polls, n, ms) <= 0)
			ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		for (unsigned i = 0; i < n; i++)
			if (polls[i].revents != 0)
				ares_process_fd(channel, polls[i].fd,
						polls[i].revents & POLLOUT ? polls[i].fd
									   : ARES_SOCKET_BAD);
	}
}

static inline void peer_ares_done(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	struct peer_ares *state = arg;

	(void)timeouts;
	state->pending--;
	if (status != ARES_SUCCESS)
		return;
	for (const struct ares_addrinfo_node *node = list->nodes; node; node = node->ai_next)
		state->naddrs++;
	ares_freeaddrinfo(list);
}

/* The whole job: hosts file, both types, addresses sorted. */
static inline unsigned peer_ares(const char *name)
{
	static const struct ares_addrinfo_hints hints = {.ai_socktype = SOCK_STREAM};
	ares_channel channel = peer_channel();
	struct peer_ares state = {.pending = 1};

	ares_getaddrinfo(channel, name, NULL, &hints, peer_ares_done, &state);
	peer_ares_wait(channel, &state);
	return state.naddrs;
}

static inline void peer_a_done(void *arg, int status, int timeouts, unsigned char *packet, int len)
{
	struct ares_addrttl addrs[16];
	struct peer_ares *state = arg;
	int n = 16;

	(void)timeouts;
	state->pending--;
	if (status == ARES_SUCCESS &&
	    ares_parse_a_reply(packet, len, NULL, addrs, &n) == ARES_SUCCESS)
		state->naddrs += (unsigned)n;
}

static inline void peer_aaaa_done(void *arg, int status, int timeouts, unsigned char *packet,
				  int len)
{
	struct ares_addr6ttl addrs[16];
	struct peer_ares *state = arg;
	int n = 16;

	(void)timeouts;
	state->pending--;
	if (status == ARES_SUCCESS &&
	    ares_parse_aaaa_reply(packet, len, NULL, addrs, &n) == ARES_SUCCESS)
		state->naddrs += (unsigned)n;
}

/* The DNS alone: two packets out, two in; no hosts file, no order. */
static inline unsigned peer_ares_query(const char *name)
{
	ares_channel channel = peer_channel();
	struct peer_ares state = {.pending = 2};

	ares_query(channel, name, ns_c_in, ns_t_a, peer_a_done, &state);
	ares_query(channel, name, ns_c_in, ns_t_aaaa, peer_aaaa_done, &state);
	peer_ares_wait(channel, &state);
	return state.naddrs;
}

/* ---- the floor ---- */

/* An entry of its table, and what a lookup copies out of it. */
struct peer_entry {
	char name[BENCH_NAME_SIZE];
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct peer_result {
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static struct peer_entry *peer_table;
static size_t peer_mask;

static inline size_t peer_hash(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return (size_t)(hash ^ hash >> 32);
}

static inline void peer_floor_fill(char (*names)[BENCH_NAME_SIZE], unsigned n)
{
	size_t size = 1;

	while (size < 2 * (size_t)n)
		size *= 2;
	peer_table = bench_alloc(size, sizeof *peer_table);
	peer_mask = size - 1;
	for (unsigned i = 0; i < n; i++) {
		size_t at = peer_hash(names[i]) & peer_mask;

		while (peer_table[at].name[0] != '\0')
			at = (at + 1) & peer_mask;
		memcpy(peer_table[at].name, names[i], BENCH_NAME_SIZE);
		peer_table[at].v4.sin_family = AF_INET;
		peer_table[at].v6.sin6_family = AF_INET6;
	}
}

static inline unsigned peer_floor(const char *name)
{
	size_t at = peer_hash(name) & peer_mask;
	struct peer_result *volatile kept; /* or the compiler drops the allocation */

	while (strcmp(peer_table[at].name, name) != 0) {
		if (peer_table[at].name[0] == '\0')
			return 0;
		at = (at + 1) & peer_mask;
	}
	kept = malloc(sizeof *kept);
	if (kept == NULL)
		return 0;
	kept->v4 = peer_table[at].v4;
	kept->v6 = peer_table[at].v6;
	free(kept);
	return 2;
}

/* ---- by name ---- */

struct peer {
	const char *name;
	peer_lookup lookup;
	unsigned naddrs; /* that one A and one AAAA record give */
};

static const struct peer peers[] = {
	{"getaddrinfo", peer_getaddrinfo, 2},
	{"stream", peer_stream, 2},
	{"inet", peer_inet, 1},
	{"gethostbyname", peer_gethostbyname, 1},
	{"libc", peer_libc, 2},
	{"ares", peer_ares, 2},
	{"ares-query", peer_ares_query, 2},
	{"floor", peer_floor, 2},
};

static inline const struct peer *peer_find(const char *name)
{
	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
		if (strcmp(peers[i].name, name) == 0)
			return &peers[i];
	bench_die("no such peer", name);
}

/* One lookup that must succeed. */
static inline void peer_call(const struct peer *peer, const char *name)
{
	unsigned n = peer->lookup(name);

	if (n != peer->naddrs) {
		fprintf(stderr, "%s: %s of %s gave %u addresses, not %u\n",
			program_invocation_short_name, peer->name, name, n, peer->naddrs);
		exit(1);
	}
}

#endif
