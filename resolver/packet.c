// SPDX-License-Identifier: MIT
/*
 * packet.c - see packet.h. A packet with one question has nothing to compress, so it is the name in
 * wire form between fixed fields; the name itself is converted by libc, as glibc's res_mkquery()
 * does it, so that the same names are refused. (c-ares would also refuse every ".onion" name.)
 */
#include "resolver/packet.h"

#include <arpa/nameser.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

enum { OPTION_KEEPALIVE = 11, OPTION_PADDING = 12 }; /* RFC 7828 3.1, RFC 7830 3 */

int packet_question_init(struct packet_question *question, const char *name,
			 enum resolver_type type)
{
	const unsigned char *end = question->name;

	if (ns_name_pton(name, question->name, sizeof(question->name)) < 0)
		return -EINVAL;
	while (*end)
		end += *end + 1;
	question->name_len = (unsigned)(end + 1 - question->name);
	question->type = type;
	return 0;
}

static_assert(PACKET_MAX % PACKET_BLOCK == 0 &&
		      PACKET_HEADER + PACKET_NAME_MAX + 4 + PACKET_OPT + 2 * PACKET_OPTION <=
			      PACKET_MAX,
	      "every packet fits");

static unsigned char *put_option(unsigned char *p, unsigned code, unsigned len)
{
	NS_PUT16(code, p);
	NS_PUT16(len, p);
	memset(p, 0, len);
	return p + len;
}

/* The OPT record at `p`; returns its end. */
static unsigned char *put_opt(unsigned char *packet, unsigned char *p, unsigned flags)
{
	unsigned char *options;

	*p++ = 0; /* the root */
	NS_PUT16(ns_t_opt, p);
	NS_PUT16(PACKET_EDNS_SIZE, p);
	NS_PUT32(0, p); /* extended RCODE, version and flags */
	options = p + 2;
	p = options;
	if (flags & PACKET_KEEPALIVE)
		p = put_option(p, OPTION_KEEPALIVE, 0);
	if (flags & PACKET_PADDING) {
		unsigned bare = (unsigned)(p - packet) + PACKET_OPTION;

		p = put_option(p, OPTION_PADDING, -bare % PACKET_BLOCK);
	}
	ns_put16((unsigned)(p - options), options - 2);
	return p;
}

unsigned packet_build(const struct packet_question *question, unsigned flags,
		      unsigned char packet[PACKET_MAX])
{
	bool edns = flags & PACKET_EDNS;
	unsigned char *p = packet;

	memset(p, 0, PACKET_HEADER);
	p[2] = 0x01; /* RD */
	p[3] = flags & PACKET_AD ? 0x20 : 0;
	p[5] = 1;     /* QDCOUNT */
	p[11] = edns; /* ARCOUNT */
	p += PACKET_HEADER;
	memcpy(p, question->name, question->name_len);
	p += question->name_len;
	NS_PUT16(question->type, p);
	NS_PUT16(ns_c_in, p);
	if (edns)
		p = put_opt(packet, p, flags);
	return (unsigned)(p - packet);
}
