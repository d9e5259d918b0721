// SPDX-License-Identifier: MIT
/*
 * test_resolver_answer.c - which answers are believed and what they amount to (resolver/answer.c):
 * tables of hand-made packets.
 */
#include <arpa/nameser.h>
#include <stdio.h>
#include <string.h>

#include "answer_rig.h"

/* ---- answers ---- */

Test(answer, addresses_in_packet_order_with_duplicates)
{
	begin(0);
	maker_addr(&m, NAME, 60, "192.0.2.9");
	maker_addr(&m, NAME, 60, "192.0.2.1");
	maker_addr(&m, NAME, 60, "192.0.2.9");
	expect_kind(RESOLVER_ANSWER, 60);
	cr_assert_eq(answer.rrset.naddrs, 3);
	expect_addr(0, "192.0.2.9");
	expect_addr(1, "192.0.2.1");
	expect_addr(2, "192.0.2.9");
	expect_names(1, (const char *[]){NAME});
}

Test(answer, aaaa)
{
	begin_type(0, RESOLVER_AAAA);
	maker_addr(&m, NAME, 60, "2001:db8::1");
	expect_kind(RESOLVER_ANSWER, 60);
	expect_addr(0, "2001:db8::1");
}

Test(answer, names_as_spelt_in_the_answer)
{
	packet_question_init(&question, NAME ".", RESOLVER_A);
	maker_begin(&m, 7, MAKER_ANSWER, "WwW.eXample.com", RESOLVER_A);
	maker_cname(&m, "www.example.COM", 60, "Host.Example.NET");
	maker_addr(&m, "hOST.example.net", 60, "192.0.2.1");
	expect_kind(RESOLVER_ANSWER, 60);
	expect_names(2, (const char *[]){"WwW.eXample.com", "Host.Example.NET"});
}

Test(answer, cname_chain_in_any_order)
{
	static const unsigned char orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
						   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (int i = 0; i < 6; i++) {
		begin(0);
		for (int k = 0; k < 3; k++) {
			if (orders[i][k] == 0)
				maker_cname(&m, NAME, 300, "b.example");
			else if (orders[i][k] == 1)
				maker_cname(&m, "b.example", 20, "c.example");
			else
				maker_addr(&m, "c.example", 100, "192.0.2.1");
		}
		expect_kind(RESOLVER_ANSWER, 20);
		expect_names(3, (const char *[]){NAME, "b.example", "c.example"});
		expect_addr(0, "192.0.2.1");
	}
}

Test(answer, records_of_others_are_ignored)
{
	begin(0);
	maker_addr(&m, "evil.example", 60, "198.51.100.1");
	maker_cname(&m, "evil.example", 1, "worse.example");
	maker_addr(&m, NAME, 60, "192.0.2.1");
	maker_addr(&m, NAME, 1, "2001:db8::1");
	maker_rr_class(&m, MAKER_AN, NAME, ns_t_a, ns_c_chaos, 1, "\1\2\3\4", 4);
	maker_rr(&m, MAKER_AN, NAME, ns_t_a, 1, "\1\2\3\4\5", 5);
	maker_rr(&m, MAKER_AN, NAME, ns_t_a, 1, "", 0);
	maker_rr(&m, MAKER_AR, NAME, ns_t_a, 1, "\1\2\3\4", 4);
	expect_kind(RESOLVER_ANSWER, 60);
	cr_assert_eq(answer.rrset.naddrs, 1);
	expect_addr(0, "192.0.2.1");
}

Test(answer, address_of_a_name_before_the_end_of_the_chain_does_not_count)
{
	begin(0);
	maker_addr(&m, NAME, 60, "198.51.100.1");
	maker_cname(&m, NAME, 60, "b.example");
	maker_addr(&m, "b.example", 60, "192.0.2.1");
	expect_kind(RESOLVER_ANSWER, 60);
	cr_assert_eq(answer.rrset.naddrs, 1);
	expect_addr(0, "192.0.2.1");
}

/* `n` names, the question included. */
static void make_chain(unsigned n)
{
	char owner[32] = NAME, target[32];

	begin(0);
	for (unsigned i = 1; i < n; i++) {
		snprintf(target, sizeof(target), "n%u.example", i);
		maker_cname(&m, owner, 60, target);
		memcpy(owner, target, sizeof(owner));
	}
	maker_addr(&m, owner, 60, "192.0.2.1");
}

