// SPDX-License-Identifier: MIT
/* rebind.c - see rebind.h: two tables of addresses, one of names. */
#include "shim/rebind.h"

#include <string.h>

/* A block of addresses by its first bits. */
struct block {
	unsigned char bits;
	unsigned char start[6];
};

static const struct block blocks4[] = {
	{8, {0}},	      /* this network (RFC 791); Linux takes it for itself */
	{8, {10}},	      /* RFC 1918 */
	{10, {100, 64}},      /* shared with a carrier's NAT (RFC 6598) */
	{8, {127}},	      /* loopback (RFC 1122) */
	{16, {169, 254}},     /* link-local (RFC 3927) */
	{12, {172, 16}},      /* RFC 1918 */
	{29, {192, 0, 0, 0}}, /* DS-Lite, 464XLAT: this host, its router (RFC 7335) */
	{16, {192, 168}},     /* RFC 1918 */
	{15, {198, 18}},      /* benchmarks (RFC 2544), and proxies' invented addresses */
	{3, {224}},	      /* multicast (RFC 5771), reserved and broadcast (RFC 1112) */
};

static const struct block blocks6[] = {
	{48, {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}}, /* a network's own NAT64 (RFC 8215) */
	{48, {0x20, 0x01, 0x00, 0x02, 0x00, 0x00}}, /* benchmarks (RFC 5180) */
	{16, {0x5f, 0x00}},			    /* segment routing (RFC 9602) */
	{7, {0xfc}},				    /* unique local (RFC 4193) */
	{10, {0xfe, 0x80}},			    /* link-local (RFC 4291) */
	{10, {0xfe, 0xc0}},			    /* site-local, once (RFC 3879) */
	{8, {0xff}},				    /* multicast (RFC 4291) */
};

/* IPv6 addresses that stand for the IPv4 one right behind the prefix. */
struct embedding {
	unsigned char len; /* bytes of the prefix */
	unsigned char prefix[12];
};

static const struct embedding embeddings[] = {
	{12, {0}},			  /* compatible (RFC 4291), and with it :: and ::1 */
	{12, {[10] = 0xff, [11] = 0xff}}, /* mapped (RFC 4291) */
	{12, {0x00, 0x64, 0xff, 0x9b}},	  /* NAT64 (RFC 6052) */
	{2, {0x20, 0x02}},		  /* 6to4 (RFC 3056) */
};

static const char not_public[] =
	"localhost test local home.arpa internal ipv4only.arpa"; /* as a list of the user's */

#define LEN(array) (sizeof(array) / sizeof(array)[0])

static bool is_in(const unsigned char *addr, const struct block *blocks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned bytes = blocks[i].bits / 8, rest = blocks[i].bits % 8;

		if (memcmp(addr, blocks[i].start, bytes) == 0 &&
		    (rest == 0 || (addr[bytes] ^ blocks[i].start[bytes]) >> (8 - rest) == 0))
			return true;
	}
	return false;
}

bool rebind_is_private(const unsigned char *addr, size_t size)
{
	if (size == 4)
		return is_in(addr, blocks4, LEN(blocks4));
	for (size_t i = 0; i < LEN(embeddings); i++)
		if (memcmp(addr, embeddings[i].prefix, embeddings[i].len) == 0)
			return is_in(addr + embeddings[i].len, blocks4, LEN(blocks4));
	return is_in(addr, blocks6, LEN(blocks6));
}

unsigned rebind_sift(unsigned char *addrs, unsigned n, size_t size)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++)
		if (!rebind_is_private(addrs + i * size, size))
			memmove(addrs + left++ * size, addrs + i * size, size);
	return left;
}

/* Is it one of these domains, or below one? */
static bool is_listed(const struct name *name, const char *list)
{
	while (*list != '\0') {
		size_t len = strcspn(list, " "), before = name->len - len;

		if (len <= name->len && memcmp(name->text + before, list, len) == 0 &&
		    (before == 0 || name->text[before - 1] == '.'))
			return true;
		list += len + (list[len] == ' ');
	}
	return false;
}

bool rebind_may(const struct name *name, const char *allow)
{
	return name->dots == 0 || is_listed(name, not_public) ||
	       (allow != NULL && is_listed(name, allow));
}
