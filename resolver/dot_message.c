// SPDX-License-Identifier: MIT
/* dot_message.c - see dot_message.h. Any thread. */
#include "resolver/dot_message.h"

#include <arpa/nameser.h>
#include <string.h>

#define HEADER	      12
#define RECORD	      10  /* type, class, TTL and length behind the owner's name */
#define KEEPALIVE     11  /* RFC 7828 3.1 */
#define KEEPALIVE_MS  100 /* its unit */
#define RCODE	      0x0f
#define QR_AND_OPCODE 0xf8

/* The length of the name at `at`, or 0 where it does not end. A pointer is its end. */
static size_t name_len(const unsigned char *message, size_t len, size_t at)
{
	size_t begin = at;

	while (at < len && message[at]) {
		if ((message[at] & 0xc0) == 0xc0)
			return at + 2 <= len ? at + 2 - begin : 0;
		at += message[at] + 1u;
	}
	return at < len ? at + 1 - begin : 0;
}

/* Length octets are below 64 and so no letters. */
static bool is_same_name(const unsigned char *a, const unsigned char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char x = a[i], y = b[i];

		if (x >= 'A' && x <= 'Z')
			x |= 0x20;
		if (y >= 'A' && y <= 'Z')
			y |= 0x20;
		if (x != y)
			return false;
	}
	return true;
}

bool dot_message_answers(const unsigned char *message, size_t len, const unsigned char *packet,
			 size_t packet_len)
{
	size_t name;

	if (len < HEADER || memcmp(message, packet, 2) != 0 ||
	    (message[2] & QR_AND_OPCODE) != (0x80 | (packet[2] & QR_AND_OPCODE)))
		return false;
	if (!message[4] && !message[5])
		return message[3] & RCODE;
	name = name_len(packet, packet_len, HEADER);
	return memcmp(message + 4, packet + 4, 2) == 0 && len >= HEADER + name + 4 &&
	       is_same_name(message + HEADER, packet + HEADER, name) &&
	       memcmp(message + HEADER + name, packet + HEADER + name, 4) == 0;
}

/* In the options of an OPT record. */
static bool find_keepalive(const unsigned char *p, const unsigned char *end, uint32_t *ret_ms)
{
	while (end - p >= 4) {
		unsigned code, len;

		NS_GET16(code, p);
		NS_GET16(len, p);
		if ((size_t)(end - p) < len)
			return false;
		if (code == KEEPALIVE && len == 2) {
			*ret_ms = ns_get16(p) * KEEPALIVE_MS;
			return true;
		}
		p += len;
	}
	return false;
}

bool dot_message_keepalive(const unsigned char *message, size_t len, uint32_t *ret_ms)
{
	unsigned questions, records = 0;
	size_t at = HEADER, name;

	if (len < HEADER)
		return false;
	questions = ns_get16(message + 4);
	for (int section = 0; section < 3; section++)
		records += ns_get16(message + 6 + 2 * section);
	for (; questions; questions--) {
		name = name_len(message, len, at);
		if (!name)
			return false;
		at += name + 4;
	}
	for (; records; records--) {
		unsigned type, data_len;

		name = name_len(message, len, at);
		at += name;
		if (!name || len < at + RECORD)
			return false;
		type = ns_get16(message + at);
		data_len = ns_get16(message + at + 8);
		at += RECORD;
		if (len < at + data_len)
			return false;
		if (type == ns_t_opt)
			return find_keepalive(message + at, message + at + data_len, ret_ms);
		at += data_len;
	}
	return false;
}
