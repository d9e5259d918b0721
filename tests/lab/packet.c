// SPDX-License-Identifier: MIT
/*
 * packet.c - reading IP headers (RFC 791, RFC 8200) and matching them.
 *
 * IPv6 extension headers are not walked: the kernel sends none in what the lab carries, except in
 * multicast listener reports, which are not forwarded.
 */
#include "packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static int parse_v4(const uint8_t *data, size_t len, struct lab_packet *p)
{
	size_t header = len >= 20 ? (size_t)(data[0] & 0x0f) * 4 : 0;
	bool later_fragment;

	if (header < 20 || header > len)
		return -EINVAL;
	p->family = AF_INET;
	p->protocol = data[9];
	p->source = data + 12;
	p->target = data + 16;
	p->addr_len = 4;
	p->multicast = (data[16] & 0xf0) == 0xe0;
	later_fragment = get16(data + 6) & 0x1fff;
	if (!later_fragment) {
		p->payload = data + header;
		p->payload_len = len - header;
	}
	return 0;
}

static int parse_v6(const uint8_t *data, size_t len, struct lab_packet *p)
{
	if (len < 40)
		return -EINVAL;
	p->family = AF_INET6;
	p->protocol = data[6] == IPPROTO_ICMPV6 ? IPPROTO_ICMP : data[6];
	p->source = data + 8;
	p->target = data + 24;
	p->addr_len = 16;
	p->multicast = data[24] == 0xff;
	p->payload = data + 40;
	p->payload_len = len - 40;
	return 0;
}

int lab_packet_parse(const uint8_t *data, size_t len, struct lab_packet *ret)
{
	struct lab_packet p = {.data = data, .len = len};
	int version = len ? data[0] >> 4 : 0;
	int rc = -EINVAL;

	if (version == 4)
		rc = parse_v4(data, len, &p);
	else if (version == 6)
		rc = parse_v6(data, len, &p);
	if (rc)
		return rc;
	if (p.payload && p.payload_len >= 8 &&
	    (p.protocol == IPPROTO_TCP || p.protocol == IPPROTO_UDP)) {
		p.source_port = get16(p.payload);
		p.target_port = get16(p.payload + 2);
	}
	if (p.payload && p.payload_len >= 20 && p.protocol == IPPROTO_TCP)
		p.tcp_flags = p.payload[13];
	*ret = p;
	return 0;
}

int lab_packet_match_compile(const struct lab_match *match, struct lab_packet_match *ret)
{
	struct lab_packet_match m = {.match = *match};
	char address[sizeof(match->remote)];
	char *slash;

	snprintf(address, sizeof(address), "%s", match->remote);
	slash = strchr(address, '/');
	if (slash)
		*slash = '\0';
	if (*address) {
		m.prefix_family = strchr(address, ':') ? AF_INET6 : AF_INET;
		m.prefix_bits = m.prefix_family == AF_INET ? 32 : 128;
		if (inet_pton(m.prefix_family, address, m.prefix) != 1)
			return -EINVAL;
		if (slash && (unsigned)atoi(slash + 1) > m.prefix_bits)
			return -EINVAL;
		if (slash)
			m.prefix_bits = (unsigned)atoi(slash + 1);
	}
	*ret = m;
	return 0;
}

static bool in_prefix(const struct lab_packet_match *m, const uint8_t *address)
{
	unsigned octets = m->prefix_bits / 8;
	unsigned rest = m->prefix_bits % 8;
	unsigned mask = 0xff00u >> rest & 0xff;

	if (memcmp(address, m->prefix, octets) != 0)
		return false;
	return rest == 0 || ((address[octets] ^ m->prefix[octets]) & mask) == 0;
}

bool lab_packet_matches(const struct lab_packet_match *m, const struct lab_packet *p,
			enum lab_direction direction)
{
	const struct lab_match *match = &m->match;
	bool out = direction == LAB_OUT;

	if (match->direction != LAB_BOTH && match->direction != direction)
		return false;
	if (match->family && match->family != p->family)
		return false;
	if (match->protocol && match->protocol != p->protocol)
		return false;
	if (match->syn && (p->tcp_flags & (PACKET_SYN | PACKET_ACK)) != PACKET_SYN)
		return false;
	if (match->port && match->port != (out ? p->target_port : p->source_port))
		return false;
	if (!m->prefix_family)
		return true;
	return m->prefix_family == p->family && in_prefix(m, out ? p->target : p->source);
}
