// SPDX-License-Identifier: MIT
/* test_dot_message.c - which message answers a packet, and the server's keepalive. */
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "packet_maker.h"
#include "resolver/dot_message.h"
#include "resolver/packet.h"

static struct maker m;
static unsigned char packet[PACKET_MAX];
static unsigned packet_len;

static void setup(void)
{
	struct packet_question question;

	packet_question_init(&question, "www.example.com", RESOLVER_A);
	packet_len = packet_build(&question, PACKET_EDNS, packet);
	packet[0] = 0x12;
	packet[1] = 0x34;
	maker_begin(&m, 0x1234, MAKER_ANSWER, "www.example.com", RESOLVER_A);
}

static bool answers(void)
{
	return dot_message_answers(m.bytes, m.len, packet, packet_len);
}

TestSuite(dot_message, .init = setup);

Test(dot_message, answer_answers)
{
	maker_addr(&m, "www.example.com", 60, "192.0.2.1");
	cr_expect(answers());
}

Test(dot_message, case_does_not_matter)
{
	maker_begin(&m, 0x1234, MAKER_ANSWER, "WwW.eXaMpLe.CoM", RESOLVER_A);
	cr_expect(answers());
}

Test(dot_message, other_id_does_not_answer)
{
	m.bytes[1] ^= 1;
	cr_expect_not(answers());
}

Test(dot_message, query_does_not_answer)
{
	m.bytes[2] &= 0x7f;
	cr_expect_not(answers());
}

Test(dot_message, other_opcode_does_not_answer)
{
	m.bytes[2] |= 0x10;
	cr_expect_not(answers());
}

Test(dot_message, other_question_does_not_answer)
{
	maker_begin(&m, 0x1234, MAKER_ANSWER, "www.example.org", RESOLVER_A);
	cr_expect_not(answers());
	maker_begin(&m, 0x1234, MAKER_ANSWER, "www.example.com", RESOLVER_AAAA);
	cr_expect_not(answers());
	maker_begin(&m, 0x1234, MAKER_ANSWER, "example.com", RESOLVER_A);
	cr_expect_not(answers());
}

Test(dot_message, two_questions_do_not_answer)
{
	m.bytes[5] = 2;
	cr_expect_not(answers());
}

Test(dot_message, bare_header_answers_with_an_error_only)
{
	m.len = 12;
	m.bytes[5] = 0;
	cr_expect_not(answers());
	m.bytes[3] |= 1; /* FORMERR */
	cr_expect(answers());
}

Test(dot_message, cut_message_does_not_answer)
{
	unsigned len = m.len;

	for (m.len = 0; m.len < len; m.len++)
		cr_expect_not(answers(), "%u bytes", m.len);
}

/* ---- keepalive ---- */

static void add_opt(const void *options, unsigned len)
{
	maker_rr_class(&m, MAKER_AR, "", ns_t_opt, 1232, 0, options, len);
}

static uint32_t keepalive(void)
{
	uint32_t ms = 12345;

	return dot_message_keepalive(m.bytes, m.len, &ms) ? ms : 12345;
}

Test(dot_message, keepalive_is_in_tenths_of_a_second)
{
	maker_addr(&m, "www.example.com", 60, "192.0.2.1");
	add_opt("\0\12\0\10COOKIE88\0\13\0\2\1\54", 18);
	cr_expect_eq(keepalive(), 30000);
}

Test(dot_message, keepalive_behind_a_compressed_name_is_found)
{
	maker_question_addr(&m, 60, 0x01020304);
	add_opt("\0\13\0\2\0\0", 6);
	cr_expect_eq(keepalive(), 0);
}

Test(dot_message, keepalive_without_a_time_is_none)
{
	add_opt("\0\13\0\0", 4);
	cr_expect_eq(keepalive(), 12345);
}

Test(dot_message, message_without_opt_has_none)
{
	maker_addr(&m, "www.example.com", 60, "192.0.2.1");
	cr_expect_eq(keepalive(), 12345);
}

/* Under the address sanitizer, reading beyond the end would be seen. */
Test(dot_message, cut_message_has_none)
{
	unsigned len;

	maker_addr(&m, "www.example.com", 60, "192.0.2.1");
	add_opt("\0\13\0\2\1\54", 6);
	len = m.len;
	for (unsigned i = 0; i < len; i++) {
		unsigned char *exact = malloc(i ? i : 1);
		uint32_t ms;

		memcpy(exact, m.bytes, i);
		cr_expect_not(dot_message_keepalive(exact, i, &ms), "%u bytes", i);
		free(exact);
	}
}