Test(answer, chain_of_the_longest_length)
{
	make_chain(RESOLVER_CHAIN_MAX);
	expect_kind(RESOLVER_ANSWER, 60);
	cr_assert_eq(answer.rrset.nnames, RESOLVER_CHAIN_MAX);
}

Test(answer, chain_one_longer_is_malformed)
{
	make_chain(RESOLVER_CHAIN_MAX + 1);
	expect(ANSWER_MALFORMED);
}

Test(answer, cname_loops_are_malformed)
{
	begin(0);
	maker_cname(&m, NAME, 60, NAME);
	expect(ANSWER_MALFORMED);
	begin(0);
	maker_cname(&m, NAME, 60, "b.example");
	maker_cname(&m, "b.example", 60, "WWW.example.com");
	maker_addr(&m, NAME, 60, "192.0.2.1");
	expect(ANSWER_MALFORMED);
}

Test(answer, chain_that_ends_in_the_root)
{
	begin(0);
	maker_cname(&m, NAME, 60, ".");
	maker_addr(&m, ".", 60, "192.0.2.1");
	expect_kind(RESOLVER_ANSWER, 60);
	cr_assert_str_eq(answer.rrset.names[1], ".");
}

Test(answer, second_cname_of_a_name_is_ignored)
{
	begin(0);
	maker_cname(&m, NAME, 60, "b.example");
	maker_cname(&m, NAME, 60, "c.example");
	maker_addr(&m, "b.example", 60, "192.0.2.1");
	maker_addr(&m, "c.example", 60, "192.0.2.2");
	expect_kind(RESOLVER_ANSWER, 60);
	cr_assert_eq(answer.rrset.naddrs, 1);
	expect_addr(0, "192.0.2.1");
}

Test(answer, bytes_after_the_message_are_ignored)
{
	begin(0);
	maker_addr(&m, NAME, 60, "192.0.2.1");
	m.bytes[m.len] = m.bytes[m.len + 1] = 0xff;
	m.len += 2;
	expect_kind(RESOLVER_ANSWER, 60);
}

Test(answer, address_counts_only_under_the_question_asked)
{
	begin(0);
	maker_addr(&m, NAME, 60, "192.0.2.1");
	packet_question_init(&question, "ftp.example.com", RESOLVER_A);
	expect(ANSWER_MISMATCH);
	packet_question_init(&question, "www.example.com.au", RESOLVER_A);
	expect(ANSWER_MISMATCH);
	packet_question_init(&question, NAME, RESOLVER_AAAA);
	expect(ANSWER_MISMATCH);
}

/* ---- TTL ---- */

Test(answer, ttl_is_the_least_and_a_week_at_most)
{
	static const struct {
		uint32_t cname, first, second, expected;
	} cases[] = {
		{300, 60, 90, 60},
		{30, 60, 90, 30},
		{300, 0, 90, 0},
		{300, 60, 0x80000000u, 60},
		{0xffffffffu, 60, 90, 60},
		{0xffffffffu, 0, 90, 0},
		{604801, 700000, 604800, 604800},
		{0x7fffffff, 0x7fffffff, 0x7fffffff, 604800},
		{0x80000000u, 0xffffffffu, 0x80000001u, 604800}, /* RFC 8767 section 4 */
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(0);
		maker_cname(&m, NAME, cases[i].cname, "b.example");
		maker_addr(&m, "b.example", cases[i].first, "192.0.2.1");
		maker_addr(&m, "b.example", cases[i].second, "192.0.2.2");
		expect_kind(RESOLVER_ANSWER, cases[i].expected);
	}
}

