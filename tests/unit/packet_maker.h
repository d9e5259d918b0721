// SPDX-License-Identifier: MIT
/*
 * packet_maker.h - DNS packets put together by hand for tests, right and wrong ones. Names are
 * written uncompressed unless a function says otherwise; too long for the buffer is a bug of the
 * test.
 */
#ifndef NOBLOCKDNS_TEST_PACKET_MAKER_H
#define NOBLOCKDNS_TEST_PACKET_MAKER_H

#include <stdint.h>

#define MAKER_MAX 65535

enum maker_flags {
	MAKER_QR = 0x8000,
	MAKER_AA = 0x0400,
	MAKER_TC = 0x0200,
	MAKER_RD = 0x0100,
	MAKER_RA = 0x0080,
	MAKER_AD = 0x0020,
	MAKER_ANSWER = MAKER_QR | MAKER_RD | MAKER_RA, /* | rcode */
};

enum maker_section { MAKER_AN, MAKER_NS, MAKER_AR };

struct maker {
	unsigned len;
	unsigned char bytes[MAKER_MAX];
};

/* Header and question, class IN. */
void maker_begin(struct maker *m, uint16_t id, unsigned flags, const char *name, unsigned type);

/* One record; counts it in its section. Sections in order. */
void maker_rr(struct maker *m, enum maker_section section, const char *name, unsigned type,
	      uint32_t ttl, const void *rdata, unsigned len);

/* As above, class and all. */
void maker_rr_class(struct maker *m, enum maker_section section, const char *name, unsigned type,
		    unsigned class, uint32_t ttl, const void *rdata, unsigned len);

/* With the address in text form. */
void maker_addr(struct maker *m, const char *name, uint32_t ttl, const char *addr);

void maker_cname(struct maker *m, const char *name, uint32_t ttl, const char *target);

/* In the authority section. */
void maker_soa(struct maker *m, const char *zone, uint32_t ttl, uint32_t minimum);

/* An A record of the question's name (a compression pointer): 16 bytes. */
void maker_question_addr(struct maker *m, uint32_t ttl, uint32_t addr);

#endif
