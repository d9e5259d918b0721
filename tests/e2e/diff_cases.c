// SPDX-License-Identifier: MIT
/*
 * diff_cases.c - the questions of the differential test: a call, a name that is known to somebody
 * or a strange one, and arguments from the whole range that programs use and some that none should.
 */
#include "tests/e2e/diff_config.h"
#include "tests/e2e/diff_random.h"

#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>

static const char *const strange[] = {
	"1.2.3.4",
	"127.1",
	"0x7f.1",
	"1.2.3.4.5",
	"1.2.3.256",
	"1.2.3.4 x",
	"1.2.3.4.",
	"017700000001",
	"4294967296",
	"12345",
	"1.2.3.4%lo",
	"::1",
	"::1.",
	"::ffff:192.0.2.7",
	"fe80::1%lo",
	"fe80::1%1",
	"fe80::1%nosuch",
	"2001:db8::1%lo",
	"2001:db8::1",
	"::g",
	"1:2:3:4:5:6:7:8:9",
	"localhost",
	"LOCALHOST",
	"localhost.",
	"localhost.localdomain",
	"foo.localhost",
	"ip6-localhost",
	"printer.local",
	"lab",
	"lab.corp.test",
	"lab.example.test",
	"_gateway",
	"",
	".",
	"..",
	".www.corp.test",
	"www..corp.test",
	"www.corp.test..",
	"*",
	"*.corp.test",
	"a\\.b.test",
	"a\\046b.test",
	"www\\.corp.test",
	"www.corp.test\\",
	"w\\119w.corp.test",
	"-lead.test",
	"trail-.test",
	"sp ace.test",
	"sp\\ ace.test",
	"under_score.test",
	"tab\there.test",
	"new\nline.test",
	"m\xc3\xbcnchen.test",
	"M\xc3\x9cNCHEN.test",
	"\xff\xfe.test",
	"xn--mnchen-3ya.test",
	"xn--a.test",
	"\xe4\xbe\x8b.test",
	"canon.other.test",
	"chain1.other.test",
	"loop1.other.test",
	"nodata.other.test",
	"sf.other.test",
	"half.other.test",
	"reversed.other.test",
	"no-edns.other.test",
	"x.servfail.test",
	"x.nodata.test",
	"nosuch.test",
	"nosuch",
	"loop",
	"broken",
	"alias1",
	"alias2.corp.test",
	"three",
	"extra.",
};

/* Labels of 63 and 64 bytes, names around the limits of DNS (253) and of libc (1025). */
static void long_name(uint64_t *rng, char *buf, size_t size)
{
	static const unsigned lengths[] = {63, 64, 127, 200, 240, 252, 253, 254, 255, 256, 300};
	unsigned total = DIFF_PICK(rng, lengths);
	unsigned label = diff_chance(rng, 70) ? 63 : diff_chance(rng, 50) ? 64 : 10;
	size_t n = 0;

	for (; n < total && n + 1 < size; n++)
		buf[n] = n % (label + 1) == label && n + 1 < total ? '.' : 'x';
	buf[n] = '\0';
}

static void change_case(uint64_t *rng, char *name)
{
	for (; *name != '\0'; name++)
		if (diff_chance(rng, 50))
			*name = (char)(islower((unsigned char)*name)
					       ? toupper((unsigned char)*name)
					       : tolower((unsigned char)*name));
}

static void make_name(uint64_t *rng, const struct diff_config *config, char *buf, size_t size)
{
	unsigned kind = diff_below(rng, 100);
	const char *known = config->names[diff_below(rng, config->nnames)];
	const char *dot;

	if (kind < 18) {
		snprintf(buf, size, "%s", DIFF_PICK(rng, strange));
		return;
	}
	if (kind < 21) {
		long_name(rng, buf, size);
		return;
	}
	snprintf(buf, size, "%s", known);
	dot = strchr(known, '.');
	if (dot != NULL && kind < 45) /* the search list has to complete it */
		buf[dot - known] = '\0';
	else if (dot != NULL && kind < 50 && strrchr(known, '.') != dot)
		*strrchr(buf, '.') = '\0';
	if (diff_chance(rng, 12))
		strncat(buf, ".", size - strlen(buf) - 1);
	if (diff_chance(rng, 15))
		change_case(rng, buf);
}

