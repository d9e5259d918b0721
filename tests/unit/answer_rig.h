// SPDX-License-Identifier: MIT
/*
 * answer_rig.h - one question, the packet that answers it, and what becomes of it: for the tests of
 * resolver/answer.h. Each Criterion test is a process of its own, so all of it is global.
 */
#ifndef NOBLOCKDNS_TEST_ANSWER_RIG_H
#define NOBLOCKDNS_TEST_ANSWER_RIG_H

#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "packet_maker.h"
#include "resolver/answer.h"

#define NAME "www.example.com"

static struct answer answer;
static struct maker m;
static struct packet_question question;

static inline enum answer_verdict parse_flags(unsigned flags)
{
	return answer_parse(&answer, m.bytes, m.len, &question, flags);
}

static inline void begin_type(unsigned flags, enum resolver_type type)
{
	cr_assert_eq(packet_question_init(&question, NAME, type), 0);
	maker_begin(&m, 7, MAKER_ANSWER | flags, NAME, type);
}

static inline void begin(unsigned flags)
{
	begin_type(flags, RESOLVER_A);
}

static inline void expect(enum answer_verdict verdict)
{
	enum answer_verdict got = parse_flags(0);

	cr_assert_eq(got, verdict, "%s, not %s", answer_verdict_to_str(got),
		     answer_verdict_to_str(verdict));
}

static inline void expect_kind(enum resolver_kind kind, uint32_t ttl_s)
{
	expect(ANSWER_VALID);
	cr_assert_eq(answer.rrset.kind, kind, "kind %d, not %d", answer.rrset.kind, kind);
	cr_assert_eq(answer.rrset.ttl_s, ttl_s, "ttl %u, not %u", answer.rrset.ttl_s, ttl_s);
}

static inline void expect_addr(unsigned i, const char *text)
{
	char got[INET6_ADDRSTRLEN];
	unsigned size = answer.rrset.type == RESOLVER_A ? 4 : 16;

	cr_assert_gt(answer.rrset.naddrs, i);
	inet_ntop(size == 4 ? AF_INET : AF_INET6, answer.rrset.addrs + i * size, got, sizeof(got));
	cr_assert_str_eq(got, text);
}

static inline void expect_names(unsigned n, const char *const *names)
{
	cr_assert_eq(answer.rrset.nnames, n, "%u names, not %u", answer.rrset.nnames, n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_str_eq(answer.rrset.names[i], names[i]);
}

#endif
