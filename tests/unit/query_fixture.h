// SPDX-License-Identifier: MIT
/*
 * query_fixture.h - one view of a resolver with fake transports and a fake clock, and what became
 * of the question that was put to it. Each Criterion test is a process of its own, so all of it is
 * global.
 */
#ifndef NOBLOCKDNS_TEST_QUERY_FIXTURE_H
#define NOBLOCKDNS_TEST_QUERY_FIXTURE_H

#include "fake_host.h"
#include "fake_transport.h"
#include "packet_maker.h"
#include "resolver/view.h"

#define FIXTURE_START	 1000000u /* the clock at fixture_open() */
#define FIXTURE_NAME	 "www.example.com"
#define FIXTURE_DEADLINE 20000u /* after the start */
#define FIXTURE_LATE	 2000u	/* before the deadline, who asked gives up */

struct fixture_result {
	unsigned ncalls; /* of done(); the rest is of the last one */
	enum resolver_kind kind;
	enum resolver_failure failure;
	uint64_t at_ms; /* after the start */
	unsigned naddrs;
	bool ad;
};

extern struct fake_host fixture_host;
extern struct resolver *fixture_r;
extern struct resolver_view *fixture_view;
extern struct fixture_result fixture_result;
extern void (*fixture_then)(void);     /* run inside the next done(), or NULL */
extern uint32_t fixture_remembered_ms; /* what the host remembers of every server; 0: nothing */

/* One upstream for each letter: u is UDP, t TCP, s TLS. The address of the first ends in 0. */
struct resolver_conf fixture_conf(const char *transports);

void fixture_open(const struct resolver_conf *conf);

/* Closes the resolver, and expects that nothing is left behind. */
void fixture_close(void);

/* Asks for A of FIXTURE_NAME, and forgets what became of the question before. */
struct resolver_query *fixture_ask(void);

/* Asks for A of this name, until this time after the start. What done() tells of several questions
 * is counted together. */
struct resolver_query *fixture_ask_until(const char *name, uint64_t deadline_ms);

/* Sets the clock to this time after the start. */
void fixture_advance(uint64_t at_ms);

/* Attempt `i` ends now: with an answer (flags of packet_maker.h; an address if they say NOERROR) or
 * with an error. */
void fixture_answer(unsigned i, unsigned flags);
void fixture_fail(unsigned i, int error);

/* Packet `i` was sent to this upstream, over this protocol, at this time after the start. */
void fixture_expect_send(unsigned i, unsigned upstream, enum resolver_transport protocol,
			 uint64_t at_ms);

void fixture_expect_nsends(unsigned n);

/* How often the log says this. */
unsigned fixture_count_log(const char *what);

/* The question has ended, once, at this time after the start. */
void fixture_expect_answer(uint64_t at_ms);
void fixture_expect_failure(enum resolver_failure failure, uint64_t at_ms);

#endif
