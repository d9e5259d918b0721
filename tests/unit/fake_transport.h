// SPDX-License-Identifier: MIT
/*
 * fake_transport.h - transport_ops for tests: keeps each packet that is sent, and ends attempts
 * when the test says so, from a reactor task as the contract demands.
 */
#ifndef NOBLOCKDNS_TEST_FAKE_TRANSPORT_H
#define NOBLOCKDNS_TEST_FAKE_TRANSPORT_H

#include "resolver/packet.h"
#include "resolver/transport.h"

#define FAKE_SENDS_MAX 1024

struct fake_send {
	unsigned upstream; /* the last octet of its address */
	unsigned port;
	enum resolver_transport protocol;
	uint64_t at_ms, given_up_ms;
	bool live; /* neither ended nor cancelled */
	bool edns, ad;
	unsigned len;
	unsigned char packet[PACKET_MAX];
	struct attempt *attempt;
};

/* Everything sent in this test, in order. Each Criterion test is a process of its own. */
extern struct fake_send fake_sends[FAKE_SENDS_MAX];
extern unsigned fake_nsends;
extern unsigned fake_ntransports; /* open */
extern int fake_start_error;	  /* not 0: what start() returns */

/* What the fake TLS engine says of each attempt that ends with an answer. */
extern bool fake_authenticated;
extern bool fake_connecting; /* before the packet left, so there is no sample of the round trip */

extern struct transport_conf fake_tls_conf; /* of the fake TLS transport opened last */

extern const struct transport_ops *const fake_engines[RESOLVER_NTRANSPORTS]; /* without TLS */
extern const struct transport_ops *const fake_engines_tls[RESOLVER_NTRANSPORTS];

/* Ends attempt `i` with an error or an answer: at the next entry into the resolver. */
void fake_fail(unsigned i, int error);
void fake_answer(unsigned i, const void *packet, unsigned len);

#endif
