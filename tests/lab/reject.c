// SPDX-License-Identifier: MIT
/*
 * reject.c - the packets with which a target or a network says no: TCP RST (RFC 9293 3.5.2), ICMP
 * destination unreachable (RFC 792, RFC 4443 3.1).
 */
#include "packet.h"

#include <errno.h>
#include <string.h>

#define QUOTED 48 /* octets of the refused packet in an ICMP error; its header and ports */

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The Internet checksum (RFC 1071), continued from `sum`. */
static uint32_t add(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	return len ? sum + (uint32_t)(p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The pseudo header of RFC 9293 3.1 and RFC 8200 8.1. */
static uint32_t pseudo(const struct lab_packet *p, unsigned protocol, size_t len)
{
	uint32_t sum = (uint32_t)len + protocol;

	sum = add(sum, p->source, p->addr_len);
	return add(sum, p->target, p->addr_len);
}

/* Writes the IP header of an answer to `p`. Returns its length. */
static size_t put_ip(uint8_t *buf, const struct lab_packet *p, unsigned protocol,
		     size_t payload_len)
{
	if (p->family == AF_INET) {
		memset(buf, 0, 20);
		buf[0] = 0x45;
		put16(buf + 2, (unsigned)(20 + payload_len));
		buf[8] = 64;
		buf[9] = (uint8_t)protocol;
		memcpy(buf + 12, p->target, 4);
		memcpy(buf + 16, p->source, 4);
		put16(buf + 10, fold(add(0, buf, 20)));
		return 20;
	}
	memset(buf, 0, 40);
	buf[0] = 0x60;
	put16(buf + 4, (unsigned)payload_len);
	buf[6] = (uint8_t)protocol;
	buf[7] = 64;
	memcpy(buf + 8, p->target, 16);
	memcpy(buf + 24, p->source, 16);
	return 40;
}

static size_t put_reset(const struct lab_packet *p, uint8_t *buf)
{
	size_t header = put_ip(buf, p, IPPROTO_TCP, 20);
	uint8_t *tcp = buf + header;
	size_t data_offset = (size_t)(p->payload[12] >> 4) * 4;
	uint32_t taken = 0; /* sequence numbers that the refused segment used */

	if (p->payload_len > data_offset)
		taken = (uint32_t)(p->payload_len - data_offset);
	taken += !!(p->tcp_flags & PACKET_SYN) + !!(p->tcp_flags & PACKET_FIN);
	memset(tcp, 0, 20);
	put16(tcp, p->target_port);
	put16(tcp + 2, p->source_port);
	if (p->tcp_flags & PACKET_ACK) {
		put32(tcp + 4, get32(p->payload + 8));
		tcp[13] = PACKET_RST;
	} else {
		put32(tcp + 8, get32(p->payload + 4) + taken);
		tcp[13] = PACKET_RST | PACKET_ACK;
	}
	tcp[12] = 5 << 4;
	put16(tcp + 16, fold(add(pseudo(p, IPPROTO_TCP, 20), tcp, 20)));
	return header + 20;
}

static size_t put_icmp(const struct lab_packet *p, enum lab_action action, uint8_t *buf)
{
	bool v4 = p->family == AF_INET;
	unsigned protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	size_t quoted = p->len < QUOTED ? p->len : QUOTED;
	size_t header = put_ip(buf, p, protocol, 8 + quoted);
	uint8_t *icmp = buf + header;
	uint32_t sum = v4 ? 0 : pseudo(p, protocol, 8 + quoted);

	memset(icmp, 0, 8);
	icmp[0] = v4 ? 3 : 1;
	/* Both "host" (IPv4) and "address" (IPv6) unreachable reach a program as EHOSTUNREACH. */
	if (action == LAB_REFUSE)
		icmp[1] = v4 ? 3 : 4;
	else
		icmp[1] = v4 ? 1 : 3;
	memcpy(icmp + 8, p->data, quoted);
	put16(icmp + 2, fold(add(sum, icmp, 8 + quoted)));
	return header + 8 + quoted;
}

size_t lab_packet_reject(const struct lab_packet *p, enum lab_action action, uint8_t *buf)
{
	if (!p->payload || p->protocol == IPPROTO_ICMP || p->tcp_flags & PACKET_RST)
		return 0;
	if (action == LAB_REFUSE && p->protocol == IPPROTO_TCP)
		return p->payload_len < 20 ? 0 : put_reset(p, buf);
	return put_icmp(p, action, buf);
}
