// SPDX-License-Identifier: MIT
/*
 * dnswire.h - DNS names and packets as octets (RFC 1035 section 4). Written by hand, since the
 * scripted server must also be able to write what no library would.
 */
#ifndef LAB_DNSWIRE_H
#define LAB_DNSWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER	12
#define DNS_MAX_MESSAGE 65535

enum dns_flags { /* the header's second 16 bits */
		 DNS_QR = 0x8000,
		 DNS_TC = 0x0200,
		 DNS_RD = 0x0100,
		 DNS_RA = 0x0080,
		 DNS_AD = 0x0020,
		 DNS_RCODE = 0x000f,
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
};

struct dns_name {
	uint8_t wire[255]; /* uncompressed, with the root's 0 */
	uint8_t len;	   /* at least 1 */
};

/* Presentation form, absolute with or without the last dot; "." is the root. 0 or -EINVAL. */
int dns_name_parse(const char *text, struct dns_name *ret);

/* Without the last dot ("." for the root), cut to fit. */
void dns_name_print(const struct dns_name *name, char *buf, size_t size);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b); /* any letter case */
bool dns_name_below(const struct dns_name *name, const struct dns_name *parent); /* proper */
void dns_name_lower(struct dns_name *name);

/* The name without its first label. False for the root. */
bool dns_name_parent(const struct dns_name *name, struct dns_name *ret);

/* `label` (plain letters) in front of `name`. -EINVAL: too long. */
int dns_name_prepend(const char *label, const struct dns_name *name, struct dns_name *ret);

/*
 * Reads a possibly compressed name at *pos of a message and moves *pos behind it. 0 or -EINVAL.
 */
int dns_name_read(const uint8_t *msg, size_t len, size_t *pos, struct dns_name *ret);

/* A record to be written. */
struct dns_rr {
	const struct dns_name *owner; /* borrowed */
	uint16_t type;
	uint32_t ttl_s;
	const uint8_t *rdata; /* borrowed */
	uint16_t rdlen;
	bool rdata_is_name; /* a later owner may point into it */
};

struct dns_packet {
	uint8_t buf[DNS_MAX_MESSAGE];
	size_t len;
	bool full; /* something did not fit; the packet ends before it */
	struct {
		struct dns_name name;
		uint16_t offset;
	} seen[32]; /* whole names that a pointer may name */
	unsigned nseen;
};

void dns_put16(uint8_t *p, unsigned v);
void dns_put32(uint8_t *p, uint32_t v);
unsigned dns_get16(const uint8_t *p);
uint32_t dns_get32(const uint8_t *p);

void dns_packet_start(struct dns_packet *p, uint16_t id, uint16_t flags);
void dns_packet_question(struct dns_packet *p, const struct dns_name *name, uint16_t type);

/* Adds a record to section 1 (answer), 2 (authority) or 3 (additional), and counts it. Sections
 * must be written in order. */
void dns_packet_rr(struct dns_packet *p, unsigned section, const struct dns_rr *rr);
void dns_packet_opt(struct dns_packet *p, uint16_t udp_size);

/* The same with an option edns-tcp-keepalive, in 100 ms (RFC 7828). */
void dns_packet_opt_keepalive(struct dns_packet *p, uint16_t udp_size, uint16_t timeout);

#endif
