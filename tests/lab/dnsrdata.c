// SPDX-License-Identifier: MIT
/*
 * dnsrdata.c - types and record data between the script's text and octets.
 */
#include "dnszone.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	uint16_t type;
} types[] = {
	{"A", LAB_A},	  {"NS", LAB_NS},   {"CNAME", LAB_CNAME}, {"SOA", LAB_SOA},
	{"PTR", LAB_PTR}, {"TXT", LAB_TXT}, {"AAAA", LAB_AAAA},	  {"*", LAB_ANY_TYPE},
};

int dns_type_parse(const char *text)
{
	char *end;
	unsigned long n;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcasecmp(text, types[i].word) == 0)
			return types[i].type;
	if (strncasecmp(text, "TYPE", 4) != 0 || !isdigit((unsigned char)text[4]))
		return -EINVAL;
	n = strtoul(text + 4, &end, 10);
	return *end || n > 65535 ? -EINVAL : (int)n;
}

/* "10.0.0.1" or "10.0.0.1*4000". */
static int parse_address(int family, const char *text, uint8_t *buf, uint16_t *ret_len,
			 unsigned *ret_count)
{
	char address[INET6_ADDRSTRLEN];
	const char *star = strchr(text, '*');
	size_t len = star ? (size_t)(star - text) : strlen(text);

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(family, address, buf) != 1)
		return -EINVAL;
	if (star) {
		char *end;
		unsigned long n = strtoul(star + 1, &end, 10);

		if (*end || n < 1 || n > DNS_ANSWER_MAX)
			return -EINVAL;
		*ret_count = (unsigned)n;
	}
	*ret_len = family == AF_INET ? 4 : 16;
	return 0;
}

static int parse_name(const char *text, uint8_t *buf, uint16_t *ret_len)
{
	struct dns_name name;

	if (dns_name_parse(text, &name))
		return -EINVAL;
	memcpy(buf, name.wire, name.len);
	*ret_len = name.len;
	return 0;
}

/* MNAME and RNAME are the zone's name; refresh, retry and expire are of no interest to a stub. */
static int parse_soa(const char *text, const struct dns_name *owner, uint8_t *buf,
		     uint16_t *ret_len)
{
	const uint32_t timers[4] = {1, 3600, 600, 86400};
	char *end;
	unsigned long minimum = strtoul(text, &end, 10);
	uint8_t *p = buf;

	if (end == text || *end || minimum > UINT32_MAX)
		return -EINVAL;
	for (int i = 0; i < 2; i++, p += owner->len)
		memcpy(p, owner->wire, owner->len);
	for (int i = 0; i < 4; i++, p += 4)
		dns_put32(p, timers[i]);
	dns_put32(p, (uint32_t)minimum);
	*ret_len = (uint16_t)(p + 4 - buf);
	return 0;
}

static int parse_txt(const char *text, uint8_t *buf, uint16_t *ret_len)
{
	size_t len = strlen(text);

	if (len > 255)
		return -EINVAL;
	buf[0] = (uint8_t)len;
	memcpy(buf + 1, text, len);
	*ret_len = (uint16_t)(len + 1);
	return 0;
}

static int parse_hex(const char *text, uint8_t *buf, size_t size, uint16_t *ret_len)
{
	size_t len = strlen(text);

	if (len % 2 || len / 2 > size)
		return -EINVAL;
	for (size_t i = 0; i < len / 2; i++) {
		const char digits[3] = {text[2 * i], text[2 * i + 1]};
		char *end;

		buf[i] = (uint8_t)strtoul(digits, &end, 16);
		if (*end)
			return -EINVAL;
	}
	*ret_len = (uint16_t)(len / 2);
	return 0;
}

int dns_rdata_parse(uint16_t type, const char *text, const struct dns_name *owner, uint8_t *buf,
		    size_t size, uint16_t *ret_len, unsigned *ret_count)
{
	*ret_count = 1;
	if (type == LAB_A)
		return parse_address(AF_INET, text, buf, ret_len, ret_count);
	if (type == LAB_AAAA)
		return parse_address(AF_INET6, text, buf, ret_len, ret_count);
	if (type == LAB_CNAME || type == LAB_NS || type == LAB_PTR)
		return parse_name(text, buf, ret_len);
	if (type == LAB_SOA)
		return parse_soa(text, owner, buf, ret_len);
	if (type == LAB_TXT)
		return parse_txt(text, buf, ret_len);
	return parse_hex(text, buf, size, ret_len);
}
