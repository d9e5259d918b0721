// SPDX-License-Identifier: MIT
/* packet_maker.c - see packet_maker.h. */
#include "packet_maker.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <stdlib.h>
#include <string.h>

static void put(struct maker *m, const void *bytes, unsigned len)
{
	if (m->len + len > MAKER_MAX)
		abort();
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void put16(struct maker *m, unsigned value)
{
	unsigned char bytes[2] = {(unsigned char)(value >> 8), (unsigned char)value};

	put(m, bytes, 2);
}

static void put32(struct maker *m, uint32_t value)
{
	put16(m, value >> 16);
	put16(m, value & 0xffff);
}

static unsigned wire_name(const char *name, unsigned char wire[NS_MAXCDNAME])
{
	unsigned len = 0;

	if (ns_name_pton(name, wire, NS_MAXCDNAME) < 0)
		abort();
	while (wire[len])
		len += wire[len] + 1u;
	return len + 1;
}

static void put_name(struct maker *m, const char *name)
{
	unsigned char wire[NS_MAXCDNAME];
	unsigned len = wire_name(name, wire);

	put(m, wire, len);
}

static void count(struct maker *m, enum maker_section section)
{
	unsigned char *p = m->bytes + 6 + 2 * section;
	unsigned n = (unsigned)(p[0] << 8 | p[1]) + 1;

	p[0] = (unsigned char)(n >> 8);
	p[1] = (unsigned char)n;
}

void maker_begin(struct maker *m, uint16_t id, unsigned flags, const char *name, unsigned type)
{
	m->len = 0;
	put16(m, id);
	put16(m, flags);
	put16(m, 1);
	put16(m, 0);
	put32(m, 0);
	put_name(m, name);
	put16(m, type);
	put16(m, ns_c_in);
}

void maker_rr_class(struct maker *m, enum maker_section section, const char *name, unsigned type,
		    unsigned class, uint32_t ttl, const void *rdata, unsigned len)
{
	put_name(m, name);
	put16(m, type);
	put16(m, class);
	put32(m, ttl);
	put16(m, len);
	put(m, rdata, len);
	count(m, section);
}

void maker_rr(struct maker *m, enum maker_section section, const char *name, unsigned type,
	      uint32_t ttl, const void *rdata, unsigned len)
{
	maker_rr_class(m, section, name, type, ns_c_in, ttl, rdata, len);
}

void maker_addr(struct maker *m, const char *name, uint32_t ttl, const char *addr)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, addr, bytes) == 1)
		maker_rr(m, MAKER_AN, name, ns_t_a, ttl, bytes, 4);
	else if (inet_pton(AF_INET6, addr, bytes) == 1)
		maker_rr(m, MAKER_AN, name, ns_t_aaaa, ttl, bytes, 16);
	else
		abort();
}

void maker_cname(struct maker *m, const char *name, uint32_t ttl, const char *target)
{
	unsigned char wire[NS_MAXCDNAME];
	unsigned len = wire_name(target, wire);

	maker_rr(m, MAKER_AN, name, ns_t_cname, ttl, wire, len);
}

void maker_soa(struct maker *m, const char *zone, uint32_t ttl, uint32_t minimum)
{
	struct maker rdata = {0};

	put_name(&rdata, "ns");
	put_name(&rdata, "admin");
	put32(&rdata, 1);
	put32(&rdata, 7200);
	put32(&rdata, 3600);
	put32(&rdata, 86400);
	put32(&rdata, minimum);
	maker_rr(m, MAKER_NS, zone, ns_t_soa, ttl, rdata.bytes, rdata.len);
}

void maker_question_addr(struct maker *m, uint32_t ttl, uint32_t addr)
{
	put16(m, 0xc00c);
	put16(m, ns_t_a);
	put16(m, ns_c_in);
	put32(m, ttl);
	put16(m, 4);
	put32(m, addr);
	count(m, MAKER_AN);
}
