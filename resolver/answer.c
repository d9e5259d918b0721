// SPDX-License-Identifier: MIT
/*
 * answer.c - see answer.h. libc's ns_initparse() and ns_parserr() do the walking; nothing here
 * follows a compression pointer.
 *
 * Bounds: the chain is walked at most RESOLVER_CHAIN_MAX + 1 times over at most 65535 / 12 records;
 * a record with an address is longer than the address, so all addresses fit in a buffer of the
 * packet's length.
 */
#include "resolver/answer.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Not strcasecmp(): in some locales it folds other letters. */
static bool same_name(const char *a, const char *b)
{
	while (*a && fold((unsigned char)*a) == fold((unsigned char)*b))
		a++, b++;
	return *a == *b;
}

/* Is `name` the zone's apex or below it? A dot that is escaped does not separate labels. */
static bool is_within(const char *name, const char *zone)
{
	size_t name_len = strlen(name), zone_len = strlen(zone), escapes = 0;
	size_t start = name_len - zone_len;

	if (!strcmp(zone, "."))
		return true;
	if (zone_len > name_len || !same_name(name + start, zone))
		return false;
	if (!start)
		return true;
	if (name[start - 1] != '.')
		return false;
	while (escapes < start - 1 && name[start - 2 - escapes] == '\\')
		escapes++;
	return escapes % 2 == 0;
}

static void lower_ttl(struct answer *a, uint32_t ttl_s)
{
	if (ttl_s < a->ttl_s)
		a->ttl_s = ttl_s;
}

/* ns_initparse() takes no bytes after the message; glibc's own lookups do, so the end is found
 * first. */
static bool open_packet(const unsigned char *packet, unsigned len, ns_msg *msg)
{
	const unsigned char *p = packet + 4, *end = packet + len;
	unsigned counts[ns_s_max];
	int skipped;

	for (int s = 0; s < ns_s_max; s++)
		NS_GET16(counts[s], p);
	for (int s = 0; s < ns_s_max; s++) {
		skipped = ns_skiprr(p, end, (ns_sect)s, (int)counts[s]);
		if (skipped < 0)
			return false;
		p += skipped;
	}
	return !ns_initparse(packet, (int)(p - packet), msg);
}

/* One question, ours, in class IN; its spelling becomes the first name of the chain. */
static bool match_question(struct answer *a, ns_msg *msg, const struct packet_question *question)
{
	unsigned char name[PACKET_NAME_MAX];
	size_t name_len = 0;
	ns_rr rr;

	if (ns_msg_count(*msg, ns_s_qd) != 1 || ns_parserr(msg, ns_s_qd, 0, &rr))
		return false;
	if ((unsigned)ns_rr_type(rr) != question->type || ns_rr_class(rr) != ns_c_in)
		return false;
	if (ns_name_unpack(ns_msg_base(*msg), ns_msg_end(*msg), ns_msg_base(*msg) + PACKET_HEADER,
			   name, sizeof(name)) < 0)
		return false;
	while (name[name_len])
		name_len += name[name_len] + 1u;
	if (name_len + 1 != question->name_len)
		return false;
	/* Length octets are at most 63, below the letters, so folding leaves them alone. */
	for (size_t i = 0; i < name_len; i++)
		if (fold(name[i]) != fold(question->name[i]))
			return false;
	memcpy(a->chain[0], ns_rr_name(rr), strlen(ns_rr_name(rr)) + 1);
	a->nchain = 1;
	return true;
}

static const char *chain_end(const struct answer *a)
{
	return a->chain[a->nchain - 1];
}

/* Appends the target of a CNAME. False: malformed, a loop, or too long. */
static bool extend_chain(struct answer *a, ns_msg *msg, const ns_rr *rr)
{
	char *target;
	int len;

	if (a->nchain == RESOLVER_CHAIN_MAX)
		return false;
	target = a->chain[a->nchain];
	len = ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg), ns_rr_rdata(*rr), target,
				 RESOLVER_NAME_MAX);
	if (len < 0 || len > ns_rr_rdlen(*rr))
		return false;
	for (unsigned i = 0; i < a->nchain; i++)
		if (same_name(a->chain[i], target))
			return false;
	a->nchain++;
	lower_ttl(a, ns_rr_ttl(*rr));
	return true;
}

