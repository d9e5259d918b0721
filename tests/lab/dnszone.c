// SPDX-License-Identifier: MIT
/*
 * dnszone.c - an array of records sorted by owner, searched by bisection. Ancestors of an owner
 * enter as empty nodes (type 0), so that they exist, without data (RFC 8020).
 */
#include "dnszone.h"
#include "netns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct node {
	struct dns_name owner; /* lower case */
	size_t seq;	       /* keeps the script's order among one owner's records */
	uint32_t ttl_s;
	uint16_t type;
	uint16_t rdlen;
	uint8_t *rdata; /* owned by the zone, which lives as long as the process */
};

struct dns_zone {
	struct node *nodes;
	size_t nnodes;
	size_t size;
};

static int owner_cmp(const struct dns_name *a, const struct dns_name *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->wire, b->wire, len);

	return order ? order : (int)a->len - (int)b->len;
}

static int node_cmp(const void *va, const void *vb)
{
	const struct node *a = va;
	const struct node *b = vb;
	int order = owner_cmp(&a->owner, &b->owner);

	return order ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

static struct node *zone_grow(struct dns_zone *zone)
{
	if (zone->nnodes == zone->size) {
		zone->size = zone->size ? 2 * zone->size : 256;
		zone->nodes = realloc(zone->nodes, zone->size * sizeof(*zone->nodes));
		if (!zone->nodes)
			lab_fail("scripted server: no memory");
	}
	zone->nodes[zone->nnodes] = (struct node){.seq = zone->nnodes};
	return &zone->nodes[zone->nnodes++];
}

static void add_ancestors(struct dns_zone *zone, struct dns_name name)
{
	while (dns_name_parent(&name, &name) && name.len > 1)
		zone_grow(zone)->owner = name;
}

/* The next higher address (or serial of any octet string). */
static void increment(uint8_t *octets, size_t len)
{
	while (len-- > 0 && ++octets[len] == 0)
		;
}

static void add_record(struct dns_zone *zone, const struct lab_dns_rr *rr)
{
	struct dns_name owner;
	uint8_t rdata[1024];
	uint16_t rdlen;
	unsigned n;

	if (dns_name_parse(rr->owner, &owner) ||
	    dns_rdata_parse(rr->type, rr->data, &owner, rdata, sizeof(rdata), &rdlen, &n))
		lab_fail("scripted server: bad record of %s type %u: %s", rr->owner, rr->type,
			 rr->data);
	dns_name_lower(&owner);
	add_ancestors(zone, owner);
	for (unsigned i = 0; i < n; i++, increment(rdata, rdlen)) {
		struct node *node = zone_grow(zone);

		node->owner = owner;
		node->ttl_s = rr->ttl_s;
		node->type = rr->type;
		node->rdlen = rdlen;
		node->rdata = malloc(rdlen ? rdlen : 1);
		if (!node->rdata)
			lab_fail("scripted server: no memory");
		memcpy(node->rdata, rdata, rdlen);
	}
}

struct dns_zone *dns_zone_new(const struct lab_dns_rr *rrs)
{
	struct dns_zone *zone = calloc(1, sizeof(*zone));

	if (!zone)
		lab_fail("scripted server: no memory");
	for (; rrs && rrs->owner; rrs++)
		add_record(zone, rrs);
	if (zone->nnodes)
		qsort(zone->nodes, zone->nnodes, sizeof(*zone->nodes), node_cmp);
	return zone;
}

/* The owner's first node, or NULL. */
static const struct node *find(const struct dns_zone *zone, const struct dns_name *name)
{
	struct dns_name key = *name;
	size_t low = 0;
	size_t high = zone->nnodes;

	dns_name_lower(&key);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (owner_cmp(&zone->nodes[middle].owner, &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->nnodes || owner_cmp(&zone->nodes[low].owner, &key) != 0)
		return NULL;
	return &zone->nodes[low];
}

/* The name itself, else the wildcard at its closest encloser (RFC 4592 3.3.1), else NULL. */
static const struct node *find_or_wildcard(const struct dns_zone *zone, const struct dns_name *name)
{
	const struct node *node = find(zone, name);
	struct dns_name up = *name;
	struct dns_name star;

	while (!node && dns_name_parent(&up, &up)) {
		if (dns_name_prepend("*", &up, &star) == 0)
			node = find(zone, &star);
		if (find(zone, &up))
			break;
	}
	return node;
}

static const struct node *next_of_owner(const struct dns_zone *zone, const struct node *node)
{
	const struct node *next = node + 1;

	if (next == zone->nodes + zone->nnodes || owner_cmp(&next->owner, &node->owner) != 0)
		return NULL;
	return next;
}

static struct dns_rr to_rr(const struct node *node, const struct dns_name *owner)
{
	return (struct dns_rr){
		.owner = owner,
		.type = node->type,
		.ttl_s = node->ttl_s,
		.rdata = node->rdata,
		.rdlen = node->rdlen,
		.rdata_is_name = node->type == LAB_CNAME,
	};
}

/* Adds the owner's records of one type. Returns whether there was one. */
static bool add_type(const struct dns_zone *zone, const struct node *node,
		     const struct dns_name *owner, uint16_t type, struct dns_answer *answer)
{
	bool any = false;

	for (; node; node = next_of_owner(zone, node)) {
		if (node->type != type || answer->nrrs == DNS_ANSWER_MAX)
			continue;
		answer->rrs[answer->nrrs++] = to_rr(node, owner);
		any = true;
	}
	return any;
}

static bool chain_has(const struct dns_answer *answer, const struct dns_name *name)
{
	for (unsigned i = 0; i < answer->nnames; i++)
		if (dns_name_equal(&answer->names[i], name))
			return true;
	return false;
}

void dns_zone_soa(const struct dns_zone *zone, const struct dns_name *name,
		  struct dns_answer *answer)
{
	struct dns_name up = *name;

	answer->has_soa = false;
	do {
		for (const struct node *n = find(zone, &up); n; n = next_of_owner(zone, n)) {
			if (n->type != LAB_SOA)
				continue;
			answer->soa = to_rr(n, &n->owner);
			answer->has_soa = true;
			return;
		}
	} while (dns_name_parent(&up, &up));
}

void dns_zone_ask(const struct dns_zone *zone, const struct dns_name *name, uint16_t type,
		  struct dns_answer *ret)
{
	struct dns_name *at = &ret->names[0];

	ret->rcode = DNS_NOERROR;
	ret->nrrs = 0;
	ret->negative = false;
	ret->has_soa = false;
	*at = *name;
	ret->nnames = 1;
	for (;;) {
		const struct node *node = find_or_wildcard(zone, at);
		const struct dns_rr *cname;

		if (node && add_type(zone, node, at, type, ret))
			return;
		if (!node || type == LAB_CNAME || !add_type(zone, node, at, LAB_CNAME, ret)) {
			ret->rcode = node ? DNS_NOERROR : DNS_NXDOMAIN;
			ret->negative = true;
			dns_zone_soa(zone, at, ret);
			return;
		}
		cname = &ret->rrs[ret->nrrs - 1];
		at = &ret->names[ret->nnames];
		memcpy(at->wire, cname->rdata, cname->rdlen);
		at->len = (uint8_t)cname->rdlen;
		if (chain_has(ret, at) || ret->nnames == DNS_CHAIN_MAX)
			return;
		ret->nnames++;
	}
}
