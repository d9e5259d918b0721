// SPDX-License-Identifier: MIT
/*
 * fake_host.h - a resolver_host for tests: a clock that the test sets, real sockets behind handles,
 * and counters of all that the resolver asked for.
 */
#ifndef NOBLOCKDNS_TEST_FAKE_HOST_H
#define NOBLOCKDNS_TEST_FAKE_HOST_H

#include "resolver/resolver.h"

#define FAKE_HOST_HANDLE 100 /* the first handle: far from any descriptor */
#define FAKE_HOST_MAX	 64  /* open at a time; a place is used again only when all have been */

struct fake_socket {
	int fd; /* -1: closed */
	int domain, type;
	unsigned events;
	bool stolen; /* hold() fails from now on */
};

/* One ticket, as much as most tests need. */
struct fake_ticket {
	uint64_t key;
	unsigned len; /* 0: none */
	uint32_t lifetime_s;
	unsigned char data[RESOLVER_TICKET_MAX];
};

struct fake_host {
	struct resolver_host host; /* for open() */
	uint64_t now_ms;
	uint64_t wake_ms; /* as last told by wake_at() */
	unsigned nwakes;  /* calls of wake_at() */
	struct fake_socket sockets[FAKE_HOST_MAX];
	unsigned nsockets; /* made so far */
	unsigned nclosed;
	unsigned held;	  /* hold() without drop() */
	unsigned nholds;  /* hold() */
	int socket_error; /* not 0: socket() fails with it */
	uint32_t seed;
	struct fake_ticket ticket;
	unsigned nputs;		     /* calls of ticket_put() */
	uint32_t remembered_ms;	     /* what round_trip() says */
	char remembered_of[64];	     /* the server that it was last asked about */
	struct resolver_event event; /* the last; without its texts */
	char log[8192];		     /* the latest lines, each with its newline */
};

void fake_host_init(struct fake_host *h);

/* Sets the clock, and calls tick() if its time has come, as often as it comes again. */
void fake_host_advance(struct fake_host *h, struct resolver *r, uint64_t now_ms);

/* Waits up to `timeout_ms` for a watched socket and calls ready() for each that is. Returns how
 * many were. */
int fake_host_poll(struct fake_host *h, struct resolver *r, int timeout_ms);

unsigned fake_host_nopen(const struct fake_host *h);

#endif
