// SPDX-License-Identifier: MIT
/*
 * packet.h - IP packets as the forwarder sees them: what is in them, which rules they match, and
 * the refusals that answer them.
 */
#ifndef LAB_PACKET_H
#define LAB_PACKET_H

#include "forwarder.h"

#define PACKET_MAX 65536

enum lab_tcp_flags {
	PACKET_FIN = 0x01,
	PACKET_SYN = 0x02,
	PACKET_RST = 0x04,
	PACKET_ACK = 0x10,
};

/* A parsed header. Pointers borrow from the packet. */
struct lab_packet {
	const uint8_t *data;
	size_t len;
	int family;
	int protocol;		/* ICMPv6 appears as IPPROTO_ICMP */
	const uint8_t *source;	/* [addr_len] */
	const uint8_t *target;	/* [addr_len] */
	size_t addr_len;	/* 4 or 16 */
	const uint8_t *payload; /* the transport header; NULL in a later fragment */
	size_t payload_len;
	uint16_t source_port; /* 0 without one */
	uint16_t target_port;
	unsigned tcp_flags;
	bool multicast;
};

/* A match with its text turned into octets. */
struct lab_packet_match {
	struct lab_match match;
	uint8_t prefix[16];
	unsigned prefix_bits;
	int prefix_family; /* 0: no prefix */
};

/* 0, or -EINVAL: not a whole IPv4 or IPv6 packet. */
int lab_packet_parse(const uint8_t *data, size_t len, struct lab_packet *ret);

/* 0, or -EINVAL: `remote` is no address or prefix. */
int lab_packet_match_compile(const struct lab_match *match, struct lab_packet_match *ret);

bool lab_packet_matches(const struct lab_packet_match *match, const struct lab_packet *p,
			enum lab_direction direction);

/*
 * Builds the answer of a target that refuses (`action` REFUSE: TCP RST, else ICMP port unreachable)
 * or of a network that has no way to it (UNREACHABLE). `buf` has room for 128 octets. Returns the
 * length, 0 where nothing may be sent (to a RST or to an ICMP error).
 */
size_t lab_packet_reject(const struct lab_packet *p, enum lab_action action, uint8_t *buf);

#endif