static const struct {
	const char *what;
	unsigned rcode;
	bool cname;	  /* www.example.com -> host.example.net, with TTL 500 */
	const char *zone; /* NULL: no SOA */
	uint32_t ttl, minimum, expected;
	enum resolver_kind kind;
} negatives[] = {
	{"NXDOMAIN, minimum less", 3, false, "example.com", 900, 300, 300, RESOLVER_NXDOMAIN},
	{"NXDOMAIN, TTL less", 3, false, "example.com", 200, 300, 200, RESOLVER_NXDOMAIN},
	{"NODATA", 0, false, "example.com", 900, 300, 300, RESOLVER_NODATA},
	{"NODATA from the root", 0, false, ".", 900, 300, 300, RESOLVER_NODATA},
	{"NODATA, SOA of the name itself", 0, false, NAME, 900, 300, 300, RESOLVER_NODATA},
	{"capped", 3, false, "com", 86400, 86400, 3600, RESOLVER_NXDOMAIN},
	{"zero", 3, false, "com", 0, 86400, 0, RESOLVER_NXDOMAIN},
	{"minimum of zero", 3, false, "com", 86400, 0, 0, RESOLVER_NXDOMAIN},
	{"insane", 3, false, "com", 0x80000001u, 86400, 3600, RESOLVER_NXDOMAIN},
	{"insane minimum", 0, false, "com", 300, 0xffffffffu, 300, RESOLVER_NODATA},
	{"insane, both", 3, false, "com", 0xffffffffu, 0xffffffffu, 3600, RESOLVER_NXDOMAIN},
	{"NXDOMAIN without SOA", 3, false, NULL, 0, 0, 0, RESOLVER_NXDOMAIN},
	{"NODATA without SOA", 0, false, NULL, 0, 0, 0, RESOLVER_NODATA},
	{"SOA of another zone", 3, false, "example.org", 900, 300, 0, RESOLVER_NXDOMAIN},
	{"SOA of a part of a label", 3, false, "ample.com", 900, 300, 0, RESOLVER_NXDOMAIN},
	{"SOA below", 3, false, "a." NAME, 900, 300, 0, RESOLVER_NXDOMAIN},
	{"NXDOMAIN after CNAME", 3, true, "example.net", 900, 800, 500, RESOLVER_NXDOMAIN},
	{"NODATA after CNAME", 0, true, "example.net", 900, 300, 300, RESOLVER_NODATA},
	{"SOA of the alias, not the end", 0, true, "example.com", 900, 300, 0, RESOLVER_NODATA},
};

Test(answer, negative_ttl_by_rfc_2308)
{
	for (unsigned i = 0; i < sizeof(negatives) / sizeof(negatives[0]); i++) {
		begin(negatives[i].rcode);
		if (negatives[i].cname)
			maker_cname(&m, NAME, 500, "host.example.net");
		if (negatives[i].zone)
			maker_soa(&m, negatives[i].zone, negatives[i].ttl, negatives[i].minimum);
		expect(ANSWER_VALID);
		cr_assert_eq(answer.rrset.kind, negatives[i].kind, "%s: kind %d", negatives[i].what,
			     answer.rrset.kind);
		cr_assert_eq(answer.rrset.ttl_s, negatives[i].expected, "%s: ttl %u, not %u",
			     negatives[i].what, answer.rrset.ttl_s, negatives[i].expected);
		cr_assert_eq(answer.rrset.naddrs, 0);
	}
}

Test(answer, escaped_dot_is_no_label_boundary)
{
	packet_question_init(&question, "a\\.example.com", RESOLVER_A);
	maker_begin(&m, 7, MAKER_ANSWER | ns_r_nxdomain, "a\\.example.com", RESOLVER_A);
	maker_soa(&m, "example.com", 900, 300);
	expect_kind(RESOLVER_NXDOMAIN, 0);
	packet_question_init(&question, "a\\\\.example.com", RESOLVER_A);
	maker_begin(&m, 7, MAKER_ANSWER | ns_r_nxdomain, "a\\\\.example.com", RESOLVER_A);
	maker_soa(&m, "example.com", 900, 300);
	expect_kind(RESOLVER_NXDOMAIN, 300);
}

Test(answer, broken_soa_counts_as_none)
{
	begin(ns_r_nxdomain);
	maker_rr(&m, MAKER_NS, "example.com", ns_t_soa, 900, "\0\0\1\2\3\4", 6);
	expect_kind(RESOLVER_NXDOMAIN, 0);
}

Test(answer, nodata_names_the_chain_and_nxdomain_none)
{
	begin(0);
	maker_cname(&m, NAME, 60, "b.example");
	expect_kind(RESOLVER_NODATA, 0);
	expect_names(2, (const char *[]){NAME, "b.example"});
	begin(ns_r_nxdomain);
	maker_cname(&m, NAME, 60, "b.example");
	expect_kind(RESOLVER_NXDOMAIN, 0);
	cr_assert_eq(answer.rrset.nnames, 0);
}

/* ---- host names, as glibc has it ---- */

Test(answer, question_that_is_no_host_name_does_not_exist)
{
	packet_question_init(&question, "foo!bar.example", RESOLVER_A);
	maker_begin(&m, 7, MAKER_ANSWER, "foo!bar.example", RESOLVER_A);
	maker_addr(&m, "foo!bar.example", 60, "192.0.2.1");
	expect_kind(RESOLVER_NXDOMAIN, 0);
	cr_assert_eq(answer.rrset.naddrs, 0);
}

