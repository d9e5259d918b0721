// SPDX-License-Identifier: MIT
/*
 * dot_rig.h - the transport over TLS against the lab's scripted server, which is a process of its
 * own on loopback. The clock is the test's; what a test waits for is bounded by real time, and it
 * fails when that is used up.
 */
#ifndef NOBLOCKDNS_TEST_DOT_RIG_H
#define NOBLOCKDNS_TEST_DOT_RIG_H

#include "fake_host.h"
#include "resolver/tls_context.h"
#include "resolver/transport.h"
#include "resolver/view.h"
#include "tests/lab/dnsscript.h"
#include "tests/lab/testca.h"

#define RIG_CALLS_MAX 8192

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RIG_SANITIZED 1 /* memory and stacks are not what they are otherwise */
#else
#define RIG_SANITIZED 0
#endif

struct rig;

/* How one attempt ended. */
struct rig_call {
	struct rig *rig;
	bool ended;
	int error;
	bool authenticated;
	uint64_t sent_ms;
	unsigned len;
	unsigned char rcode;
	unsigned nputs; /* the tickets that the host had got by then */
	unsigned order; /* it was the so manyth to end, from 1 */
	struct attempt *attempt;
};

struct rig {
	struct fake_host host;
	struct resolver *r;
	struct resolver_tls conf;
	struct resolver_upstream upstream;
	struct transport_resolver resolver;
	struct tls_context *tls;
	struct transport *t;
	struct lab_dns *server;
	char ca[64];	      /* the file of the lab's authority */
	uint64_t given_up_ms; /* of the attempts from here on; rig_open() makes it never */
	struct rig_call calls[RIG_CALLS_MAX];
	unsigned ncalls, nended;
};

/* Starts a server on 127.0.0.1 and a free port: `tls` are the words behind `tls` of its `listen`
 * statement, `rules` the rest of the script. The upstream is that address, without a name; strict,
 * with the lab's authority. */
void rig_serve(struct rig *rig, const char *tls, const char *rules);

/* Opens the transport. What the test wants otherwise is set in rig->conf and rig->upstream before.
 */
void rig_open(struct rig *rig);

/* Closes the transport and opens it again: another process, with the same host. */
void rig_reopen(struct rig *rig);

/* Starts an attempt for a name; returns its call. */
struct rig_call *rig_ask(struct rig *rig, const char *name);

/* Lets it work until so many attempts have ended in all. */
void rig_wait(struct rig *rig, unsigned nended);

/* Asks and waits for that one. */
struct rig_call *rig_lookup(struct rig *rig, const char *name);

/* Lets it do what there is to do, until nothing has happened for 20 ms. */
void rig_settle(struct rig *rig);

/* Sets the clock forward. */
void rig_pass(struct rig *rig, unsigned ms);

/* Lets everything go on until there are no more and no fewer sockets than this. */
void rig_wait_nopen(struct rig *rig, unsigned nopen);

/* How many sockets are open. */
unsigned rig_nopen(const struct rig *rig);

/* What the server has met. */
struct lab_dns_tls rig_tls(const struct rig *rig);

/* Closes everything; fails the test if a socket or a hold is left. */
void rig_close(struct rig *rig);

#endif
