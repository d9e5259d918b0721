// SPDX-License-Identifier: MIT
/*
 * packet.c - see packet.h. A packet with one question has nothing to compress, so it is the name in
 * wire form between fixed fields; the name itself is converted by libc, as glibc's res_mkquery()
 * does it, so that the same names are refused. (c-ares would also refuse every ".onion" name.)
 */
#include "resolver/packet.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>

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
	if (edns) {
		*p++ = 0; /* the root */
		NS_PUT16(ns_t_opt, p);
		NS_PUT16(PACKET_EDNS_SIZE, p);
		NS_PUT32(0, p); /* extended RCODE, version and flags */
		NS_PUT16(0, p); /* no options */
	}
	return (unsigned)(p - packet);
}