Test(answer, underscore_is_a_host_name)
{
	packet_question_init(&question, "_foo.bar_.example", RESOLVER_A);
	maker_begin(&m, 7, MAKER_ANSWER, "_foo.bar_.example", RESOLVER_A);
	maker_addr(&m, "_foo.bar_.example", 60, "192.0.2.1");
	expect_kind(RESOLVER_ANSWER, 60);
}

Test(answer, target_that_is_no_host_name_is_followed_but_not_named)
{
	begin(0);
	maker_cname(&m, NAME, 60, "b.example");
	maker_cname(&m, "b.example", 60, "-c.example");
	maker_addr(&m, "-c.example", 60, "192.0.2.1");
	expect_kind(RESOLVER_ANSWER, 60);
	expect_addr(0, "192.0.2.1");
	expect_names(2, (const char *[]){NAME, "b.example"});
}

/* ---- response codes and flags ---- */

Test(answer, response_codes)
{
	static const enum answer_verdict verdicts[16] = {
		ANSWER_VALID,	ANSWER_FORMERR, ANSWER_SERVFAIL, ANSWER_VALID,
		ANSWER_REFUSED, ANSWER_REFUSED, ANSWER_REFUSED,	 ANSWER_REFUSED,
		ANSWER_REFUSED, ANSWER_REFUSED, ANSWER_REFUSED,	 ANSWER_REFUSED,
		ANSWER_REFUSED, ANSWER_REFUSED, ANSWER_REFUSED,	 ANSWER_REFUSED,
	};

	for (unsigned rcode = 0; rcode < 16; rcode++) {
		begin(rcode);
		expect(verdicts[rcode]);
	}
}

Test(answer, error_code_needs_no_more_than_a_header)
{
	begin(ns_r_formerr);
	m.bytes[11] = 1; /* an OPT record that is counted and missing */
	expect(ANSWER_FORMERR);
	m.len = PACKET_HEADER;
	expect(ANSWER_FORMERR);
}

Test(answer, truncation_counts_over_udp_only)
{
	begin(MAKER_TC);
	maker_addr(&m, NAME, 60, "192.0.2.1");
	expect(ANSWER_TRUNCATED);
	cr_assert_eq(parse_flags(ANSWER_STREAM), ANSWER_VALID);
	m.len -= 3; /* cut within a record */
	expect(ANSWER_TRUNCATED);
	cr_assert_eq(parse_flags(ANSWER_STREAM), ANSWER_MALFORMED);
}

Test(answer, ad_only_where_it_is_trusted)
{
	begin(MAKER_AD);
	maker_addr(&m, NAME, 60, "192.0.2.1");
	parse_flags(0);
	cr_assert(!answer.rrset.ad);
	parse_flags(ANSWER_TRUST_AD);
	cr_assert(answer.rrset.ad);
	m.bytes[3] &= (unsigned char)~MAKER_AD;
	parse_flags(ANSWER_TRUST_AD);
	cr_assert(!answer.rrset.ad);
}

Test(answer, queries_and_other_opcodes_are_not_answers)
{
	begin(0);
	m.bytes[2] &= 0x7f;
	expect(ANSWER_MISMATCH);
	begin(0);
	m.bytes[2] |= ns_o_notify << 3;
	expect(ANSWER_MISMATCH);
	m.len = 11;
	expect(ANSWER_MISMATCH);
}

Test(answer, two_questions_are_not_ours)
{
	begin(0);
	m.bytes[5] = 2;
	memcpy(m.bytes + m.len, m.bytes + 12, m.len - 12);
	m.len += m.len - 12;
	expect(ANSWER_MISMATCH);
}

Test(answer, lame_answers_count_as_server_failure)
{
	maker_begin(&m, 7, MAKER_QR | MAKER_RD, NAME, RESOLVER_A);
	packet_question_init(&question, NAME, RESOLVER_A);
	maker_soa(&m, "example.com", 900, 300);
	expect(ANSWER_SERVFAIL);
	maker_rr_class(&m, MAKER_AR, ".", ns_t_opt, 1232, 0, "", 0);
	expect(ANSWER_SERVFAIL);
	m.bytes[2] |= MAKER_AA >> 8;
	expect_kind(RESOLVER_NODATA, 300);
}
