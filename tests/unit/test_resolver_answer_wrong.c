// SPDX-License-Identifier: MIT
/*
 * test_resolver_answer_wrong.c - packets that are damaged, or as large as can be, and random ones:
 * none is believed that should not be, none crashes (resolver/answer.c).
 */
#include <arpa/nameser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer_rig.h"

Test(answer, every_truncation_of_a_packet_is_noticed)
{
	unsigned full;

	begin(0);
	maker_cname(&m, NAME, 60, "b.example");
	maker_addr(&m, "b.example", 60, "192.0.2.1");
	full = m.len;
	for (m.len = 0; m.len < full; m.len++)
		cr_assert_neq(parse_flags(0), ANSWER_VALID, "%u of %u bytes", m.len, full);
	expect(ANSWER_VALID);
}

Test(answer, compression_loop_is_malformed)
{
	begin(0);
	maker_question_addr(&m, 60, 1);
	m.bytes[m.len - 15] = (unsigned char)(m.len - 16); /* the owner points to itself */
	expect(ANSWER_MALFORMED);
}

Test(answer, cname_beyond_its_record_is_malformed)
{
	begin(0);
	maker_rr(&m, MAKER_AN, NAME, ns_t_cname, 60, "\1a", 2);
	maker_addr(&m, NAME, 60, "192.0.2.1");
	expect(ANSWER_MALFORMED);
}

Test(answer, as_many_addresses_as_fit_in_64_kb)
{
	unsigned n = 0;

	begin(0);
	while (m.len + 16 <= MAKER_MAX) {
		maker_question_addr(&m, 60, n);
		n++;
	}
	expect_kind(RESOLVER_ANSWER, 60);
	cr_assert_eq(answer.rrset.naddrs, n);
	cr_assert_eq(answer.rrset.addrs[4 * (n - 1) + 3], (n - 1) & 0xff);
	answer_fini(&answer);
}

/* A chain in the worst order among as many records as there can be. */
Test(answer, chain_backwards_among_many_records_is_followed)
{
	begin(0);
	for (unsigned i = RESOLVER_CHAIN_MAX - 1; i > 0; i--) {
		char owner[32], target[32];

		snprintf(owner, sizeof(owner), i == 1 ? NAME : "n%u.example", i - 1);
		snprintf(target, sizeof(target), "n%u.example", i);
		maker_cname(&m, owner, 60, target);
	}
	while (m.len + 16 <= MAKER_MAX - 64)
		maker_question_addr(&m, 60, 0);
	maker_addr(&m, "n16.example", 60, "192.0.2.1");
	expect_kind(RESOLVER_ANSWER, 60);
	cr_assert_eq(answer.rrset.naddrs, 1);
	cr_assert_eq(answer.rrset.nnames, RESOLVER_CHAIN_MAX);
}

static uint32_t seed = 20260101;

static uint32_t random_below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

/* What holds for every verdict, whatever the bytes. */
static void check_rrset(void)
{
	const struct resolver_rrset *rrset = &answer.rrset;

	cr_assert(rrset->nnames <= RESOLVER_CHAIN_MAX);
	cr_assert_eq(rrset->kind == RESOLVER_ANSWER, rrset->naddrs > 0);
	cr_assert(rrset->naddrs * 16 <= MAKER_MAX * 16u);
	cr_assert(rrset->ttl_s <= ANSWER_TTL_MAX);
	for (unsigned i = 0; i < rrset->nnames; i++)
		cr_assert(strlen(rrset->names[i]) < RESOLVER_NAME_MAX);
	if (rrset->kind == RESOLVER_ANSWER || rrset->kind == RESOLVER_NODATA)
		cr_assert_geq(rrset->nnames, 1);
	else
		cr_assert_eq(rrset->nnames, 0);
}

Test(answer, mutated_packets_crash_nobody)
{
	unsigned nvalid = 0;

	for (unsigned round = 0; round < 100000; round++) {
		unsigned char *exact;

		begin(round % 8 ? 0 : ns_r_nxdomain);
		maker_cname(&m, NAME, 60, "b.example");
		maker_addr(&m, "b.example", 60, "192.0.2.1");
		maker_question_addr(&m, 60, round);
		maker_soa(&m, "example", 60, 60);
		for (unsigned n = random_below(6); n; n--)
			m.bytes[2 + random_below(m.len - 2)] = (unsigned char)random_below(256);
		if (!random_below(4))
			m.len = random_below(m.len);
		exact = malloc(m.len ? m.len : 1); /* so that a sanitizer sees a read past it */
		memcpy(exact, m.bytes, m.len);
		if (answer_parse(&answer, exact, m.len, &question, round & 7) == ANSWER_VALID) {
			check_rrset();
			nvalid++;
		}
		free(exact);
	}
	cr_assert(nvalid > 1000 && nvalid < 99000, "%u of 100000 were valid", nvalid);
	answer_fini(&answer);
}

Test(answer, random_packets_crash_nobody)
{
	for (unsigned round = 0; round < 100000; round++) {
		unsigned len = random_below(200);
		unsigned char *exact = malloc(len ? len : 1);

		begin(0); /* a good start, so that the sections are reached */
		memcpy(exact, m.bytes, len < m.len ? len : m.len);
		for (unsigned i = m.len; i < len; i++)
			exact[i] = (unsigned char)random_below(256);
		for (unsigned i = 6; i < 12 && i < len; i++)
			exact[i] = i % 2 ? (unsigned char)random_below(4) : 0;
		if (answer_parse(&answer, exact, len, &question, round & 7) == ANSWER_VALID)
			check_rrset();
		free(exact);
	}
	answer_fini(&answer);
}
