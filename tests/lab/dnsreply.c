// SPDX-License-Identifier: MIT
/*
 * dnsreply.c - from the table's answer to the octets that leave, with every lie that was ordered.
 *
 * Order of work: what the table says; changes to the records; the packet; changes to its octets.
 */
#include "dnsreply.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>

#define UDP_WITHOUT_EDNS 512 /* RFC 1035 2.3.4 */
#define OUR_UDP_SIZE	 1232

static void fill_random(uint8_t *buf, size_t len, uint64_t *seed)
{
	while (len-- > 0)
		*buf++ = (uint8_t)lab_random(seed);
}

static void swap_rrs(struct dns_rr *a, struct dns_rr *b)
{
	struct dns_rr t = *a;

	*a = *b;
	*b = t;
}

static void change_order(struct dns_answer *answer, const struct dns_verdict *v, uint64_t *seed)
{
	unsigned n = answer->nrrs;

	if (v->on[LAB_DNS_REVERSE])
		for (unsigned i = 0; i < n / 2; i++)
			swap_rrs(&answer->rrs[i], &answer->rrs[n - 1 - i]);
	if (v->on[LAB_DNS_SHUFFLE])
		for (unsigned i = n; i > 1; i--)
			swap_rrs(&answer->rrs[i - 1], &answer->rrs[lab_random(seed) % i]);
}

static void empty_answer(const struct dns_zone *zone, struct dns_answer *answer, unsigned rcode)
{
	answer->rcode = (enum dns_rcode)rcode;
	answer->nrrs = 0;
	answer->negative = true;
	answer->has_soa = false;
	if (rcode == DNS_NXDOMAIN || rcode == DNS_NOERROR)
		dns_zone_soa(zone, &answer->names[0], answer);
}

static void change_answer(const struct dns_zone *zone, const struct dns_query *query,
			  const struct dns_verdict *v, uint64_t *seed, struct dns_answer *answer)
{
	if (v->on[LAB_DNS_RCODE])
		empty_answer(zone, answer, v->value[LAB_DNS_RCODE] & DNS_RCODE);
	if (v->on[LAB_DNS_EMPTY])
		empty_answer(zone, answer, DNS_NOERROR);
	if (v->on[LAB_DNS_FORMERR_EDNS] && query->has_opt)
		empty_answer(zone, answer, DNS_FORMERR);
	if (v->on[LAB_DNS_NO_SOA])
		answer->has_soa = false;
	for (unsigned i = 0; v->on[LAB_DNS_TTL] && i < answer->nrrs; i++)
		answer->rrs[i].ttl_s = v->value[LAB_DNS_TTL];
	if (v->on[LAB_DNS_TTL])
		answer->soa.ttl_s = v->value[LAB_DNS_TTL];
	change_order(answer, v, seed);
}

static uint16_t reply_flags(const struct dns_query *query, const struct dns_verdict *v,
			    const struct dns_answer *answer)
{
	unsigned flags = DNS_QR | DNS_RA | (query->flags & DNS_RD) | answer->rcode;

	if (v->on[LAB_DNS_NOT_RESPONSE])
		flags &= ~(unsigned)DNS_QR;
	if (v->on[LAB_DNS_AD_ALWAYS] ||
	    (v->on[LAB_DNS_AD] && (query->flags & DNS_AD || query->dnssec_ok)))
		flags |= DNS_AD;
	if (v->on[LAB_DNS_TC])
		flags |= DNS_TC;
	return (uint16_t)flags;
}

/* The answer of an attacker who hopes that we cache what we did not ask for. */
static void put_poison(struct dns_packet *p, unsigned section)
{
	static const uint8_t v4[4] = {192, 0, 2, 66};
	static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 0x66};
	struct dns_name victim;

	if (dns_name_parse("victim.test", &victim))
		return;
	dns_packet_rr(p, section, &(struct dns_rr){&victim, LAB_A, 3600, v4, 4, false});
	dns_packet_rr(p, section, &(struct dns_rr){&victim, LAB_AAAA, 3600, v6, 16, false});
}

