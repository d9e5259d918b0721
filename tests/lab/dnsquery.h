// SPDX-License-Identifier: MIT
/*
 * dnsquery.h - a small DNS client for tests of the lab itself and for waiting until a server
 * answers: one query out, one packet back, taken as it is.
 */
#ifndef LAB_DNSQUERY_H
#define LAB_DNSQUERY_H

#include "dnsscript.h"

#include <arpa/inet.h>

struct lab_dns_question {
	const char *server; /* "127.0.0.1:53" or "[::1]:53" */
	const char *name;
	uint16_t type;
	enum lab_dns_transport transport; /* LAB_ANY_TRANSPORT: UDP */
	uint16_t edns_size;		  /* 0: no OPT record */
	unsigned timeout_ms;		  /* 0: 2000 */
};

#define LAB_DNS_MAX_RRS 16

struct lab_dns_record {
	char owner[256];
	uint16_t type;
	uint32_t ttl_s;
	char data[256]; /* A, AAAA: address; CNAME, NS, PTR: name; SOA: MINIMUM; else "" */
};

struct lab_dns_reply {
	size_t size; /* of the packet */
	bool parsed; /* false: not a whole DNS message; only what is above is set */
	uint16_t id;
	uint16_t sent_id;
	uint16_t flags;
	unsigned rcode;
	bool truncated;
	bool has_opt;
	uint16_t source_port; /* where it came from */
	char question[256];   /* as echoed; "" without one */
	unsigned nanswers;    /* answer records in the packet; the first ones stand in `answers` */
	unsigned nauthority;
	struct lab_dns_record answers[LAB_DNS_MAX_RRS];
	struct lab_dns_record authority; /* the first one */
	unsigned long long elapsed_ns;
};

/*
 * Sends one query and takes the first packet that comes, even one that no client should believe.
 * Returns 0; -ETIMEDOUT; -ECONNREFUSED and the like; -ECONNRESET or -EPIPE when TCP was reset or
 * closed without an answer.
 */
int lab_dns_ask(const struct lab_dns_question *question, struct lab_dns_reply *ret);

/* Parses "1.2.3.4:53", "[::1]:53", or an address alone (then `port`). 0 or -EINVAL. */
int lab_parse_endpoint(const char *text, uint16_t port, struct sockaddr_storage *ret,
		       socklen_t *ret_len);

#endif
