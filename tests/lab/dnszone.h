// SPDX-License-Identifier: MIT
/*
 * dnszone.h - the scripted server's table: which records answer a question, and which SOA goes
 * with a negative answer.
 */
#ifndef LAB_DNSZONE_H
#define LAB_DNSZONE_H

#include "dnsscript.h"
#include "dnswire.h"

#define DNS_CHAIN_MAX  64   /* CNAMEs that are followed; then the chain so far is the answer */
#define DNS_ANSWER_MAX 8192 /* records; more do not fit into 64 KB */

struct dns_zone;

/* What the table says to a question. Pointers borrow from the zone and from `names`. */
struct dns_answer {
	enum dns_rcode rcode;		   /* NOERROR or NXDOMAIN */
	struct dns_rr rrs[DNS_ANSWER_MAX]; /* CNAMEs in order, then the RRset */
	unsigned nrrs;
	bool negative; /* the chain ends without the type asked for */
	bool has_soa;
	struct dns_rr soa;
	struct dns_name names[DNS_CHAIN_MAX + 1]; /* [0] the question, then each CNAME's target */
	unsigned nnames;
};

/* Indexes the script's records. Ends the process on a record that is no record. */
struct dns_zone *dns_zone_new(const struct lab_dns_rr *rrs);

/* The answer to (answer->names[0], type). */
void dns_zone_ask(const struct dns_zone *zone, const struct dns_name *name, uint16_t type,
		  struct dns_answer *ret);

/* Finds the SOA for a negative answer about `name`; sets has_soa and soa. */
void dns_zone_soa(const struct dns_zone *zone, const struct dns_name *name,
		  struct dns_answer *answer);

/*
 * Text form of a record's data to octets. `owner` is the SOA's. `ret_count`: how many addresses
 * (*N); each next one is one higher. 0, or -EINVAL.
 */
int dns_rdata_parse(uint16_t type, const char *text, const struct dns_name *owner, uint8_t *buf,
		    size_t size, uint16_t *ret_len, unsigned *ret_count);

/* "AAAA" or "TYPE28" to 28; "*" to 0. -EINVAL. */
int dns_type_parse(const char *text);

#endif