static void put_start(struct dns_packet *p, const struct dns_query *query,
		      const struct dns_verdict *v, uint16_t flags)
{
	struct dns_name name = query->name;

	dns_packet_start(p, (uint16_t)(query->id + v->on[LAB_DNS_WRONG_ID]), flags);
	if (v->on[LAB_DNS_WRONG_QUESTION])
		(void)dns_name_prepend("wrong", &query->name, &name);
	if (!v->on[LAB_DNS_NO_QUESTION])
		dns_packet_question(p, &name, query->type);
}

static void put_records(struct dns_packet *p, const struct dns_verdict *v,
			const struct dns_answer *answer)
{
	for (unsigned i = 0; i < answer->nrrs; i++)
		dns_packet_rr(p, 1, &answer->rrs[i]);
	if (v->on[LAB_DNS_POISON])
		put_poison(p, 1);
	if (answer->negative && answer->has_soa)
		dns_packet_rr(p, 2, &answer->soa);
	if (v->on[LAB_DNS_POISON])
		put_poison(p, 3);
}

/* Does this query's answer have to be cut to a header with TC? */
static bool too_big(const struct dns_packet *p, const struct dns_query *query, bool opt)
{
	size_t limit = UDP_WITHOUT_EDNS;

	if (query->transport != LAB_UDP)
		return false;
	if (opt && query->edns_size > limit)
		limit = query->edns_size;
	return p->len + (opt ? 11 : 0) > limit;
}

/* Octets of the finished packet; the first answer record starts at `records`. */
static void damage(struct dns_packet *p, const struct dns_verdict *v, size_t records,
		   uint64_t *seed)
{
	size_t owner_len;

	if (v->on[LAB_DNS_BAD_COUNT])
		dns_put16(p->buf + 6, dns_get16(p->buf + 6) + 1);
	if (v->on[LAB_DNS_GARBAGE_BODY])
		fill_random(p->buf + records, p->len - records, seed);
	if (dns_get16(p->buf + 6) > 0 && records + 12 <= p->len) {
		owner_len = p->buf[records] >= 0xc0 ? 2 : strlen((char *)p->buf + records) + 1;
		if (v->on[LAB_DNS_BAD_RDLEN])
			dns_put16(p->buf + records + owner_len + 8,
				  dns_get16(p->buf + records + owner_len + 8) - 1);
		if (v->on[LAB_DNS_BAD_POINTER])
			dns_put16(p->buf + records, 0xc000u | (unsigned)records);
	}
	if (v->on[LAB_DNS_CUT] && v->value[LAB_DNS_CUT] < p->len)
		p->len = v->value[LAB_DNS_CUT];
	if (v->on[LAB_DNS_GARBAGE]) {
		p->len = v->value[LAB_DNS_GARBAGE] % (DNS_MAX_MESSAGE + 1u);
		fill_random(p->buf, p->len, seed);
	}
}

void dns_reply_build(const struct dns_zone *zone, const struct dns_query *query,
		     const struct dns_verdict *v, uint64_t *seed, struct dns_packet *ret)
{
	static struct dns_answer answer; /* half a megabyte; the server has one thread */
	bool opt = query->has_opt && !v->on[LAB_DNS_NO_OPT] && !v->on[LAB_DNS_FORMERR_EDNS];
	uint16_t flags;
	size_t records;

	dns_zone_ask(zone, &query->name, query->type, &answer);
	change_answer(zone, query, v, seed, &answer);
	flags = reply_flags(query, v, &answer);
	put_start(ret, query, v, flags);
	records = ret->len;
	put_records(ret, v, &answer);
	if (too_big(ret, query, opt) || (v->on[LAB_DNS_TRUNCATE] && query->transport == LAB_UDP))
		put_start(ret, query, v, flags | DNS_TC);
	if (opt && v->on[LAB_DNS_KEEPALIVE])
		dns_packet_opt_keepalive(ret, OUR_UDP_SIZE, (uint16_t)v->value[LAB_DNS_KEEPALIVE]);
	else if (opt)
		dns_packet_opt(ret, OUR_UDP_SIZE);
	damage(ret, v, records, seed);
}