/* Follows the CNAMEs from the question on. A pass takes all that stand in order, so a usual answer
 * needs one, and a second that finds nothing. */
static bool follow_chain(struct answer *a, ns_msg *msg)
{
	bool longer;
	ns_rr rr;

	do {
		longer = false;
		for (int i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
			if (ns_parserr(msg, ns_s_an, i, &rr))
				return false;
			if (ns_rr_type(rr) != ns_t_cname || ns_rr_class(rr) != ns_c_in ||
			    !same_name(ns_rr_name(rr), chain_end(a)))
				continue;
			if (!extend_chain(a, msg, &rr))
				return false;
			longer = true;
		}
	} while (longer);
	return true;
}

/* Collects the addresses of the chain's end. False: malformed. */
static bool collect_addrs(struct answer *a, ns_msg *msg, enum resolver_type type)
{
	unsigned size = type == RESOLVER_A ? 4 : 16, n = 0;
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
		if (ns_parserr(msg, ns_s_an, i, &rr))
			return false;
		if ((unsigned)ns_rr_type(rr) != type || ns_rr_class(rr) != ns_c_in ||
		    ns_rr_rdlen(rr) != size || !same_name(ns_rr_name(rr), chain_end(a)))
			continue;
		memcpy(a->addrs + n++ * size, ns_rr_rdata(rr), size);
		lower_ttl(a, ns_rr_ttl(rr));
	}
	a->rrset.naddrs = n;
	return true;
}

/* MINIMUM of a SOA (RFC 1035 3.3.13); 0 where it cannot be read. */
static uint32_t soa_minimum(const ns_rr *rr)
{
	const unsigned char *p = ns_rr_rdata(*rr), *end = p + ns_rr_rdlen(*rr);
	uint32_t minimum;

	if (ns_name_skip(&p, end) || ns_name_skip(&p, end) || end - p < 20)
		return 0;
	p += 16; /* SERIAL, REFRESH, RETRY, EXPIRE */
	NS_GET32(minimum, p);
	return minimum;
}

/* How long the absence may be remembered. */
static void find_negative_ttl(struct answer *a, ns_msg *msg)
{
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(*msg, ns_s_ns); i++) {
		if (ns_parserr(msg, ns_s_ns, i, &rr))
			break;
		if (ns_rr_type(rr) != ns_t_soa || ns_rr_class(rr) != ns_c_in ||
		    !is_within(chain_end(a), ns_rr_name(rr)))
			continue;
		lower_ttl(a, ns_rr_ttl(rr));
		lower_ttl(a, soa_minimum(&rr));
		lower_ttl(a, ANSWER_NEGATIVE_TTL_MAX);
		return;
	}
	a->ttl_s = 0;
}

static void list_names(struct answer *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->nchain; i++)
		if (!i || res_hnok(a->chain[i]))
			a->listed[n++] = a->chain[i];
	a->rrset.names = a->listed;
	a->rrset.nnames = n;
}

static bool reserve_addrs(struct answer *a, size_t size)
{
	unsigned char *addrs;

	if (size <= a->addrs_size)
		return true;
	addrs = realloc(a->addrs, size);
	if (!addrs)
		return false;
	a->addrs = addrs;
	a->addrs_size = size;
	return true;
}

static enum answer_verdict fill_rrset(struct answer *a, ns_msg *msg, unsigned len, bool nxdomain)
{
	struct resolver_rrset *rrset = &a->rrset;

