// SPDX-License-Identifier: MIT
/*
 * dnswire.c - reading and writing of DNS names and records (RFC 1035 4.1, RFC 6891 6.1).
 *
 * The writer compresses whole owner names only: to the question, or to a name in the data of an
 * earlier record. That exercises pointers in a parser without hiding what the packet looks like.
 */
#include "dnswire.h"
#include "dnsscript.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void dns_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void dns_put32(uint8_t *p, uint32_t v)
{
	dns_put16(p, v >> 16);
	dns_put16(p + 2, v & 0xffff);
}

unsigned dns_get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

uint32_t dns_get32(const uint8_t *p)
{
	return (uint32_t)dns_get16(p) << 16 | dns_get16(p + 2);
}

static size_t wire_len(const uint8_t *wire)
{
	const uint8_t *p = wire;

	while (*p)
		p += *p + 1;
	return (size_t)(p - wire) + 1;
}

int dns_name_parse(const char *text, struct dns_name *ret)
{
	struct dns_name name;

	if (ns_name_pton(text, name.wire, sizeof(name.wire)) < 0)
		return -EINVAL;
	name.len = (uint8_t)wire_len(name.wire);
	*ret = name;
	return 0;
}

void dns_name_print(const struct dns_name *name, char *buf, size_t size)
{
	char text[NS_MAXDNAME];

	if (ns_name_ntop(name->wire, text, sizeof(text)) < 0)
		text[0] = '\0';
	snprintf(buf, size, "%s", text);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	/* Length octets are under 64, which tolower() leaves alone. */
	if (a->len != b->len)
		return false;
	for (unsigned i = 0; i < a->len; i++)
		if (tolower(a->wire[i]) != tolower(b->wire[i]))
			return false;
	return true;
}

bool dns_name_below(const struct dns_name *name, const struct dns_name *parent)
{
	struct dns_name up;

	while (dns_name_parent(name, &up)) {
		if (dns_name_equal(&up, parent))
			return true;
		name = &up;
	}
	return false;
}

void dns_name_lower(struct dns_name *name)
{
	for (unsigned i = 0; i < name->len; i++)
		name->wire[i] = (uint8_t)tolower(name->wire[i]);
}

bool dns_name_parent(const struct dns_name *name, struct dns_name *ret)
{
	unsigned skip = name->wire[0] + 1u;
	unsigned len = name->len;

	if (len == 1)
		return false;
	memmove(ret->wire, name->wire + skip, len - skip);
	ret->len = (uint8_t)(len - skip);
	return true;
}

int dns_name_prepend(const char *label, const struct dns_name *name, struct dns_name *ret)
{
	size_t n = strlen(label);

	if (n > 63 || n + 1 + name->len > sizeof(ret->wire))
		return -EINVAL;
	memmove(ret->wire + n + 1, name->wire, name->len);
	ret->wire[0] = (uint8_t)n;
	memcpy(ret->wire + 1, label, n);
	ret->len = (uint8_t)(n + 1 + name->len);
	return 0;
}

int dns_name_read(const uint8_t *msg, size_t len, size_t *pos, struct dns_name *ret)
{
	int used;

	if (*pos >= len)
		return -EINVAL;
	used = ns_name_unpack(msg, msg + len, msg + *pos, ret->wire, sizeof(ret->wire));
	if (used < 0)
		return -EINVAL;
	*pos += (size_t)used;
	ret->len = (uint8_t)wire_len(ret->wire);
	return 0;
}

void dns_packet_start(struct dns_packet *p, uint16_t id, uint16_t flags)
{
	memset(p->buf, 0, DNS_HEADER);
	dns_put16(p->buf, id);
	dns_put16(p->buf + 2, flags);
	p->len = DNS_HEADER;
	p->full = false;
	p->nseen = 0;
}

static void count(struct dns_packet *p, unsigned section)
{
	uint8_t *field = p->buf + 4 + 2 * section;

	dns_put16(field, dns_get16(field) + 1);
}

static void remember(struct dns_packet *p, const struct dns_name *name, size_t offset)
{
	/* A pointer has 14 bits. */
	if (p->nseen == sizeof(p->seen) / sizeof(*p->seen) || offset >= 0x4000)
		return;
	p->seen[p->nseen].name = *name;
	p->seen[p->nseen++].offset = (uint16_t)offset;
}

void dns_packet_question(struct dns_packet *p, const struct dns_name *name, uint16_t type)
{
	remember(p, name, p->len);
	memcpy(p->buf + p->len, name->wire, name->len);
	p->len += name->len;
	dns_put16(p->buf + p->len, type);
	dns_put16(p->buf + p->len + 2, ns_c_in);
	p->len += 4;
	count(p, 0);
}

static size_t put_owner(struct dns_packet *p, const struct dns_name *owner)
{
	for (unsigned i = 0; i < p->nseen; i++) {
		if (dns_name_equal(&p->seen[i].name, owner)) {
			dns_put16(p->buf + p->len, 0xc000u | p->seen[i].offset);
			return 2;
		}
	}
	memcpy(p->buf + p->len, owner->wire, owner->len);
	return owner->len;
}

void dns_packet_rr(struct dns_packet *p, unsigned section, const struct dns_rr *rr)
{
	uint8_t *fixed;

	if (p->full || p->len + rr->owner->len + 10u + rr->rdlen > sizeof(p->buf)) {
		p->full = true;
		return;
	}
	p->len += put_owner(p, rr->owner);
	fixed = p->buf + p->len;
	dns_put16(fixed, rr->type);
	dns_put16(fixed + 2, ns_c_in);
	dns_put32(fixed + 4, rr->ttl_s);
	dns_put16(fixed + 8, rr->rdlen);
	p->len += 10;
	if (rr->rdata_is_name) {
		struct dns_name name = {.len = (uint8_t)rr->rdlen};

		memcpy(name.wire, rr->rdata, rr->rdlen);
		remember(p, &name, p->len);
	}
	memcpy(p->buf + p->len, rr->rdata, rr->rdlen);
	p->len += rr->rdlen;
	count(p, section);
}

/* An OPT record with so many octets of options, still 0. NULL: no room. */
static uint8_t *put_opt(struct dns_packet *p, uint16_t udp_size, size_t rdlen)
{
	uint8_t *rr = p->buf + p->len;

	if (p->len + 11 + rdlen > sizeof(p->buf))
		return NULL;
	memset(rr, 0, 11 + rdlen);
	dns_put16(rr + 1, LAB_OPT);
	dns_put16(rr + 3, udp_size);
	dns_put16(rr + 9, (unsigned)rdlen);
	p->len += 11 + rdlen;
	count(p, 3);
	return rr + 11;
}

void dns_packet_opt(struct dns_packet *p, uint16_t udp_size)
{
	put_opt(p, udp_size, 0);
}

void dns_packet_opt_keepalive(struct dns_packet *p, uint16_t udp_size, uint16_t timeout)
{
	uint8_t *option = put_opt(p, udp_size, 6);

	if (!option)
		return;
	dns_put16(option, 11);
	dns_put16(option + 2, 2);
	dns_put16(option + 4, timeout);
}
