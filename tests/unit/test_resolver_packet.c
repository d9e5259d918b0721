// SPDX-License-Identifier: MIT
/* test_resolver_packet.c - the options of the packet that asks (resolver/packet.c). */
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <string.h>

#include "resolver/packet.h"

#define STREAM (PACKET_EDNS | PACKET_KEEPALIVE)
#define TLS    (STREAM | PACKET_PADDING)

static struct packet_question question;
static unsigned char packet[PACKET_MAX];

/* With `flags`, a question about a name of this many octets in wire form, at least 3. */
static unsigned build(unsigned name_len, unsigned flags)
{
	unsigned char *p = question.name;

	for (unsigned left = name_len - 1; left;) {
		unsigned label = left > 65 ? 63 : left == 65 ? 62 : left - 1;

		*p++ = (unsigned char)label;
		memset(p, 'a', label);
		p += label;
		left -= label + 1;
	}
	*p = 0;
	question.name_len = name_len;
	question.type = RESOLVER_A;
	memset(packet, 0xee, sizeof(packet));
	return packet_build(&question, flags, packet);
}

/* RDLENGTH and RDATA of the OPT record. */
static const unsigned char *rdata(unsigned name_len)
{
	return packet + PACKET_HEADER + name_len + 4 + 9;
}

Test(packet, options_of_a_stream_are_an_empty_keepalive)
{
	unsigned len = build(9, STREAM);

	cr_assert_eq(len, 12 + 9 + 4 + 11 + 4, "%u bytes", len);
	cr_assert_eq(memcmp(rdata(9), "\0\4\0\13\0\0", 6), 0);
}

Test(packet, every_padded_length_is_a_multiple_of_128)
{
	for (unsigned name_len = 3; name_len <= PACKET_NAME_MAX; name_len++) {
		unsigned len = build(name_len, TLS);
		unsigned bare = 12 + name_len + 4 + 11 + 4 + 4;

		cr_assert_eq(len % 128, 0, "name of %u: %u bytes", name_len, len);
		cr_assert(len >= bare && len - bare < 128, "name of %u: %u bytes", name_len, len);
	}
}

Test(packet, padded_packet_is_well_formed)
{
	for (unsigned name_len = 3; name_len <= PACKET_NAME_MAX; name_len++) {
		unsigned len = build(name_len, TLS), padding;
		ns_msg msg;
		ns_rr rr;

		cr_assert_eq(ns_initparse(packet, (int)len, &msg), 0, "name of %u", name_len);
		cr_assert_eq(ns_parserr(&msg, ns_s_ar, 0, &rr), 0);
		cr_assert_eq(ns_rr_type(rr), ns_t_opt);
		cr_assert_eq(memcmp(ns_rr_rdata(rr), "\0\13\0\0\0\14", 6), 0);
		padding = ns_get16(ns_rr_rdata(rr) + 6);
		cr_assert_eq(ns_rr_rdlen(rr), 8 + padding, "name of %u", name_len);
		for (unsigned i = 0; i < padding; i++)
			cr_assert_eq(ns_rr_rdata(rr)[8 + i], 0, "name of %u", name_len);
	}
}

Test(packet, name_that_needs_no_padding_gets_an_empty_option)
{
	unsigned len = build(128 - 35, TLS);

	cr_assert_eq(len, 128, "%u bytes", len);
	cr_assert_eq(memcmp(rdata(128 - 35), "\0\10\0\13\0\0\0\14\0\0", 10), 0);
}

Test(packet, longest_name_over_tls_fills_the_largest_packet)
{
	cr_assert_eq(build(PACKET_NAME_MAX, TLS), PACKET_MAX);
}

Test(packet, no_option_without_edns)
{
	unsigned len = build(9, TLS & ~PACKET_EDNS);

	cr_assert_eq(len, 12 + 9 + 4, "%u bytes", len);
	cr_assert_eq(packet[11], 0, "ARCOUNT is %u", packet[11]);
}