	if (!reserve_addrs(a, len))
		return ANSWER_NO_MEMORY;
	if (!follow_chain(a, msg))
		return ANSWER_MALFORMED;
	if (!nxdomain && !collect_addrs(a, msg, rrset->type))
		return ANSWER_MALFORMED;
	if (!rrset->naddrs)
		find_negative_ttl(a, msg);
	rrset->ttl_s = a->ttl_s;
	rrset->addrs = a->addrs;
	rrset->kind = rrset->naddrs ? RESOLVER_ANSWER
		      : nxdomain    ? RESOLVER_NXDOMAIN
				    : RESOLVER_NODATA;
	if (rrset->naddrs && !res_hnok(a->chain[0])) {
		rrset->kind = RESOLVER_NXDOMAIN;
		rrset->ttl_s = rrset->naddrs = 0;
	}
	if (rrset->kind != RESOLVER_NXDOMAIN)
		list_names(a);
	return ANSWER_VALID;
}

/* As glibc's res_send() judges it; an OPT record does not count, since glibc sends none. */
static bool is_lame(ns_msg *msg)
{
	ns_rr rr;

	if (ns_msg_count(*msg, ns_s_an) || ns_msg_getflag(*msg, ns_f_aa) ||
	    ns_msg_getflag(*msg, ns_f_ra))
		return false;
	for (int i = 0; i < ns_msg_count(*msg, ns_s_ar); i++)
		if (ns_parserr(msg, ns_s_ar, i, &rr) || ns_rr_type(rr) != ns_t_opt)
			return false;
	return true;
}

static enum answer_verdict verdict_of_rcode(unsigned rcode)
{
	switch (rcode) {
	case ns_r_noerror:
	case ns_r_nxdomain:
		return ANSWER_VALID;
	case ns_r_formerr:
		return ANSWER_FORMERR;
	case ns_r_servfail:
		return ANSWER_SERVFAIL;
	default:
		return ANSWER_REFUSED;
	}
}

enum answer_verdict answer_parse(struct answer *a, const unsigned char *packet, unsigned len,
				 const struct packet_question *question, unsigned flags)
{
	enum answer_verdict verdict;
	bool truncated;
	ns_msg msg;

	if (len < PACKET_HEADER || (packet[2] & 0xf8) != 0x80) /* QR set, opcode QUERY */
		return ANSWER_MISMATCH;
	verdict = verdict_of_rcode(packet[3] & 0x0f);
	if (verdict != ANSWER_VALID)
		return verdict; /* the rest may be missing or miscounted: transport.h */
	truncated = (packet[2] & 0x02) && !(flags & ANSWER_STREAM);
	if (!open_packet(packet, len, &msg))
		return truncated ? ANSWER_TRUNCATED : ANSWER_MALFORMED;
	if (!match_question(a, &msg, question))
		return ANSWER_MISMATCH;
	if (truncated)
		return ANSWER_TRUNCATED;
	if ((flags & ANSWER_WHOLE) && ns_msg_getflag(msg, ns_f_tc))
		return ANSWER_MALFORMED;
	if (ns_msg_getflag(msg, ns_f_rcode) == ns_r_noerror && is_lame(&msg))
		return ANSWER_SERVFAIL;
	a->ttl_s = ANSWER_TTL_MAX;
	a->rrset = (struct resolver_rrset){
		.type = question->type,
		.ad = (flags & ANSWER_TRUST_AD) && ns_msg_getflag(msg, ns_f_ad),
	};
	return fill_rrset(a, &msg, len, ns_msg_getflag(msg, ns_f_rcode) == ns_r_nxdomain);
}

void answer_fini(struct answer *answer)
{
	free(answer->addrs);
	answer->addrs = NULL;
	answer->addrs_size = 0;
}

const char *answer_verdict_to_str(enum answer_verdict verdict)
{
	switch (verdict) {
	case ANSWER_VALID:
		return "valid";
	case ANSWER_TRUNCATED:
		return "truncated";
	case ANSWER_FORMERR:
		return "format error";
	case ANSWER_SERVFAIL:
		return "server failure";
	case ANSWER_REFUSED:
		return "refused";
	case ANSWER_MALFORMED:
		return "malformed";
	case ANSWER_MISMATCH:
		return "not an answer to the question";
	case ANSWER_NO_MEMORY:
		return "out of memory";
	}
	return "?";
}