static int make_flags(uint64_t *rng)
{
	static const struct {
		int flag;
		unsigned percent;
	} flags[] = {
		{AI_PASSIVE, 12},  {AI_CANONNAME, 35}, {AI_NUMERICHOST, 5}, {AI_NUMERICSERV, 8},
		{AI_V4MAPPED, 30}, {AI_ALL, 25},       {AI_ADDRCONFIG, 35}, {AI_IDN, 12},
		{AI_CANONIDN, 10}, {0x100, 2},	       {0x200, 2},	    {0x1000, 1},
		{0x4000000, 1},
	};
	int result = 0;

	for (unsigned i = 0; i < DIFF_COUNT(flags); i++)
		if (diff_chance(rng, flags[i].percent))
			result |= flags[i].flag;
	return result;
}

static void make_getaddrinfo(uint64_t *rng, struct diff_case *c)
{
	static const char *const services[] = {
		"80",	 "http",	"domain", "ntp",    "tftp", "ssh",    "0",    "65535",
		"65536", "-1",		"",	  "*",	    " 80",  "80x",    "0x50", "nosuch",
		"HTTP",	 "99999999999", "443",	  "syslog", "+80",  "discard"};
	static const int families[] = {AF_UNSPEC, AF_UNSPEC, AF_UNSPEC, AF_UNSPEC, AF_INET,
				       AF_INET,	  AF_INET6,  AF_INET6,	AF_INET6};
	static const int odd_families[] = {AF_UNIX, AF_PACKET, 99, -1};
	static const int socktypes[] = {
		0, 0, 0, SOCK_STREAM, SOCK_STREAM, SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW};
	static const int odd_socktypes[] = {SOCK_SEQPACKET, SOCK_RDM, SOCK_DCCP, 77};
	static const int protocols[] = {IPPROTO_TCP,  IPPROTO_UDP,     IPPROTO_SCTP, IPPROTO_ICMP,
					IPPROTO_DCCP, IPPROTO_UDPLITE, 255,	     -1};

	if (diff_chance(rng, 3))
		c->call = DIFF_GAI_NO_HINTS;
	if (diff_chance(rng, 2))
		c->has_name = false;
	c->has_service = diff_chance(rng, 55);
	snprintf(c->service, sizeof c->service, "%s", DIFF_PICK(rng, services));
	c->flags = make_flags(rng);
	c->family = diff_chance(rng, 2) ? DIFF_PICK(rng, odd_families) : DIFF_PICK(rng, families);
	c->socktype =
		diff_chance(rng, 4) ? DIFF_PICK(rng, odd_socktypes) : DIFF_PICK(rng, socktypes);
	c->protocol = diff_chance(rng, 15) ? DIFF_PICK(rng, protocols) : 0;
}

void diff_case_make(uint64_t seed, unsigned number, unsigned item, const struct diff_config *config,
		    struct diff_case *ret)
{
	static const enum diff_call by_name[] = {DIFF_GHBN, DIFF_GHBN2, DIFF_GHBN_R, DIFF_GHBN2_R};
	static const int families[] = {AF_INET, AF_INET6};
	static const unsigned sizes[] = {0, 1, 7, 16, 33, 64, 100, 150, 200, 256, 400, 512, 1000};
	uint64_t rng = diff_stream(seed, number, item + 1);

	memset(ret, 0, sizeof *ret);
	ret->has_name = true;
	make_name(&rng, config, ret->name, sizeof ret->name);
	if (diff_chance(&rng, 70)) {
		ret->call = DIFF_GAI;
		make_getaddrinfo(&rng, ret);
		return;
	}
	ret->call = DIFF_PICK(&rng, by_name);
	ret->family = DIFF_PICK(&rng, families);
	ret->size = diff_chance(&rng, 75) ? 16384 : DIFF_PICK(&rng, sizes);
}
